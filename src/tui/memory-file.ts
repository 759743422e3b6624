// The file of a profile with what memory.ts keeps: readable by its owner only, replaced as a whole, written beside the drawing.
// Two terminal clients of one profile share it: each writes what it changed and leaves the rest.
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { open, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { bounded, emptyMemory, joinMemory, type Memory, memoryText, parseMemory } from './memory.ts'

export const MEMORY_FILE = 'tui.json'
/** Bounded memory is far below; a larger file is not ours. */
const MAX_BYTES = 16 * 1024 * 1024
/** What a crash can cost of the typed text. */
const DELAY_MS = 200

export class MemoryFile {
  readonly #path: string
  /** As it was read or written last: what differs from it is ours. */
  #base: Memory = emptyMemory
  #wanted: Memory | undefined
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #count = 0
  /** The file as this process knows it, so that it is read again only when another one wrote. */
  #known: { ino: number; mtimeMs: number; memory: Memory } | undefined
  onError: (error: unknown) => void = () => {}

  constructor(directory: string) {
    this.#path = join(directory, MEMORY_FILE)
    process.on('exit', this.#writeAtExit)
  }

  /** Whether something was ever kept. */
  exists(): boolean {
    return existsSync(this.#path)
  }

  /** What was kept; a damaged file is put aside. */
  read(): Memory {
    this.#base = this.#stored()
    return this.#base
  }

  /** Soon, and once for many changes. */
  write(memory: Memory): void {
    this.#wanted = memory
    this.#timer ??= setTimeout(() => this.#flush(), DELAY_MS)
  }

  /** Everything is on disk then. */
  async close(): Promise<void> {
    this.#flush()
    await this.#writing
    process.off('exit', this.#writeAtExit)
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#writing.then(() => this.#replace()).catch((error: unknown) => this.onError(error))
  }

  #next(memory: Memory): { mine: Memory; joined: Memory; temporary: string } {
    const mine = bounded(memory)
    const joined = bounded(joinMemory({ base: this.#base, mine, other: this.#stored() }))
    this.#count += 1
    return { mine, joined, temporary: `${this.#path}.${process.pid}.${this.#count}.tmp` }
  }

  async #replace(): Promise<void> {
    const memory = this.#wanted
    if (!memory) return
    const { mine, joined, temporary } = this.#next(memory)
    try {
      const file = await open(temporary, 'wx', 0o600)
      try {
        await file.writeFile(memoryText(joined))
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, this.#path)
      // What others wrote is not shown here, and stays theirs: only our own part becomes the base.
      this.#base = mine
      // Until now an end of the program writes it.
      if (this.#wanted === memory) this.#wanted = undefined
      const { ino, mtimeMs } = await stat(this.#path)
      this.#known = { ino, mtimeMs, memory: joined }
    } catch (error) {
      await unlink(temporary).catch(() => {})
      throw error
    }
  }

  /** A crash leaves no turn for anything but this. */
  readonly #writeAtExit = (): void => {
    if (!this.#wanted) return
    try {
      const { joined, temporary } = this.#next(this.#wanted)
      writeFileSync(temporary, memoryText(joined), { mode: 0o600, flag: 'wx' })
      renameSync(temporary, this.#path)
    } catch {
      // Nobody is left to be told.
    }
  }

  #stored(): Memory {
    const file = statSync(this.#path, { throwIfNoEntry: false })
    if (!file) return emptyMemory
    const { ino, mtimeMs } = file
    if (this.#known?.ino === ino && this.#known.mtimeMs === mtimeMs) return this.#known.memory
    const memory = file.size > MAX_BYTES ? undefined : parseMemory(readFileSync(this.#path, 'utf8'))
    if (memory) {
      this.#known = { ino, mtimeMs, memory }
      return memory
    }
    renameSync(this.#path, `${this.#path}.damaged`)
    return emptyMemory
  }
}
