// A file on its way from this machine to the cluster: what the outbox keeps of it, its encryption in a first pass, and the bytes of
// the blob from any offset. Between the passes the file must stay as it was: a key never encrypts two contents.
import { createHash } from 'node:crypto'
import { BLOB_CHUNK_BYTES, BLOB_KEY_BYTES, encryptedSize, SEALED_CHUNK_BYTES } from '../protocol/blob.ts'
import { asBuffer, concat, equalBytes, fromBase64, toBase64 } from '../protocol/bytes.ts'
import type { Attachment } from '../protocol/content.ts'
import { ChatError } from '../protocol/errors.ts'
import { mutant } from '../platform/mutants.ts'
import type { RandomSource } from '../platform/ports.ts'
import { BlobCipher, piecesOf, tagOf } from './blob-cipher.ts'
import { mediaTypeOf } from './media-types.ts'
import type { SourceFiles } from './ports.ts'
import { safeFileName } from './safe-file-name.ts'

/** What the first pass found. */
export interface PreparedFile {
  attachment: Attachment
  /** The tags of all chunks, base64: what is sent must be exactly what was hashed. */
  tags: string
}
export interface OutgoingFile {
  /** Absolute. */
  path: string
  name: string
  type: string
  size: number
  /** Milliseconds since 1970: when the file was last changed before it was handed over. */
  modifiedAt: number
  prepared?: PreparedFile
  /** The cluster has it. */
  isStored: boolean
}

/** FILE_UNKNOWN, FILE_DENIED, USAGE when it is no file. */
export const outgoingFile = async (files: SourceFiles, path: string): Promise<OutgoingFile> => {
  const { size, modifiedAt } = await files.stat(path)
  const name = safeFileName(path)
  return { path, name, type: mediaTypeOf(name), size, modifiedAt, isStored: false }
}

const changed = (path: string): ChatError =>
  new ChatError('FILE_CHANGED', {
    message: `${path} was changed while it was being sent, so it was not sent; send it again`,
  })

const mustBeUnchanged = async (files: SourceFiles, { path, size, modifiedAt }: OutgoingFile): Promise<void> => {
  const now = await files.stat(path)
  if (now.size !== size || now.modifiedAt !== modifiedAt) throw changed(path)
}

export interface PrepareOptions {
  files: SourceFiles
  random: RandomSource
  signal: AbortSignal
  /** For its preview, as base64. */
  maxPreviewLength: number
}

/** The first pass: hashes, and a key of its own. One chunk is held at a time. FILE_CHANGED. */
export const prepareFile = async (
  file: OutgoingFile,
  { files, random, signal, maxPreviewLength }: PrepareOptions,
): Promise<PreparedFile> => {
  await mustBeUnchanged(files, file)
  const { path, name, type, size } = file
  const key = random.bytes(BLOB_KEY_BYTES)
  const cipher = new BlobCipher(key, size)
  const [plainHash, blobHash] = [createHash('sha256'), createHash('sha256')]
  const tags: Uint8Array[] = []
  for await (const plain of chunksOf(file, { files, from: 0, signal })) {
    const sealed = cipher.seal(tags.length, plain)
    plainHash.update(plain)
    blobHash.update(sealed)
    tags.push(Uint8Array.from(tagOf(sealed)))
  }
  const preview = type.startsWith('image/') ? await files.preview(path, maxPreviewLength) : undefined
  await mustBeUnchanged(files, file)
  return {
    attachment: {
      id: blobHash.digest('hex'),
      name,
      type,
      size,
      sha256: plainHash.digest('hex'),
      key: toBase64(key),
      ...(preview ? { preview } : {}),
    },
    tags: toBase64(concat(...tags)),
  }
}

/** The blob's bytes from an offset on, encrypted again. FILE_CHANGED before any byte that is not the prepared one. */
export async function* blobBytes(
  file: OutgoingFile,
  { attachment, tags }: PreparedFile,
  { files, offset, signal }: { files: SourceFiles; offset: number; signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, undefined> {
  if (offset >= encryptedSize(file.size)) return
  const cipher = new BlobCipher(fromBase64(attachment.key), file.size)
  const known = fromBase64(tags)
  let index = Math.floor(offset / SEALED_CHUNK_BYTES)
  let skip = offset % SEALED_CHUNK_BYTES
  for await (const plain of chunksOf(file, { files, from: index * BLOB_CHUNK_BYTES, signal })) {
    const sealed = cipher.seal(index, plain)
    const tag = tagOf(sealed)
    const isSame = equalBytes(tag, known.subarray(index * tag.length, (index + 1) * tag.length))
    if (!isSame && !mutant('changed-file-sent')) throw changed(file.path)
    yield skip > 0 ? sealed.subarray(skip) : sealed
    skip = 0
    index += 1
  }
}

/** The file's chunks from one on; exactly as many bytes as were announced, else FILE_CHANGED. */
async function* chunksOf(
  { path, size }: OutgoingFile,
  { files, from, signal }: { files: SourceFiles; from: number; signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, undefined> {
  let read = from
  for await (const chunk of piecesOf(files.read(path, { from, signal }), BLOB_CHUNK_BYTES)) {
    read += chunk.length
    if (read > size) throw changed(path)
    yield asBuffer(chunk)
  }
  if (read !== size) throw changed(path)
  if (size === 0) yield Buffer.alloc(0)
}
