// How long a client stays with a gateway through which nothing can be stored: it may be on the wrong side of a partition, and others not.
// Where the whole cluster is without a quorum going elsewhere does not help, so each time it waits longer. Pure: the caller has the clock.
import type { ErrorCode } from '../protocol/errors.ts'

const FIRST_MS = 10_000
const LONGEST_MS = 300_000
/** Failures further apart than this have nothing to do with each other. */
const APART_MS = 15_000
const CODES: ReadonlySet<ErrorCode> = new Set(['QUORUM_UNAVAILABLE', 'OUTCOME_UNKNOWN'])

export class Patience {
  #ms = FIRST_MS
  #since = 0
  #last = -Infinity

  /** Something was. */
  stored(): void {
    this.#ms = FIRST_MS
    this.#last = -Infinity
  }

  /** A request was answered with this error; true when it is time to try another gateway. `now`: monotonic ms. */
  failed({ code }: { code: ErrorCode }, now: number): boolean {
    if (!CODES.has(code)) return false
    if (now - this.#last > APART_MS) this.#since = now
    this.#last = now
    if (now - this.#since < this.#ms) return false
    this.#ms = Math.min(LONGEST_MS, this.#ms * 2)
    this.#last = -Infinity
    return true
  }
}
