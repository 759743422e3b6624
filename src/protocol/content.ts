// What a person wrote: the body of a message record. One line of JSON, a newline, then the text's bytes as they are.
// Nodes never look inside.
import { encryptedSize, isBlobId, isSha256 } from './blob.ts'
import { asBuffer, concat, toUtf8 } from './bytes.ts'
import { ChatError } from './errors.ts'
import { limits } from './limits.ts'

export const CONTENT_TYPE = 'chat/1'

/** A small picture of a picture. */
export interface Preview {
  /** One that is safe to decode: see `previewTypes`. */
  type: string
  /** Base64. */
  data: string
  width: number
  height: number
}
export interface Attachment {
  /** Of its blob, which the header names too. */
  id: string
  /** As its sender calls it; anything, so it is no path. */
  name: string
  /** Media type, as its sender says. */
  type: string
  /** Bytes of the plain file. */
  size: number
  /** Hash of the plain file, hex. */
  sha256: string
  /** Key of the file's encryption, base64. */
  key: string
  preview?: Preview
}

export interface Content {
  text: string
  /** Id of the message this one answers. */
  reply?: string
  mentions?: string[]
  attachments?: Attachment[]
  /** Id of an own message whose text this one replaces. Always the first message, never another edit. */
  edit?: string
  /** Id of a message to which this one is a reaction; the text is the emoji. */
  react?: string
  /** Who wrote the message that `react` names. */
  author?: string
  /** The reaction is taken back. */
  off?: boolean
}

/** MESSAGE_TOO_LARGE above 64 KiB of text. */
export const encodeContent = ({ text, ...meta }: Content): Uint8Array => {
  const bytes = toUtf8(text)
  if (bytes.length > limits.maxTextBytes) throw new ChatError('MESSAGE_TOO_LARGE')
  return concat(toUtf8(`${JSON.stringify(meta)}\n`), bytes)
}

export const decodeContent = (body: Uint8Array): Content => {
  const bytes = asBuffer(body)
  const end = bytes.indexOf(0x0a)
  if (end < 0) throw new ChatError('MESSAGE_INVALID', { message: 'The content of the message has no first line' })
  try {
    const meta: unknown = JSON.parse(bytes.toString('utf8', 0, end))
    if (typeof meta !== 'object' || meta === null) throw new TypeError('not an object')
    return { ...(meta as Omit<Content, 'text'>), text: bytes.toString('utf8', end + 1) } // optional fields are checked where used
  } catch (cause) {
    throw new ChatError('MESSAGE_INVALID', { message: 'The content of the message is malformed', cause })
  }
}

const MAX_NAME = 1_024
const MAX_TYPE = 128
const MAX_PREVIEW_SIDE = 1_024
const KEY = /^[A-Za-z0-9+/]{43}=$/
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const previewTypes = new Set(['image/jpeg', 'image/png', 'image/webp'])

const isShortText = (value: unknown, max: number): value is string => typeof value === 'string' && value.length <= max
const isSide = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_PREVIEW_SIDE

const isAttachment = (value: unknown): value is Attachment => {
  if (typeof value !== 'object' || value === null) return false
  const { id, name, type, size, sha256, key } = value as Partial<Record<keyof Attachment, unknown>> // each is checked here
  return (
    isBlobId(id) &&
    isShortText(name, MAX_NAME) &&
    isShortText(type, MAX_TYPE) &&
    Number.isSafeInteger(size) &&
    Number(size) >= 0 &&
    isSha256(sha256) &&
    isShortText(key, 44) &&
    KEY.test(key)
  )
}

const isPreview = (value: unknown): value is Preview => {
  if (typeof value !== 'object' || value === null) return false
  const { type, data, width, height } = value as Partial<Record<keyof Preview, unknown>> // each is checked here
  if (typeof type !== 'string' || !previewTypes.has(type) || !isSide(width) || !isSide(height)) return false
  return isShortText(data, limits.maxPreviewBytes) && BASE64.test(data)
}

/**
 * The attachments of a message that can be used: well formed, and announced by the header with the size that they say, since only
 * those are kept with the message. Previews beyond the limit of all together are left out.
 */
export const attachmentsOf = (attachments: unknown, blobs: readonly [string, number][] = []): Attachment[] => {
  if (!Array.isArray(attachments)) return []
  const announced = new Map(blobs)
  let room: number = limits.maxPreviewBytes
  return attachments
    .filter(isAttachment)
    .filter(({ id, size }) => announced.get(id) === encryptedSize(size))
    .map(({ preview, ...attachment }) => {
      if (!isPreview(preview) || preview.data.length > room) return attachment
      room -= preview.data.length
      return { ...attachment, preview }
    })
}
