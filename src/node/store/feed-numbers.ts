// Feed numbers: one ascending sequence for the whole home. A block of them is reserved in the same synced batch that first uses it,
// and after any stop counting goes on behind the block: no number is ever used for two records.

import { mutant } from '../../platform/mutants.ts'
import type { Database } from '../../platform/ports.ts'
import { metaKey } from './keys.ts'
import { metaValue, openMetaValue } from './values.ts'

/** Skipped at a restart at most. 2^48 numbers in all, so that is nothing. */
const BLOCK = 100_000
const KEY = metaKey('numbers')

export class FeedNumbers {
  #last: number
  #reserved: number
  #durable: number

  private constructor(reserved: number, durable: number) {
    this.#last = mutant('feed-number-reused') ? 0 : reserved
    this.#reserved = reserved
    this.#durable = durable
  }

  /** `inBatches`: the last number that the batches found on disk speak of. */
  static load(database: Database, inBatches: number): FeedNumbers {
    const reserved = openMetaValue(KEY, database.get(KEY))
    const floor = Math.max(inBatches, typeof reserved === 'number' ? reserved : 0)
    return new FeedNumbers(floor, inBatches)
  }

  /** The last number whose batch is on disk: feeds show nothing above it. */
  get durableNumber(): number {
    return this.#durable
  }

  take(): number {
    this.#last += 1
    return this.#last
  }

  /** Reserves a further block with the batch if it needs one; the last number taken so far. */
  stage(draft: { put(key: Buffer, value: Buffer): void }): number {
    if (this.#last > this.#reserved) {
      this.#reserved = this.#last + BLOCK
      draft.put(KEY, metaValue(KEY, this.#reserved))
    }
    return Math.max(this.#last, this.#durable)
  }

  durable(number: number): void {
    this.#durable = number
  }
}
