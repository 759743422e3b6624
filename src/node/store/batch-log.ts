// The home's proof that it lost nothing: each batch writes a key with its number, and the last durable number stands in the marker
// beside the database. LevelDB drops damaged parts of its log in silence; then numbers are missing here. Each key also says how many
// entries there are, so that one that somebody deleted is missed.

import type { Database, Marker } from '../../platform/ports.ts'
import type { Draft } from './commit-queue.ts'
import { allBatches, batchKey, numberOfKey } from './keys.ts'
import { batchValue, openBatchValue } from './values.ts'

/** Two write buffers of LevelDB (4 MiB each): what is older is in tables, which do not vanish with a log. */
const HISTORY_BYTES = 8 * 1024 * 1024

export interface BatchLogState {
  log: BatchLog
  /** Last feed number that a batch on disk speaks of. */
  lastNumber: number
  /** Entries that must be there. */
  entries: number
  /** False: batches that were durable are not there. */
  isIntact: boolean
}

export class BatchLog {
  #last: number
  #oldest: number
  #written = 0
  /** Batches whose keys are still there, with the bytes written up to their end. */
  readonly #history: { batch: number; end: number }[]

  private constructor(last: number, oldest: number) {
    this.#last = last
    this.#oldest = oldest
    this.#history = Array.from({ length: last - oldest + 1 }, (_, index) => ({ batch: oldest + index, end: 0 }))
  }

  static async load(database: Database, marker: Marker): Promise<BatchLogState> {
    const found: number[] = []
    let last = { number: 0, oldest: 1, entries: 0 }
    let isIntact = true
    for (const [key, bytes] of await database.range(allBatches)) {
      const value = openBatchValue(key, bytes)
      if (value) last = value
      else isIntact = false
      found.push(numberOfKey(key))
    }
    const newest = found.at(-1) ?? 0
    const expected = found.filter((batch) => batch >= last.oldest)
    if (newest > 0 && expected.length !== newest - last.oldest + 1) isIntact = false
    const marked = marker.read() ?? 0
    if (marked > newest) isIntact = false
    // Never a number again that a peer may have seen: what was lost keeps its numbers.
    const log = new BatchLog(
      Math.max(newest, marked),
      isIntact && newest > 0 ? last.oldest : Math.max(newest, marked) + 1,
    )
    return { log, lastNumber: last.number, entries: last.entries, isIntact }
  }

  /** The last durable batch. */
  get batch(): number {
    return this.#last
  }

  /** Adds the batch's own key and drops those that are old enough; the number of the batch. */
  stage(draft: Draft, { lastNumber, entries }: { lastNumber: number; entries: number }): number {
    const batch = this.#last + 1
    this.#written += draft.bytes
    this.#history.push({ batch, end: this.#written })
    let dropped = 0
    while (this.#written - (this.#history[dropped]?.end ?? Infinity) > HISTORY_BYTES) dropped += 1
    for (const { batch: old } of this.#history.splice(0, dropped)) draft.delete(batchKey(old))
    this.#oldest = this.#history[0]?.batch ?? batch
    const key = batchKey(batch)
    draft.put(key, batchValue(key, { number: lastNumber, oldest: this.#oldest, entries }))
    return batch
  }

  durable(batch: number): void {
    this.#last = batch
  }

  /** After a loss: as many batches as a peer saw count as given out. */
  skipTo(batch: number): void {
    this.#last = Math.max(this.#last, batch)
    this.#oldest = this.#last + 1
    this.#history.length = 0
  }
}
