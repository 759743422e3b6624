// The format of an encrypted attachment: what its bytes, its size and its id are. Nodes need the sizes and the id; only clients hold keys.
// The plain file is cut in chunks of 64 KiB, each AES-256-GCM with the file's own key, its tag after it. Nonces follow the STREAM
// construction (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance, 2015):
// they hold the chunk's place and whether it is the last, so that chunks cannot be moved, left out or added. An empty file is one empty chunk.
import { limits } from './limits.ts'

export const BLOB_CHUNK_BYTES = 64 * 1024
export const BLOB_TAG_BYTES = 16
export const BLOB_KEY_BYTES = 32
/** A chunk as it is stored; only the last one may be shorter. */
export const SEALED_CHUNK_BYTES = BLOB_CHUNK_BYTES + BLOB_TAG_BYTES
const NONCE_BYTES = 12

const HASH = /^[0-9a-f]{64}$/
/** SHA-256 in lowercase hex. */
export const isSha256 = (value: unknown): value is string => typeof value === 'string' && HASH.test(value)
/** The id of a blob is the hash of its encrypted bytes. */
export const isBlobId = isSha256

/** Chunks of a file of so many plain bytes. */
export const chunkCount = (size: number): number => Math.max(1, Math.ceil(size / BLOB_CHUNK_BYTES))

/** Bytes of the blob of a file of `size` plain bytes. */
export const encryptedSize = (size: number): number => size + chunkCount(size) * BLOB_TAG_BYTES

/** The largest file whose blob has no more bytes than that. */
export const largestFile = (maxBlobBytes: number): number => {
  const whole = Math.floor(maxBlobBytes / SEALED_CHUNK_BYTES)
  const rest = maxBlobBytes - whole * SEALED_CHUNK_BYTES
  return Math.max(0, whole * BLOB_CHUNK_BYTES + Math.max(0, rest - BLOB_TAG_BYTES))
}

/** Plain bytes of a blob; undefined when no file encrypts to that size. */
export const plainSize = (encrypted: number): number | undefined => {
  const size = encrypted - Math.max(1, Math.ceil(encrypted / SEALED_CHUNK_BYTES)) * BLOB_TAG_BYTES
  return Number.isSafeInteger(size) && size >= 0 && encryptedSize(size) === encrypted ? size : undefined
}

/** Never twice under one key: the place is in it, and a key encrypts one file. */
export const chunkNonce = (index: number, isLast: boolean): Buffer => {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeUInt8(isLast ? 1 : 0, 0)
  nonce.writeUInt32BE(index, NONCE_BYTES - 4)
  return nonce
}

/** The `blobs` of a message's header: [id, encrypted size], no id twice. */
export const isBlobList = (value: unknown): value is [string, number][] =>
  Array.isArray(value) &&
  value.length <= limits.maxAttachments &&
  value.every((entry) => Array.isArray(entry) && entry.length === 2 && isBlobId(entry[0]) && isBlobSize(entry[1])) &&
  new Set(value.map(([id]: [string]) => id)).size === value.length // every entry was checked just above

const isBlobSize = (value: unknown): boolean => typeof value === 'number' && plainSize(value) !== undefined
