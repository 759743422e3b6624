// Every session of this gateway, by user; and one rate limit per device, which its sessions share.
import type { Clock } from '../../platform/ports.ts'
import { limits } from '../../protocol/limits.ts'
import type { Identity, Session } from './session.ts'
import { type Rate, TokenBucket } from '../core/token-bucket.ts'

export class SessionTable {
  readonly #clock: Clock
  readonly #rate: Rate
  readonly #all = new Set<Session>()
  readonly #byUser = new Map<string, Session[]>()

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock
    this.#rate = rate
  }

  add(session: Session): void {
    this.#all.add(session)
  }

  /** The socket has proved who it is; from now on it is found by its user. The oldest session of a device that has too many is returned. */
  authenticate(session: Session, identity: Identity): Session | undefined {
    const others = this.ofUser(identity.user)
    const sameDevice = others.filter((other) => other.identity.device === identity.device)
    session.bucket = sameDevice[0]?.bucket ?? new TokenBucket(this.#rate, this.#clock.monotonic())
    session.authenticate(identity)
    this.#byUser.set(identity.user, [...others, session])
    return sameDevice.length < limits.maxSessionsPerDevice ? undefined : sameDevice[0]
  }

  remove(session: Session): void {
    this.#all.delete(session)
    if (!session.isAuthenticated) return
    const { user } = session.identity
    const left = this.ofUser(user).filter((other) => other !== session)
    if (left.length === 0) this.#byUser.delete(user)
    else this.#byUser.set(user, left)
  }

  /** Its authenticated sessions here. */
  ofUser(user: string): readonly Session[] {
    return this.#byUser.get(user) ?? []
  }

  all(): Session[] {
    return [...this.#all]
  }

  authenticated(): Session[] {
    return [...this.#byUser.values()].flat()
  }

  counts(): { sockets: number; sessions: number; users: number; inFlight: number } {
    let sessions = 0
    let inFlight = 0
    for (const session of this.#all) {
      if (session.isAuthenticated) sessions++
      inFlight += session.inFlight
    }
    return { sockets: this.#all.size, sessions, users: this.#byUser.size, inFlight }
  }
}
