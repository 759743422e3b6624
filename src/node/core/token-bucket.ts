// A token bucket: so many at once, so many a second in the long run. Takes the time as an argument; owns no clock.
import { LruMap } from '../../platform/lru-map.ts'

export interface Rate {
  perSecond: number
  burst: number
}

export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #filledAt: number

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate
    this.#tokens = rate.burst
    this.#filledAt = nowMs
  }

  /** Takes `cost` tokens; false, and takes nothing, when there are too few. `nowMs` is monotonic. */
  take(cost: number, nowMs: number): boolean {
    const filled = this.#tokens + ((nowMs - this.#filledAt) * this.#rate.perSecond) / 1_000
    this.#tokens = Math.min(this.#rate.burst, filled)
    this.#filledAt = nowMs
    if (this.#tokens < cost) return false
    this.#tokens -= cost
    return true
  }
}

/** A bucket for each name, full when it is first taken from; of more than `max` the least recently used is forgotten. */
export class TokenBuckets {
  readonly #buckets: LruMap<string, TokenBucket>
  readonly #rate: Rate

  constructor(rate: Rate, { max }: { max: number }) {
    this.#rate = rate
    this.#buckets = new LruMap({ max })
  }

  /** As of the bucket of that name. */
  take(name: string, cost: number, nowMs: number): boolean {
    let bucket = this.#buckets.get(name)
    if (!bucket) this.#buckets.set(name, (bucket = new TokenBucket(this.#rate, nowMs)))
    return bucket.take(cost, nowMs)
  }
}
