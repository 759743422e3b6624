// What a person wrote: the body of a message record. One line of JSON, a newline, then the text's bytes as they are.
// Nodes never look inside.
import { asBuffer, concat, toUtf8 } from './bytes.ts'
import { ChatError } from './errors.ts'
import { limits } from './limits.ts'

export const CONTENT_TYPE = 'chat/1'

export interface Attachment {
  id: string
  name: string
  type: string
  size: number
  /** Hash of the plain file, hex. */
  sha256: string
  /** Key of the file's encryption, base64. */
  key: string
}

export interface Content {
  text: string
  /** Id of the message this one answers. */
  reply?: string
  mentions?: string[]
  attachments?: Attachment[]
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
