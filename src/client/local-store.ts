// The client's database as its parts see it: writes of one turn of the loop become one batch, batches follow one another,
// and what is not yet written is already read. A batch that fails is repeated, so that memory and disk never part.
import { toMapKey } from '../protocol/bytes.ts'
import type { Clock, Database, DatabaseWrite, KeyRange, Logger } from '../platform/ports.ts'

const RETRY_MS = 1_000
/** After this a disk that takes nothing keeps nobody from ending. */
const CLOSE_MS = 2_000

interface Group {
  writes: DatabaseWrite[]
  /** Something will be put by beforeWrite. */
  isExpected: boolean
  sync: boolean
  done: Promise<void>
  resolve: () => void
}
const newGroup = (): Group => {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { writes: [], isExpected: false, sync: false, done: promise, resolve }
}

export class LocalStore {
  readonly #database: Database
  readonly #clock: Clock
  readonly #log: Logger
  /** Written, but not yet in the database. */
  readonly #overlay = new Map<string, Uint8Array | undefined>()
  #group = newGroup()
  #last: Promise<void> = Promise.resolve()
  #isWriting = false
  #isScheduled = false
  #isClosed = false
  /** There when a closing store has tried long enough. */
  #giveUp: (() => void) | undefined
  #beforeWrite: () => void = () => {}
  /** Why the last batch failed; undefined when the disk takes writes. */
  problem: string | undefined

  constructor({ database, clock, log }: { database: Database; clock: Clock; log: Logger }) {
    this.#database = database
    this.#clock = clock
    this.#log = log
  }

  /** Called just before a batch is closed: the last chance to put what changed in memory. */
  set beforeWrite(call: () => void) {
    this.#beforeWrite = call
  }

  get(key: Uint8Array): Uint8Array | undefined {
    if (this.#overlay.size > 0) {
      const mapKey = toMapKey(key)
      if (this.#overlay.has(mapKey)) return this.#overlay.get(mapKey)
    }
    return this.#database.get(key)
  }

  has(key: Uint8Array): boolean {
    return this.get(key) !== undefined
  }

  /** Joins the batch of this turn; `undefined` deletes. */
  put(key: Uint8Array, value: Uint8Array | undefined): void {
    this.#group.writes.push({ key, value })
    this.#overlay.set(toMapKey(key), value)
    this.#schedule()
  }

  /** There will be something to put when `beforeWrite` is called. */
  expectWrite(): void {
    this.#group.isExpected = true
    this.#schedule()
  }

  /** Resolves when everything put so far is written; with `sync` after fsync. */
  commit({ sync }: { sync: boolean }): Promise<void> {
    if (!this.#hasWork() && !sync) return this.#last
    this.#group.sync ||= sync
    this.#schedule()
    return this.#group.done
  }

  async range(range: KeyRange): Promise<[Uint8Array, Uint8Array][]> {
    await this.commit({ sync: false })
    return this.#database.range(range)
  }

  /** What the disk does not take meanwhile is not written, and nobody who waits for it is told that it was. */
  async close(): Promise<void> {
    const givenUp = Promise.withResolvers<void>()
    const cancel = this.#clock.after(CLOSE_MS, () => {
      this.#giveUp = givenUp.resolve
    })
    await Promise.race([this.commit({ sync: true }), givenUp.promise])
    cancel()
    this.#isClosed = true
    await this.#database.close()
  }

  #hasWork(): boolean {
    return this.#group.writes.length > 0 || this.#group.sync || this.#group.isExpected
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isWriting) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#writeNext()
    })
  }

  #writeNext(): void {
    if (this.#isClosed) return
    this.#isWriting = true // first of all: what beforeWrite puts must not schedule another batch beside this one
    this.#beforeWrite()
    const group = this.#group
    this.#group = newGroup()
    this.#last = group.done
    void this.#write(group).then(() => {
      this.#isWriting = false
      group.resolve()
      if (this.#hasWork()) this.#schedule()
    })
  }

  async #write({ writes, sync }: Group): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#database.batch(writes, { sync })
        this.problem = undefined
        break
      } catch (error) {
        this.problem = `the profile cannot be written: ${error instanceof Error ? error.message : String(error)}`
        this.#log.error({ error: this.problem }, 'client database')
        this.#giveUp?.()
        if (this.#giveUp) return new Promise(() => {})
        await new Promise<void>((resolve) => this.#clock.after(RETRY_MS, resolve))
      }
    }
    for (const { key, value } of writes) {
      const mapKey = toMapKey(key)
      if (this.#overlay.get(mapKey) === value) this.#overlay.delete(mapKey)
    }
  }
}
