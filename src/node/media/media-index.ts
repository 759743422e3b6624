// What a media home knows besides the bytes: its blobs, their pins, uploads under way, its epoch. A small LevelDB; everything of one
// moment is one batch with one fsync, and memory (digests, usage) follows only what is on disk. A batch that failed leaves the handle
// broken: it is opened again, and until then nothing is promised.
import type { Clock, Database, DatabaseWrite, Disk, Logger, Marker } from '../../platform/ports.ts'
import { repeat } from '../../platform/timing.ts'
import { toMapKey } from '../../protocol/bytes.ts'
import { ChatError } from '../../protocol/errors.ts'
import { MediaDigests } from './media-digests.ts'
import {
  allBlobs,
  allUploads,
  type BlobFacts,
  hasFacts,
  isBlobRow,
  jsonValue,
  metaKey,
  openJsonValue,
  openPinValue,
} from './rows.ts'

/** syncing: pins may be missing here that others have; nothing is collected. */
export interface MediaFacts {
  epoch: number
  condition: 'up' | 'syncing'
}
/** Written with each batch: rows that are there, and the number of the batch, which the marker remembers beside the database. */
interface Counts {
  batch: number
  rows: number
}
export interface MediaIndexPorts {
  clock: Clock
  disk: Disk
  log: Logger
  /** True for the only home there is: it has nobody to ask for what it lacks. */
  isAlone: () => boolean
  reopenEveryMs: number
}

const DATABASE = 'media'
const FACTS = metaKey('facts')
const COUNTS = metaKey('counts')
const ROWS_PER_TURN = 5_000

interface Pending {
  writes: DatabaseWrite[]
  resolve: () => void
  reject: (error: unknown) => void
}

export class MediaIndex {
  readonly #ports: MediaIndexPorts
  #open: { database: Database; marker: Marker } | undefined
  #digests = new MediaDigests()
  #counts: Counts = { batch: 0, rows: 0 }
  #facts: MediaFacts = { epoch: 0, condition: 'syncing' }
  /** What they are once the disk has them. */
  #nextFacts = this.#facts
  #pending: Pending[] = []
  #isWriting = false
  #isReopening = false
  #signal: AbortSignal | undefined
  /** Rises each time the database is opened: what was compared with others before may be gone. */
  generation = 0

  constructor(ports: MediaIndexPorts) {
    this.#ports = ports
  }

  /** DATA_DIRECTORY; BLOB_FULL when something has to be mended and the disk is full. */
  async open(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    await this.#load()
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.database.close()
    open?.marker.close()
  }

  get isOpen(): boolean {
    return this.#open !== undefined
  }
  get digests(): MediaDigests {
    return this.#digests
  }
  /** As they are on disk: nothing is told by facts that a crash may take back. */
  get facts(): Readonly<MediaFacts> {
    return this.#facts
  }

  async saveFacts(change: Partial<MediaFacts>): Promise<void> {
    const facts = { ...this.#nextFacts, ...change }
    this.#nextFacts = facts
    await this.write([{ key: FACTS, value: jsonValue(FACTS, facts) }])
    this.#facts = facts
  }

  /** BLOB_FULL while it is being opened again. */
  get database(): Database {
    if (this.#open) return this.#open.database
    throw new ChatError('BLOB_FULL', { message: 'The media home is opening its database again; try again in a moment' })
  }

  json<T extends object>(row: Uint8Array): T | undefined {
    return openJsonValue<T>(row, this.database.get(row))
  }

  /** Resolves after fsync. What is written together is kept together. */
  write(writes: DatabaseWrite[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ writes, resolve, reject })
      if (!this.#isWriting) void this.#flush()
    })
  }

  async #flush(): Promise<void> {
    this.#isWriting = true
    while (this.#pending.length > 0) {
      const pending = this.#pending.splice(0)
      try {
        await this.#commit(pending.flatMap(({ writes }) => writes))
        for (const { resolve } of pending) resolve()
      } catch (error) {
        for (const { reject } of pending) reject(error)
      }
    }
    this.#isWriting = false
  }

  async #commit(writes: DatabaseWrite[]): Promise<void> {
    const { database } = this
    const changes = this.#changesOf(database, writes)
    const counts = { batch: this.#counts.batch + 1, rows: this.#counts.rows }
    for (const { key, old, value } of changes) if (isBlobRow(key)) counts.rows += Number(!!value) - Number(!!old)
    try {
      await database.batch([...writes, { key: COUNTS, value: jsonValue(COUNTS, counts) }], { sync: true })
      this.#open?.marker.write(counts.batch)
    } catch (cause) {
      this.#reopen()
      refuseFull(cause)
    }
    this.#counts = counts
    for (const change of changes) this.#apply(change)
  }

  /** What each written row was before: the last write of a row counts. */
  #changesOf(database: Database, writes: DatabaseWrite[]): Change[] {
    const last = new Map(writes.map((write) => [toMapKey(write.key), write]))
    return [...last.values()].map(({ key, value }) => ({ key, old: database.get(key), value }))
  }

  #apply({ key, old, value }: Change): void {
    const digests = this.#digests
    const isBlob = isBlobRow(key)
    if (isBlob && (old === undefined) !== (value === undefined)) digests.toggle(key)
    if (!hasFacts(key)) return
    const [before, after] = [openJsonValue<BlobFacts>(key, old), openJsonValue<BlobFacts>(key, value)]
    if (before) digests.removeUsage(before)
    if (after) digests.addUsage(after)
    if (!isBlob) return
    digests.blobs += Number(!!after) - Number(!!before)
    digests.bytes += (after?.size ?? 0) - (before?.size ?? 0)
  }

  async #load(): Promise<void> {
    const { disk, log, isAlone } = this.#ports
    const database = await disk.openDatabase(DATABASE)
    const marker = await disk.openMarker(DATABASE)
    this.#open = { database, marker }
    this.generation += 1
    this.#digests = new MediaDigests()
    const rows = await this.#scan(database)
    const counts = this.json<Counts>(COUNTS)
    const facts = this.json<MediaFacts>(FACTS)
    const marked = marker.read() ?? 0
    const isIntact = marked <= (counts?.batch ?? 0) && rows === (counts?.rows ?? 0)
    this.#counts = { batch: Math.max(marked, counts?.batch ?? 0), rows }
    if (!isIntact)
      log.error({ rows, counts, marked }, 'this media home has lost pins; it compares with the others first')
    // A new home that is alone is the first of a new cluster, and lacks nothing.
    const isNew = facts === undefined && isIntact
    const isSyncing = !isIntact || (isNew ? !isAlone() : facts?.condition !== 'up')
    this.#facts = { epoch: facts?.epoch ?? 0, condition: isSyncing ? 'syncing' : 'up' }
    this.#nextFacts = this.#facts
    if (facts?.condition !== this.#facts.condition || !isIntact) await this.saveFacts({})
  }

  /** Every row into memory; damaged ones are removed, and so found missing. How many blobs and pins. */
  async #scan(database: Database): Promise<number> {
    let rows = 0
    const damaged: DatabaseWrite[] = []
    for (const range of [allBlobs, allUploads]) {
      let next: { gt?: Uint8Array; gte?: Uint8Array; lt: Uint8Array } = range
      for (;;) {
        const page = await database.range({ ...next, limit: ROWS_PER_TURN })
        for (const [key, value] of page) {
          if ((hasFacts(key) ? openJsonValue(key, value) : openPinValue(key, value)) === undefined) {
            damaged.push({ key, value: undefined })
            continue
          }
          if (isBlobRow(key)) rows += 1
          this.#apply({ key, old: undefined, value })
        }
        const last = page.at(-1)
        if (page.length < ROWS_PER_TURN || !last) break
        next = { gt: last[0], lt: range.lt }
      }
    }
    if (damaged.length > 0) await database.batch(damaged, { sync: true }).catch(refuseFull)
    return rows
  }

  #reopen(): void {
    const { clock, log, disk, reopenEveryMs } = this.#ports
    if (this.#isReopening || !this.#signal) return
    this.#isReopening = true
    const done = new AbortController()
    const signal = AbortSignal.any([this.#signal, done.signal])
    const onError = (error: ChatError): void => log.warn({ error: error.message }, 'the media database stays closed')
    void repeat({ clock, everyMs: reopenEveryMs, signal, onError }, async () => {
      await this.close()
      if (disk.hasRoom && !(await disk.hasRoom())) return
      await this.#load()
      done.abort()
    }).finally(() => {
      this.#isReopening = false
    })
  }
}

const refuseFull = (cause: unknown): never => {
  throw new ChatError('BLOB_FULL', { cause })
}

interface Change {
  key: Uint8Array
  old: Uint8Array | undefined
  value: Uint8Array | undefined
}
