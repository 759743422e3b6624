// Group commit. What is staged in one turn of the loop becomes one batch with one fsync; while it is on its way the next collects.
// Nothing is acknowledged, numbered for readers or counted in a digest before its batch is durable. After a failed batch the
// queue is dead: everything that waited is told so, and the home is opened anew.

import { mutant } from '../../platform/mutants.ts'
import type { Clock, Database, DatabaseWrite, Marker } from '../../platform/ports.ts'
import { sleep } from '../../platform/timing.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { BatchLog } from './batch-log.ts'
import type { FeedNumbers } from './feed-numbers.ts'

/** What may wait for the disk: past it appends are refused, not queued without end. */
const MAX_QUEUED_BYTES = 32 * 1024 * 1024

/** An entry that a batch adds to a mailbox. */
export interface NewEntry {
  mailbox: string
  shard: number
  hour: number
  number: number
  recordKey: Buffer
  digest: Buffer
}
export interface RemovedEntry {
  shard: number
  hour: number
  digest: Buffer
}

/** A batch in the making. */
export class Draft {
  readonly writes: DatabaseWrite[] = []
  readonly added: NewEntry[] = []
  readonly removed: RemovedEntry[] = []
  /** Bodies and entries that it will write, by their keys as latin1. */
  readonly staged = new Set<string>()
  bytes = 0
  #settled: PromiseWithResolvers<void> | undefined

  get isAwaited(): boolean {
    return this.#settled !== undefined
  }

  get done(): Promise<void> {
    this.#settled ??= Promise.withResolvers<void>()
    return this.#settled.promise
  }

  put(key: Buffer, value: Buffer): void {
    this.bytes += key.length + value.length
    this.writes.push({ key, value })
  }

  delete(key: Buffer): void {
    this.writes.push({ key, value: undefined })
  }

  settle(error?: ChatError): void {
    if (error) this.#settled?.reject(error)
    else this.#settled?.resolve()
  }
}

export interface CommitPorts {
  clock: Clock
  database: Database
  marker: Marker
  batches: BatchLog
  numbers: FeedNumbers
  /** Entries in all durable batches. */
  countEntries: () => number
  /** Called in the order of the batches, after each fsync and before anybody who waited for it. */
  onDurable: (draft: Draft) => void
  /** Called once. */
  onFailed: (error: unknown) => void
}

export class CommitQueue {
  readonly #ports: CommitPorts
  #collecting = new Draft()
  #writing: Draft | undefined
  #running: Promise<void> | undefined
  #failure: ChatError | undefined

  constructor(ports: CommitPorts) {
    this.#ports = ports
  }

  /** Where the present turn stages its writes; call `commit` in the same turn. STORE_READ_ONLY, PEER_OVERLOADED. */
  draft(): Draft {
    const draft = this.urgentDraft()
    if (draft.bytes > MAX_QUEUED_BYTES) throw new ChatError('PEER_OVERLOADED')
    return draft
  }

  /** The same for the few bytes of a home's own facts, however much waits. STORE_READ_ONLY. */
  urgentDraft(): Draft {
    if (this.#failure) throw this.#failure
    return this.#collecting
  }

  /** Resolves when everything staged so far is durable. Never PEER_OVERLOADED: what is staged will be written. STORE_READ_ONLY. */
  commit(): Promise<void> {
    const { done } = this.urgentDraft()
    this.#running ??= this.#run()
    return mutant('ack-before-fsync') ? Promise.resolve() : done
  }

  /** True while a key is staged and not durable yet. */
  isStaged(key: string): boolean {
    return this.#collecting.staged.has(key) || (this.#writing?.staged.has(key) ?? false)
  }

  get queuedBytes(): number {
    return this.#collecting.bytes + (this.#writing?.bytes ?? 0)
  }

  /** Resolves when nothing is on its way any more; never rejects. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    // The first batch leaves at the end of this turn: what else the turn brings goes with it.
    await sleep(this.#ports.clock, 0)
    try {
      while (this.#collecting.isAwaited) {
        const draft = this.#collecting
        this.#collecting = new Draft()
        this.#writing = draft
        await this.#write(draft)
        this.#ports.onDurable(draft)
        draft.settle()
      }
    } catch (error) {
      this.#fail(error)
    }
    this.#writing = undefined
    this.#running = undefined
  }

  async #write(draft: Draft): Promise<void> {
    if (draft.writes.length === 0) return
    const { database, marker, batches, numbers, countEntries } = this.#ports
    const number = numbers.stage(draft)
    const entries = countEntries() + draft.added.length - draft.removed.length
    const batch = batches.stage(draft, { lastNumber: number, entries })
    await database.batch(draft.writes, { sync: !mutant('ack-before-fsync') })
    batches.durable(batch)
    numbers.durable(number)
    marker.write(batch)
  }

  #fail(cause: unknown): void {
    this.#failure = new ChatError('STORE_READ_ONLY', { cause })
    const failure = new ChatError('STORE_READ_ONLY', { cause, outcome: 'unknown' })
    this.#writing?.settle(failure)
    this.#collecting.settle(failure)
    this.#ports.onFailed(cause)
  }
}
