// When users were last there, of those who let it be seen: in memory and bounded; who is forgotten was last seen at no time.
import { LruMap } from '../../platform/lru-map.ts'
import type { Clock } from '../../platform/ports.ts'
import type { Lease } from '../../protocol/rpc.ts'

const MAX_REMEMBERED = 50_000

/** [user, there now, when last in ms] */
export type Presence = [user: string, online: boolean, lastSeen?: number]

export class LastSeen {
  readonly #clock: Clock
  readonly #seen = new LruMap<string, number>({ max: MAX_REMEMBERED })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A lease that might be shown has ended. */
  left(user: string): void {
    this.#seen.set(user, this.#clock.now())
  }

  presenceOf(user: string, leases: readonly Lease[]): Presence {
    if (leases.some(({ shown }) => shown === true)) return [user, true]
    const seen = this.#seen.get(user)
    return seen === undefined ? [user, false] : [user, false, seen]
  }
}
