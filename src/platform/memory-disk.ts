// The Disk port in memory, with the faults of real ones: a crash loses what was not synced, a batch fails, the disk is full.
// The data outlive the handles, as files outlive processes: after `crash()` the old handles are dead and can be opened anew.

import { MemoryDatabase } from './memory-database.ts'
import type { Database, DatabaseWrite, Disk, KeyRange, Marker } from './ports.ts'

export interface MemoryDiskOptions {
  /** Delays the end of a batch, in the simulator by virtual time: the time of an fsync. */
  settle?: (sync: boolean) => Promise<void>
}
export interface CrashOptions {
  /** Only the process died: what it wrote without sync is in the system's cache and survives. */
  keepUnsynced?: boolean
}

export class MemoryDisk implements Disk {
  readonly #files = new Map<string, DiskFile>()
  readonly #markers = new Map<string, MarkerCell>()
  readonly #options: MemoryDiskOptions
  /** Every batch fails and leaves its handle broken, as long as this is set. */
  full = false
  #failing = 0

  constructor(options: MemoryDiskOptions = {}) {
    this.#options = options
  }

  async openDatabase(name: string): Promise<Database> {
    let file = this.#files.get(name)
    if (!file) this.#files.set(name, (file = { data: new MemoryDatabase(), undo: [], handle: undefined }))
    if (file.handle?.isOpen) throw new Error(`the database ${name} is open already`)
    file.handle = new DiskDatabase(file, this.#options.settle ?? (async () => {}), () => this.#takeFailure())
    return file.handle
  }

  async openMarker(name: string): Promise<Marker> {
    let cell = this.#markers.get(name)
    if (!cell) this.#markers.set(name, (cell = { batch: undefined, isClosed: true }))
    return openCell(cell)
  }

  async hasRoom(): Promise<boolean> {
    return !this.full
  }

  /** The next `count` batches are lost with an error; the handle is broken after the first. */
  failNextBatch(count = 1): void {
    this.#failing += count
  }

  /** The machine (or only the process) dies: open handles never answer again, unsynced writes are gone. */
  crash(options: CrashOptions = {}): void {
    for (const file of this.#files.values()) {
      file.handle?.kill()
      file.handle = undefined
      if (!options.keepUnsynced) for (const undo of file.undo.reverse()) file.data.apply(undo)
      file.undo = []
    }
  }

  /** Somebody replaced the disk: databases and markers are gone. */
  wipe(): void {
    this.crash()
    this.#files.clear()
    this.#markers.clear()
  }

  /** Changes data behind everybody's back, for tests of damage. */
  tamper(name: string, change: (data: MemoryDatabase) => void): void {
    const file = this.#files.get(name)
    if (file) change(file.data)
  }

  #takeFailure(): boolean {
    if (this.#failing > 0) {
      this.#failing -= 1
      return true
    }
    return this.full
  }
}

interface DiskFile {
  data: MemoryDatabase
  /** Undoes each batch that was not synced yet, oldest first. */
  undo: DatabaseWrite[][]
  handle: DiskDatabase | undefined
}

class DiskDatabase implements Database {
  readonly #file: DiskFile
  readonly #settle: (sync: boolean) => Promise<void>
  readonly #takeFailure: () => boolean
  #state: 'open' | 'broken' | 'closed' | 'dead' = 'open'

  constructor(file: DiskFile, settle: (sync: boolean) => Promise<void>, takeFailure: () => boolean) {
    this.#file = file
    this.#settle = settle
    this.#takeFailure = takeFailure
  }

  get isOpen(): boolean {
    return this.#state === 'open' || this.#state === 'broken'
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#assertOpen()
    return this.#file.data.get(key)
  }

  async range(range: KeyRange): Promise<[Uint8Array, Uint8Array][]> {
    this.#assertOpen()
    return this.#answer(await this.#file.data.range(range))
  }

  async keys(range: KeyRange): Promise<Uint8Array[]> {
    this.#assertOpen()
    return this.#answer(await this.#file.data.keys(range))
  }

  /** As in LevelDB readers see a synced batch only once it is on disk. */
  async batch(writes: DatabaseWrite[], { sync }: { sync: boolean }): Promise<void> {
    this.#assertOpen()
    await this.#answer(this.#settle(sync))
    if (this.#state === 'broken' || this.#takeFailure()) {
      this.#state = 'broken'
      throw new Error('LEVEL_IO_ERROR: No space left on device')
    }
    this.#assertOpen()
    const undo = this.#file.data.apply(writes)
    if (sync) this.#file.undo = []
    else this.#file.undo.push(undo)
  }

  async close(): Promise<void> {
    if (this.isOpen) this.#state = 'closed'
  }

  kill(): void {
    this.#state = 'dead'
  }

  /** What a dead process waits for never comes. */
  async #answer<T>(value: T | Promise<T>): Promise<T> {
    const result = await value
    return this.#state === 'dead' ? new Promise<never>(() => {}) : result
  }

  #assertOpen(): void {
    if (!this.isOpen) throw new Error('the database is not open')
  }
}

interface MarkerCell {
  batch: number | undefined
  isClosed: boolean
}
/** The marker is not synced but small and rewritten in place: a crash keeps the newest number or an older one. */
const openCell = (cell: MarkerCell): Marker => {
  const wasClean = cell.isClosed
  cell.isClosed = false
  return {
    read: () => cell.batch,
    write: (batch) => {
      cell.batch = batch
    },
    wasClosedCleanly: () => wasClean,
    close: () => {
      cell.isClosed = true
    },
  }
}
