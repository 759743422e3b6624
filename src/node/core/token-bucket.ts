// A token bucket: so many at once, so many a second in the long run. Takes the time as an argument; owns no clock.

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
