// A blob that is being written into its file. What a crash leaves is known by its sums: they are written after the data were synced,
// so that everything they cover is there; it is read once to go on with the hash.
import { createHash } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { toHex } from '../protocol/bytes.ts'
import { ChatError } from '../protocol/errors.ts'
import { BlobSums, decodeSums, SUMMED_BYTES } from './blob-sums.ts'
import type { UnfinishedBlob } from './ports.ts'

export interface BlobPaths {
  dir: string
  data: string
  sums: string
  part: string
  partSums: string
}
export interface UnfinishedOptions {
  id: string
  size: number
  /** Called once, when it is not open any more. */
  onEnd: (isFinished: boolean) => void
  /** BLOB_FULL. */
  assertRoom: () => void
}

const FILE_MODE = 0o600
/** Read at once when an unfinished one is gone on with. */
const READ_BYTES = 16 * SUMMED_BYTES
/** Between two looks at the room that is left. */
const LOOK_BYTES = 8 * 1024 * 1024

export class UnfinishedFile implements UnfinishedBlob {
  readonly #paths: BlobPaths
  readonly #options: UnfinishedOptions
  readonly #data: FileHandle
  readonly #sumsFile: FileHandle
  readonly #hash = createHash('sha256')
  readonly #sums: BlobSums
  #written = 0
  #durable = 0
  #lookAt = LOOK_BYTES
  #isOpen = true

  private constructor(paths: BlobPaths, options: UnfinishedOptions, files: { data: FileHandle; sums: FileHandle }) {
    this.#paths = paths
    this.#options = options
    this.#data = files.data
    this.#sumsFile = files.sums
    this.#sums = new BlobSums(options.size)
  }

  static async open(paths: BlobPaths, options: UnfinishedOptions): Promise<UnfinishedFile> {
    const data = await openFile(paths.part)
    const sums = await openFile(paths.partSums)
    const blob = new UnfinishedFile(paths, options, { data, sums })
    try {
      await blob.#goOn()
      await syncDirectory(paths.dir)
    } catch (error) {
      return blob.#failed(error)
    }
    return blob
  }

  get size(): number {
    return this.#options.size
  }
  get written(): number {
    return this.#written
  }
  get durable(): number {
    return this.#durable
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (this.#written + bytes.length > this.size)
      throw new ChatError('RPC_INVALID', { message: 'Beyond the blob’s end' })
    try {
      if (this.#written >= this.#lookAt) {
        this.#options.assertRoom()
        this.#lookAt = this.#written + LOOK_BYTES
      }
      await writeAll(this.#data, bytes, this.#written)
    } catch (error) {
      return this.#failed(error)
    }
    this.#take(bytes)
  }

  async sync(): Promise<void> {
    const { summedBytes } = this.#sums
    if (summedBytes === this.#durable) return
    const encoded = this.#sums.encode()
    try {
      await this.#data.datasync()
      await writeAll(this.#sumsFile, encoded, 0)
      await this.#sumsFile.datasync()
    } catch (error) {
      return this.#failed(error)
    }
    this.#durable = summedBytes
  }

  async finish(): Promise<void> {
    if (this.#written < this.size) throw new ChatError('BLOB_INCOMPLETE', { details: { offset: this.#written } })
    if (toHex(this.#hash.digest()) !== this.#options.id) return this.#failed(new ChatError('BLOB_HASH'))
    await this.sync()
    const { part, partSums, data, sums, dir } = this.#paths
    try {
      await rename(partSums, sums)
      await rename(part, data)
      await syncDirectory(dir)
    } catch (error) {
      return this.#failed(error)
    }
    await this.#end(true)
  }

  async close(): Promise<void> {
    if (this.#isOpen) await this.#end(false)
  }

  /** What sums cover is verified, hashed and kept; the rest is written again. */
  async #goOn(): Promise<void> {
    const { size: bytes } = await this.#sumsFile.stat()
    const encoded = Buffer.alloc(bytes)
    await this.#sumsFile.read(encoded, 0, bytes, 0)
    const known = decodeSums(encoded)
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    const covered = known?.size === this.size ? Math.min(this.size, known.count * SUMMED_BYTES) : 0
    read: while (known && this.#written < covered) {
      const wanted = Math.min(READ_BYTES, covered - this.#written)
      const { bytesRead } = await this.#data.read(buffer, 0, wanted, this.#written)
      for (let at = 0; at < bytesRead; at += SUMMED_BYTES) {
        const chunk = buffer.subarray(at, Math.min(bytesRead, at + SUMMED_BYTES))
        if (!known.fits(this.#written / SUMMED_BYTES, chunk)) break read
        this.#take(chunk)
      }
      if (bytesRead < wanted) break
    }
    this.#durable = this.#written
    await this.#data.truncate(this.#written)
    await this.#sumsFile.truncate(0)
    const kept = this.#sums.encode()
    await writeAll(this.#sumsFile, kept, 0)
    await this.#sumsFile.datasync()
  }

  #take(bytes: Uint8Array): void {
    this.#hash.update(bytes)
    this.#sums.update(bytes)
    this.#written += bytes.length
  }

  /** Nothing of it stays: a disk that is full gets its room back, and bytes of which nobody knows are of no use. */
  async #failed(error: unknown): Promise<never> {
    await this.#end(false)
    await rm(this.#paths.part, { force: true })
    await rm(this.#paths.partSums, { force: true })
    throw asFull(error)
  }

  async #end(isFinished: boolean): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await Promise.allSettled([this.#data.close(), this.#sumsFile.close()])
    this.#options.onEnd(isFinished)
  }
}

/** All of it: on a full disk a write may take less and call it success, and only the next one fails. */
const writeAll = async (file: FileHandle, bytes: Uint8Array, position: number): Promise<void> => {
  for (let at = 0; at < bytes.length; ) {
    at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten
  }
}

/** BLOB_FULL for the system's words for it, anything else as it is. */
const asFull = (error: unknown): unknown => {
  const isFull = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
  return isFull ? new ChatError('BLOB_FULL', { cause: error }) : error
}

/** For reading and writing, with what is in it; an empty one when there is none. */
const openFile = async (path: string): Promise<FileHandle> => {
  try {
    return await open(path, 'r+')
  } catch {
    return open(path, 'w+', FILE_MODE).catch((error: unknown) => {
      throw asFull(error)
    })
  }
}

const syncDirectory = async (dir: string): Promise<void> => {
  const file = await open(dir, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
