// Encrypts and decrypts an attachment chunk by chunk, as protocol/blob.ts lays it out: any chunk alone, in constant memory. What
// verifies was written by who knew the key, at that very place of a file of that very length. Knows no files and no network.
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { BLOB_TAG_BYTES, chunkCount, chunkNonce, encryptedSize, SEALED_CHUNK_BYTES } from '../protocol/blob.ts'
import { concat } from '../protocol/bytes.ts'
import { ChatError } from '../protocol/errors.ts'
import { mutant } from '../platform/mutants.ts'

const CIPHER = 'aes-256-gcm'

export class BlobCipher {
  readonly #key: Uint8Array
  readonly #lastIndex: number

  /** `size`: plain bytes of the whole file. */
  constructor(key: Uint8Array, size: number) {
    this.#key = key
    this.#lastIndex = chunkCount(size) - 1
  }

  /** The encrypted chunk with its tag at the end. */
  seal(index: number, plain: Uint8Array): Buffer {
    const cipher = createCipheriv(CIPHER, this.#key, this.#nonce(index), { authTagLength: BLOB_TAG_BYTES })
    const bytes = cipher.update(plain)
    cipher.final() // a stream cipher: nothing is left
    return concat(bytes, cipher.getAuthTag())
  }

  /** BLOB_HASH when these are not the bytes that were sealed as this chunk. */
  open(index: number, sealed: Uint8Array): Buffer {
    const end = sealed.length - BLOB_TAG_BYTES
    if (end < 0) throw damaged(index)
    const decipher = createDecipheriv(CIPHER, this.#key, this.#nonce(index), { authTagLength: BLOB_TAG_BYTES })
    decipher.setAuthTag(sealed.subarray(end))
    const plain = decipher.update(sealed.subarray(0, end))
    try {
      decipher.final()
    } catch (cause) {
      if (!mutant('chunk-unverified')) throw damaged(index, cause)
    }
    return plain
  }

  #nonce(index: number): Buffer {
    return chunkNonce(index, index === this.#lastIndex)
  }
}

const damaged = (index: number, cause?: unknown): ChatError =>
  new ChatError('BLOB_HASH', { message: `Part ${index} of the attachment does not verify`, details: { index }, cause })

/** The tag of a sealed chunk: equal tags under one key and place mean equal chunks. */
export const tagOf = (sealed: Uint8Array): Uint8Array => sealed.subarray(sealed.length - BLOB_TAG_BYTES)

/** Where an encrypted chunk lies in the blob of a file of `size` plain bytes: from inclusive, to exclusive. */
export const sealedRange = (index: number, size: number): { from: number; to: number } => ({
  from: index * SEALED_CHUNK_BYTES,
  to: Math.min((index + 1) * SEALED_CHUNK_BYTES, encryptedSize(size)),
})

/** The bytes of a stream in pieces of exactly `pieceBytes`; only the last may be shorter. One piece is held at a time. */
export async function* piecesOf(
  source: AsyncIterable<Uint8Array>,
  pieceBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let parts: Uint8Array[] = []
  let held = 0
  for await (const bytes of source) {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + pieceBytes - held)
      parts.push(part)
      held += part.length
      from += part.length
      if (held < pieceBytes) continue
      yield parts.length === 1 ? part : concat(...parts)
      parts = []
      held = 0
    }
  }
  if (held > 0) yield concat(...parts)
}
