// A machine's simulated disk: databases and markers whose unsynced writes a power cut takes, that can be slow, full or damaged.
// A killed process loses nothing that was written (the page cache lives on); what was under way may or may not have happened.
import { MemoryBlobs } from '../../src/platform/memory-blobs.ts'
import type { BlobStore, Database, DatabaseWrite, Disk, KeyRange, Marker } from '../../src/platform/ports.ts'
import { blobDisk } from './blob-disk.ts'
import type { Life } from './life.ts'
import type { SeededRandom } from './random.ts'
import { SortedStore } from './sorted-store.ts'

interface Flight {
  writes: DatabaseWrite[]
  sync: boolean
}
interface StoredDatabase {
  store: SortedStore
  /** Batches handed in and not answered yet, oldest first. */
  flights: Flight[]
}
interface StoredMarker {
  /** Newest last; none is ever synced, so a power cut may take the newest ones. */
  writes: number[]
  isClean: boolean
}

export interface DiskTimes {
  readMs: number
  writeMs: number
  syncMs: number
  /** A stall of an fsync, now and then. */
  worstMs: number
}

type LatencyKind = 'readMs' | 'writeMs' | 'syncMs'
const MARKER_SLOTS = 2

export class SimDisk {
  readonly random: SeededRandom
  readonly times: DiskTimes
  /** Files of attachments, beside the databases. */
  readonly blobs = new MemoryBlobs()
  #slowness = 1
  /** The most that `slowness` ever was: what was handed in then may be in the queue for long. */
  slowest = 1
  #databases = new Map<string, StoredDatabase>()
  #markers = new Map<string, StoredMarker>()

  constructor(random: SeededRandom, times: DiskTimes) {
    this.random = random
    this.times = times
  }

  /** How many times slower than usual. */
  get slowness(): number {
    return this.#slowness
  }
  set slowness(times: number) {
    this.#slowness = times
    this.slowest = Math.max(this.slowest, times)
  }

  get isFull(): boolean {
    return this.blobs.full
  }
  set isFull(isFull: boolean) {
    this.blobs.full = isFull
  }

  /** The disk as one run of a process sees it. */
  for(life: Life): Disk {
    return {
      openDatabase: async (name) => {
        const stored = this.database(name)
        // LevelDB is open when all that its log held is in a synced table; on a full disk there is a reserve for that.
        stored.store.sync()
        return new SimDatabase(this, life, stored)
      },
      openMarker: async (name) => {
        const stored = this.#marker(name)
        const wasClean = stored.isClean
        stored.isClean = false
        return new SimMarker(life, stored, wasClean)
      },
      hasRoom: async () => !this.isFull,
    }
  }

  /** Files of attachments, as one run of a process sees them. */
  blobsFor(life: Life, onRemove: (id: string) => void): BlobStore {
    const settle = (kind: LatencyKind): Promise<void> =>
      new Promise((resolve) => void life.after(this.latency(kind), resolve))
    return blobDisk({ blobs: this.blobs, settle, onRemove })
  }

  latency(kind: LatencyKind): number {
    const { random, times, slowness } = this
    return slowness * (kind === 'syncMs' ? random.latency(times.syncMs, times.worstMs) : times[kind])
  }

  database(name: string): StoredDatabase {
    const known = this.#databases.get(name)
    if (known) return known
    const made = { store: new SortedStore(), flights: [] }
    this.#databases.set(name, made)
    return made
  }

  databases(): [string, SortedStore][] {
    return [...this.#databases].map(([name, { store }]) => [name, store])
  }

  #marker(name: string): StoredMarker {
    const known = this.#markers.get(name)
    if (known) return known
    const made = { writes: [], isClean: true }
    this.#markers.set(name, made)
    return made
  }

  /** kill -9: some of what was under way is in the page cache, and stays. */
  processDied(): void {
    for (const { store, flights } of this.#databases.values()) {
      for (const flight of flights.splice(0, this.random.between(0, flights.length))) store.apply(flight.writes, false)
      flights.splice(0)
    }
    this.blobs.crash()
  }

  /** The unsynced tail goes, from a point that nobody can foresee. */
  powerCut(): void {
    for (const { store, flights } of this.#databases.values()) {
      flights.splice(0)
      store.undoLast(this.random.between(0, store.unsyncedBatches()))
    }
    this.blobs.crash()
    for (const marker of this.#markers.values()) {
      const lost = this.random.between(0, marker.writes.length)
      marker.writes.splice(marker.writes.length - lost)
    }
  }

  /** What a bad disk does behind everybody's back: a wrong bit in a table, a lost piece of the log, or everything gone. */
  damage(how: 'bit' | 'log' | 'all'): void {
    if (how === 'all') return this.wipe()
    for (const { store } of this.#databases.values()) {
      if (how === 'bit') store.flipBit(this.random.float())
      else store.loseBatches(this.random.between(0, 5), this.random.between(1, 20))
    }
    if (how === 'bit')
      for (const [id, size] of this.blobs.wholes()) this.blobs.damage(id, this.random.between(0, size - 1))
  }

  wipe(): void {
    this.#databases = new Map()
    this.#markers = new Map()
    this.blobs.wipe()
  }
}

const ioError = (message: string): Error => Object.assign(new Error(message), { code: 'LEVEL_IO_ERROR' })

class SimDatabase implements Database {
  readonly #disk: SimDisk
  readonly #life: Life
  readonly #stored: StoredDatabase
  #lastWriteAt = 0
  #problem: string | undefined

  constructor(disk: SimDisk, life: Life, stored: StoredDatabase) {
    this.#disk = disk
    this.#life = life
    this.#stored = stored
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#assertOpen()
    return this.#stored.store.get(key)
  }

  range(range: KeyRange): Promise<[Uint8Array, Uint8Array][]> {
    this.#assertOpen()
    const found = this.#stored.store.range(range)
    return this.#later(this.#disk.latency('readMs'), () => found)
  }

  async keys(range: KeyRange): Promise<Uint8Array[]> {
    return (await this.range(range)).map(([key]) => key)
  }

  /** One after the other, in the order of the calls, as LevelDB writes. */
  batch(writes: DatabaseWrite[], { sync }: { sync: boolean }): Promise<void> {
    const flight = { writes, sync }
    this.#stored.flights.push(flight)
    const { now } = this.#life.scheduler
    const at = Math.max(this.#lastWriteAt, now + this.#disk.latency(sync ? 'syncMs' : 'writeMs'))
    this.#lastWriteAt = at
    return this.#later(at - now, () => {
      this.#stored.flights.splice(this.#stored.flights.indexOf(flight), 1)
      if (this.#disk.isFull) this.#problem ??= 'No space left on device'
      this.#assertOpen()
      this.#stored.store.apply(writes, sync)
    })
  }

  async close(): Promise<void> {
    this.#problem = 'Database is not open'
  }

  #assertOpen(): void {
    if (this.#problem !== undefined) throw ioError(this.#problem)
  }

  async #later<T>(ms: number, make: () => T): Promise<T> {
    await new Promise<void>((resolve) => this.#life.after(ms, resolve))
    return make()
  }
}

class SimMarker implements Marker {
  readonly #life: Life
  readonly #stored: StoredMarker
  readonly #wasClean: boolean

  constructor(life: Life, stored: StoredMarker, wasClean: boolean) {
    this.#life = life
    this.#stored = stored
    this.#wasClean = wasClean
  }

  read(): number | undefined {
    return this.#stored.writes.slice(-MARKER_SLOTS).reduce<number | undefined>((a, b) => Math.max(a ?? 0, b), undefined)
  }
  write(batch: number): void {
    if (this.#life.isDead) return
    this.#stored.writes.push(batch)
    if (this.#stored.writes.length > 8) this.#stored.writes.shift()
  }
  wasClosedCleanly(): boolean {
    return this.#wasClean
  }
  close(): void {
    if (!this.#life.isDead) this.#stored.isClean = true
  }
}
