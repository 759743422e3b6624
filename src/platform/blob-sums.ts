// The checksums that stand beside a blob: the size in 8 bytes, then a CRC-32 of each 64 KiB. With them a read is checked without the
// rest of the blob, and what a crash left of an unfinished one is known.
import { crc32 } from 'node:zlib'
import { isBlobId } from '../protocol/blob.ts'
import { ChatError } from '../protocol/errors.ts'

export const SUMMED_BYTES = 64 * 1024
const SIZE_BYTES = 8
const SUM_BYTES = 4

/** Everything that becomes a path or a key passes this. RPC_INVALID. */
export const assertBlobId = (id: string): void => {
  if (!isBlobId(id)) throw new ChatError('RPC_INVALID', { message: 'That is no id of a blob' })
}

/** Collects the sums of a blob as its bytes come. */
export class BlobSums {
  readonly size: number
  #sums: number[] = []
  #open = 0
  #openBytes = 0

  constructor(size: number) {
    this.size = size
  }

  /** Of bytes whose sum is known: the last one's may be that of the blob's short end. */
  get summedBytes(): number {
    return Math.min(this.size, this.#sums.length * SUMMED_BYTES)
  }

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + SUMMED_BYTES - this.#openBytes)
      this.#open = crc32(part, this.#open)
      this.#openBytes += part.length
      at += part.length
      const isEnd = this.#sums.length * SUMMED_BYTES + this.#openBytes === this.size
      if (this.#openBytes === SUMMED_BYTES || isEnd) this.#close()
    }
  }

  /** What stands beside the blob. */
  encode(): Buffer {
    const bytes = Buffer.alloc(SIZE_BYTES + this.#sums.length * SUM_BYTES)
    bytes.writeBigUInt64BE(BigInt(this.size), 0)
    for (const [index, sum] of this.#sums.entries()) bytes.writeUInt32BE(sum, SIZE_BYTES + index * SUM_BYTES)
    return bytes
  }

  #close(): void {
    this.#sums.push(this.#open)
    this.#open = 0
    this.#openBytes = 0
  }
}

/** The sums of a blob as they were read from beside it. */
export interface KnownSums {
  size: number
  /** How many. */
  count: number
  /** Are these the bytes of that 64 KiB? */
  fits(index: number, bytes: Uint8Array): boolean
}

/** undefined when nobody wrote that. */
export const decodeSums = (bytes: Buffer): KnownSums | undefined => {
  if (bytes.length < SIZE_BYTES) return undefined
  const size = Number(bytes.readBigUInt64BE(0))
  if (!Number.isSafeInteger(size)) return undefined
  const count = Math.min(Math.floor((bytes.length - SIZE_BYTES) / SUM_BYTES), Math.ceil(size / SUMMED_BYTES))
  const fits = (index: number, part: Uint8Array): boolean =>
    index < count && bytes.readUInt32BE(SIZE_BYTES + index * SUM_BYTES) === crc32(part)
  return { size, count, fits }
}

/** The range of whole 64 KiB around bytes of a blob. */
export const summedRange = (size: number, offset: number, length: number): { start: number; end: number } => ({
  start: Math.floor(offset / SUMMED_BYTES) * SUMMED_BYTES,
  end: Math.min(size, Math.ceil(Math.min(size, offset + length) / SUMMED_BYTES) * SUMMED_BYTES),
})

/** BLOB_HASH unless each 64 KiB of `bytes`, which begin at `start`, fits its sum. */
export const assertSums = (sums: KnownSums, start: number, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; at += SUMMED_BYTES) {
    if (sums.fits((start + at) / SUMMED_BYTES, bytes.subarray(at, at + SUMMED_BYTES))) continue
    throw new ChatError('BLOB_HASH', { message: 'Bytes of the blob were damaged on disk', details: { at: start + at } })
  }
}
