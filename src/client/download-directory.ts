// Files that are being fetched, in the directory that the user chose, and nowhere else: hidden and private until they are whole, then
// under a name that was free. Links are never followed. What a file that was begun earlier holds is for the caller to verify.
import { constants } from 'node:fs'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDirectory } from '../platform/make-directory.ts'
import { ChatError } from '../protocol/errors.ts'
import { numberedFileName, safeFileName } from './safe-file-name.ts'

const PRIVATE = 0o600
/** So many files of one name are an accident. */
const MAX_NUMBER = 10_000
const READ_BYTES = 64 * 1024

const hasSystemCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))

/** What a system's error about a file means to a user. */
export const fileError = (path: string, cause: unknown): ChatError => {
  if (cause instanceof ChatError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  const code = hasSystemCode(cause, 'ENOENT', 'ENOTDIR')
    ? 'FILE_UNKNOWN'
    : hasSystemCode(cause, 'EACCES', 'EPERM', 'EROFS', 'ELOOP')
      ? 'FILE_DENIED'
      : 'DATA_DIRECTORY'
  return new ChatError(code, { message: `${path} cannot be used (${reason})`, cause })
}

/** Makes it when it is not there. USAGE for a file. */
export const openDownloadDirectory = async (path: string): Promise<void> => {
  try {
    makeDirectory(path)
    if ((await stat(path)).isDirectory()) return
  } catch (cause) {
    throw fileError(path, cause)
  }
  throw new ChatError('USAGE', { message: `${path} is a file; name a directory with --out` })
}

/** A file that is not whole yet. */
export class PartFile {
  readonly #directory: string
  readonly #path: string
  readonly #file: FileHandle
  #size: number
  #isFinished = false

  private constructor(directory: string, path: string, file: FileHandle, size: number) {
    this.#directory = directory
    this.#path = path
    this.#file = file
    this.#size = size
  }

  /** Goes on with what an earlier attempt left. `id`: of the blob. */
  static async open(directory: string, id: string): Promise<PartFile> {
    const path = join(directory, `.${id}.part`)
    try {
      const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, PRIVATE)
      const found = await file.stat()
      // In a directory that others may write, someone may have put it there to read or change what we write.
      const isOurs = found.isFile() && found.nlink === 1 && found.uid === (process.getuid?.() ?? found.uid)
      if (isOurs) return new PartFile(directory, path, file, found.size)
      await file.close()
    } catch (cause) {
      throw fileError(path, cause)
    }
    throw new ChatError('FILE_DENIED', {
      message: `${path} belongs to someone else; remove it, or choose another --out`,
    })
  }

  get size(): number {
    return this.#size
  }

  /** What is there. */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let position = 0; position < this.#size; ) {
      const length = Math.min(READ_BYTES, this.#size - position)
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(length), 0, length, position)
      if (bytesRead === 0) return
      position += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }

  async truncate(size: number): Promise<void> {
    await this.#file.truncate(size)
    this.#size = size
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let from = 0; from < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, from, bytes.length - from, this.#size)
        from += bytesWritten
        this.#size += bytesWritten
      }
    } catch (cause) {
      throw fileError(this.#path, cause)
    }
  }

  /** Gives it a name like `name` that no file has, on disk; resolves with its path. */
  async finish(name: string): Promise<string> {
    await this.#file.sync()
    const path = await reserve(this.#directory, safeFileName(name))
    try {
      await rename(this.#path, path) // over the empty file that is ours; a link put there meanwhile is replaced, not followed
    } catch (cause) {
      await rm(path, { force: true })
      throw fileError(path, cause)
    }
    this.#isFinished = true
    return path
  }

  /** What there is of it stays for the next attempt, if anything. */
  async close(): Promise<void> {
    await this.#file.close()
    if (this.#size === 0 && !this.#isFinished) await rm(this.#path, { force: true })
  }
}

/** Makes an empty file under the first name that is free. */
const reserve = async (directory: string, name: string): Promise<string> => {
  for (let n = 0; n < MAX_NUMBER; n += 1) {
    const path = join(directory, numberedFileName(name, n))
    try {
      await (await open(path, 'wx', PRIVATE)).close()
      return path
    } catch (cause) {
      if (!hasSystemCode(cause, 'EEXIST')) throw fileError(path, cause)
    }
  }
  throw new ChatError('DATA_DIRECTORY', { message: `${directory} holds too many files named like ${name}` })
}
