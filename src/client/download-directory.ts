// Files that are being fetched, in the directory that the user chose, and nowhere else: hidden and private until they are whole, then
// under a name that was free. Links are never followed. What a file that was begun earlier holds is for the caller to verify.
import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError, hasSystemCode } from '../platform/file-error.ts'
import { makeDirectory } from '../platform/make-directory.ts'
import { ChatError } from '../protocol/errors.ts'
import { numberedFileName, safeFileName } from './safe-file-name.ts'

const PRIVATE = 0o600
/** So many files of one name are an accident. */
const MAX_NUMBER = 10_000
const READ_BYTES = 64 * 1024

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

/** What an attempt leaves that ended by itself; whoever goes on with it takes it by a name of its own. */
const leftName = (id: string): string => `.${id}.part`
const takenPath = (directory: string, id: string): string =>
  join(directory, `.${id}.${process.pid}-${randomBytes(4).toString('hex')}.part`)
const TAKEN = /^\.([0-9a-f]+)\.(\d+)-[0-9a-f]+\.part$/

/** Of a process that was killed; one of another user runs. */
const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return hasSystemCode(error, 'ESRCH')
  }
}

/** In a directory that others may write, someone may have put it there to read or change what we write. */
const isOurs = (found: Stats): boolean =>
  found.isFile() && found.nlink === 1 && found.uid === (process.getuid?.() ?? found.uid)

/** Parts of this blob that no process works on, the likeliest first. FILE_DENIED when what is there is somebody else's. */
const partsLeft = async (directory: string, id: string): Promise<string[]> => {
  const ended = join(directory, leftName(id))
  const killed = (await readdir(directory)).flatMap((name) => {
    const [, of, pid] = TAKEN.exec(name) ?? []
    return of === id && isGone(Number(pid)) ? [join(directory, name)] : []
  })
  const parts: string[] = []
  for (const path of [ended, ...killed]) {
    const found = await lstat(path).catch(() => undefined)
    if (found && isOurs(found)) parts.push(path)
    else if (found && path === ended) throw someoneElses(path)
  }
  return parts
}

/** The first that nobody else takes is ours from then on. False: there is none. */
const takeOne = async (parts: readonly string[], own: string): Promise<boolean> => {
  for (const path of parts) {
    try {
      await rename(path, own)
      return true
    } catch (cause) {
      if (!hasSystemCode(cause, 'ENOENT')) throw cause
    }
  }
  return false
}

const someoneElses = (path: string): ChatError =>
  new ChatError('FILE_DENIED', { message: `${path} belongs to someone else; remove it, or choose another --out` })

/** A file that is not whole yet. No two attempts write the same one, in whatever processes they are. */
export class PartFile {
  readonly #directory: string
  readonly #id: string
  readonly #path: string
  readonly #file: FileHandle
  #size: number
  #isFinished = false

  private constructor(of: { directory: string; id: string; path: string }, file: FileHandle, size: number) {
    this.#directory = of.directory
    this.#id = of.id
    this.#path = of.path
    this.#file = file
    this.#size = size
  }

  /** Goes on with what an earlier attempt left, unless another is at it: then anew. `id`: of the blob. */
  static async open(directory: string, id: string): Promise<PartFile> {
    const path = takenPath(directory, id)
    try {
      const isTaken = await takeOne(await partsLeft(directory, id), path)
      const how = isTaken ? 0 : constants.O_CREAT | constants.O_EXCL
      const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW | how, PRIVATE)
      const found = await file.stat()
      if (isOurs(found)) return new PartFile({ directory, id, path }, file, found.size)
      await file.close()
    } catch (cause) {
      throw fileError(path, cause)
    }
    throw someoneElses(path)
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

  /** Gives it a name like `name` that no file has, on disk; resolves with its path. What is left of other attempts goes. */
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
    await this.#removeLeft()
    return path
  }

  /** Nobody goes on with what other attempts left of it. */
  async #removeLeft(): Promise<void> {
    const parts = await partsLeft(this.#directory, this.#id).catch(() => []) // whatever it is, the file is there
    for (const part of parts) await rm(part, { force: true }).catch(() => {})
  }

  /** What there is of it stays for the next attempt, if anything. */
  async close(): Promise<void> {
    await this.#file.close()
    if (this.#isFinished) return
    if (this.#size === 0) await rm(this.#path, { force: true })
    else await rename(this.#path, join(this.#directory, leftName(this.#id))).catch(() => {}) // the directory went, or may not be written
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
