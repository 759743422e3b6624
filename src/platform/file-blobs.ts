// The BlobStore port in files: DIR/ab/ab12…, its checksums in ab12….sums beside it; `.part` marks what is unfinished.
// The rename of the data is what makes a blob whole; sums of a blob without data, and data without sums, mean nothing.
import { closeSync, existsSync, fsyncSync, openSync, statfsSync } from 'node:fs'
import { type FileHandle, open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isBlobId } from '../protocol/blob.ts'
import { ChatError } from '../protocol/errors.ts'
import { assertBlobId, assertSums, decodeSums, type KnownSums, summedRange } from './blob-sums.ts'
import { makeDirectory } from './make-directory.ts'
import type { BlobStore, UnfinishedBlob } from './ports.ts'
import { type BlobPaths, UnfinishedFile } from './unfinished-file.ts'

/** Room that blobs leave to the databases on the same disk: they take less than all of a small one. */
const RESERVE_BYTES = 256 * 1024 * 1024
const RESERVE_SHARE = 0.1
/** Blobs that are being read, each in many pieces. */
const MAX_OPEN = 32
const PART = '.part'

/** Blobs in the directory `dir`, made on first use. */
export const fileBlobs = (dir: string): BlobStore => new FileBlobs(dir)

interface OpenBlob {
  file: FileHandle
  sums: KnownSums
  readers: number
  isClosing: boolean
}

class FileBlobs implements BlobStore {
  readonly #dir: string
  readonly #writing = new Set<string>()
  /** Least recently used first. */
  readonly #reading = new Map<string, Promise<OpenBlob | undefined>>()

  constructor(dir: string) {
    this.#dir = dir
  }

  async begin(id: string, size: number): Promise<UnfinishedBlob> {
    const paths = this.#paths(id)
    this.#assertRoom(size)
    makeSynced(this.#dir, paths.dir)
    const onEnd = (isFinished: boolean): void => {
      this.#writing.delete(id)
      if (isFinished) this.#forget(id)
    }
    this.#writing.add(id)
    try {
      return await UnfinishedFile.open(paths, { id, size, onEnd, assertRoom: () => this.#assertRoom(0) })
    } catch (error) {
      this.#writing.delete(id)
      throw error
    }
  }

  async unfinished(): Promise<{ id: string; size: number }[]> {
    const names = (await this.#names()).filter((name) => name.endsWith(PART))
    const ids = names.map((name) => name.slice(0, -PART.length)).filter((id) => isBlobId(id) && !this.#writing.has(id))
    return Promise.all(
      ids.map(async (id) => {
        const sums = await readSums(this.#paths(id).partSums)
        return { id, size: sums?.size ?? 0 }
      }),
    )
  }

  async size(id: string): Promise<number | undefined> {
    const blob = await this.#open(id)
    if (!blob) return undefined
    try {
      if ((await blob.file.stat()).nlink > 0) return blob.sums.size
    } finally {
      this.#leave(blob)
    }
    // Somebody removed the file: what we still read of it is gone with the next start.
    this.#forget(id)
    return undefined
  }

  async read(id: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    const blob = await this.#open(id)
    if (!blob) return undefined
    try {
      const { start, end } = summedRange(blob.sums.size, offset, length)
      if (end <= start) return new Uint8Array(0)
      const bytes = Buffer.allocUnsafe(end - start)
      const { bytesRead } = await blob.file.read(bytes, 0, bytes.length, start)
      assertSums(blob.sums, start, bytes.subarray(0, bytesRead))
      if (bytesRead < bytes.length) throw damaged('The blob’s file is too short')
      return bytes.subarray(offset - start, Math.min(end, offset + length) - start)
    } catch (error) {
      throw error instanceof ChatError ? error : damaged('The blob’s file cannot be read', error)
    } finally {
      this.#leave(blob)
    }
  }

  async remove(id: string): Promise<void> {
    const { data, sums, part, partSums } = this.#paths(id)
    this.#forget(id)
    for (const path of [data, sums, part, partSums]) await rm(path, { force: true })
  }

  async list(): Promise<string[]> {
    return (await this.#names()).filter(isBlobId)
  }

  async #names(): Promise<string[]> {
    if (!existsSync(this.#dir)) return []
    const folders = (await readdir(this.#dir)).filter((name) => /^[0-9a-f]{2}$/.test(name))
    const names = await Promise.all(folders.map((folder) => readdir(join(this.#dir, folder))))
    return names.flat()
  }

  #paths(id: string): BlobPaths {
    assertBlobId(id)
    const dir = join(this.#dir, id.slice(0, 2))
    const data = join(dir, id)
    return { dir, data, sums: `${data}.sums`, part: `${data}${PART}`, partSums: `${data}${PART}.sums` }
  }

  #assertRoom(bytes: number): void {
    makeDirectory(this.#dir)
    const { bavail, blocks, bsize } = statfsSync(this.#dir)
    const reserve = Math.min(RESERVE_BYTES, blocks * bsize * RESERVE_SHARE)
    if (bavail * bsize - reserve < bytes) throw new ChatError('BLOB_FULL')
  }

  async #open(id: string): Promise<OpenBlob | undefined> {
    const paths = this.#paths(id)
    const opening = this.#reading.get(id) ?? openBlob(paths)
    this.#reading.delete(id)
    this.#reading.set(id, opening)
    for (const [oldest] of this.#reading) if (this.#reading.size > MAX_OPEN) this.#forget(oldest)
    try {
      const blob = await opening
      if (blob) blob.readers += 1
      else this.#reading.delete(id)
      return blob
    } catch (error) {
      this.#reading.delete(id)
      throw error
    }
  }

  #leave(blob: OpenBlob): void {
    blob.readers -= 1
    if (blob.isClosing && blob.readers === 0) void blob.file.close().catch(() => {})
  }

  /** The next reader opens it anew; those who read it now go on. */
  #forget(id: string): void {
    const opening = this.#reading.get(id)
    this.#reading.delete(id)
    void opening?.then(
      async (blob) => {
        if (!blob) return
        blob.isClosing = true
        if (blob.readers === 0) await blob.file.close()
      },
      () => {}, // it was never open
    )
  }
}

const damaged = (message: string, cause?: unknown): ChatError =>
  new ChatError('BLOB_HASH', { message, ...(cause === undefined ? {} : { cause }) })

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'

const openBlob = async ({ data, sums: path }: BlobPaths): Promise<OpenBlob | undefined> => {
  let file: FileHandle
  try {
    file = await open(data, 'r')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw damaged('The blob’s file cannot be opened', error)
  }
  const sums = await readSums(path)
  const { size } = await file.stat()
  if (sums && sums.size === size) return { file, sums, readers: 0, isClosing: false }
  await file.close()
  throw damaged('The blob’s file or its checksums are damaged')
}

const readSums = async (path: string): Promise<KnownSums | undefined> => {
  try {
    return decodeSums(await readFile(path))
  } catch {
    return undefined // as good as damaged
  }
}

/** The directories, and that they are there, survive a power cut. */
const makeSynced = (parent: string, dir: string): void => {
  if (existsSync(dir)) return
  makeDirectory(dir)
  const file = openSync(parent, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
