// The leases one router holds: by gateway, since a lease lives exactly as long as its gateway's connection (plus a grace),
// and by user, since that is how they are asked for. Pure memory; knows no network and no time.
// Within a gateway's epoch a change with a lower sequence never replaces one with a higher.
import type { Lease, LeaseEntry } from '../../protocol/rpc.ts'

/** Ends of sessions that are remembered, so that a late bind does not bring one back. */
const MAX_ENDED = 1_000

interface GatewayLeases {
  epoch: number
  sessions: Map<string, LeaseEntry>
  /** Session -> sequence of its end; the oldest leave first. */
  ended: Map<string, number>
}

export class LeaseTable {
  readonly #gateways = new Map<string, GatewayLeases>()
  readonly #users = new Map<string, Lease[]>()
  readonly #onLeft: (user: string) => void
  #leases = 0

  /** `onLeft`: a lease of the user that may be shown is gone. */
  constructor({ onLeft = () => {} }: { onLeft?: (user: string) => void } = {}) {
    this.#onLeft = onLeft
  }

  /** Takes over what is newer; how many of these leases the table now holds. Of an older epoch: none. */
  bind(gateway: string, epoch: number, leases: readonly LeaseEntry[]): number {
    const held = this.#gatewayAt(gateway, epoch)
    if (!held) return 0
    let kept = 0
    for (const { user, session, capability, sequence, shown = false } of leases) {
      // A copy: what a transport hands over is a slice of a frame, and a lease is held for long.
      const lease = { user, session, capability: new Uint8Array(capability), sequence, shown }
      const known = held.sessions.get(lease.session)
      const isOld = lease.sequence < (known?.sequence ?? 0) || lease.sequence < (held.ended.get(lease.session) ?? 0)
      if (isOld) continue
      if (known) this.#removeOfUser(gateway, known)
      held.sessions.set(lease.session, lease)
      this.#addOfUser(gateway, lease)
      kept++
    }
    return kept
  }

  unbind(gateway: string, epoch: number, sessions: readonly { session: string; sequence: number }[]): void {
    const held = this.#gateways.get(gateway)
    if (held?.epoch !== epoch) return
    for (const { session, sequence } of sessions) {
      const known = held.sessions.get(session)
      if (known && known.sequence > sequence) continue
      if (known) {
        this.#removeOfUser(gateway, known)
        held.sessions.delete(session)
      }
      if (held.ended.size >= MAX_ENDED) held.ended.delete(held.ended.keys().next().value ?? '')
      held.ended.set(session, sequence)
    }
  }

  /** Forgets every lease of a gateway. */
  drop(gateway: string): void {
    for (const lease of this.#gateways.get(gateway)?.sessions.values() ?? []) this.#removeOfUser(gateway, lease)
    this.#gateways.delete(gateway)
  }

  lookup(user: string): Lease[] {
    return this.#users.get(user) ?? []
  }

  gateways(): string[] {
    return [...this.#gateways.keys()]
  }

  counts(): { gateways: number; users: number; leases: number } {
    return { gateways: this.#gateways.size, users: this.#users.size, leases: this.#leases }
  }

  /** The gateway's leases at this epoch; a higher epoch is a new process, so what the old one held is gone. */
  #gatewayAt(gateway: string, epoch: number): GatewayLeases | undefined {
    const held = this.#gateways.get(gateway)
    if (held?.epoch === epoch) return held
    if (held && held.epoch > epoch) return undefined
    this.drop(gateway)
    const made: GatewayLeases = { epoch, sessions: new Map(), ended: new Map() }
    this.#gateways.set(gateway, made)
    return made
  }

  #addOfUser(gateway: string, { user, session, capability, shown }: LeaseEntry): void {
    const leases = this.#users.get(user) ?? []
    this.#users.set(user, [...leases, { gateway, session, capability, ...(shown ? { shown } : {}) }])
    this.#leases++
  }

  #removeOfUser(gateway: string, { user, session, shown }: LeaseEntry): void {
    const left = this.lookup(user).filter((lease) => lease.gateway !== gateway || lease.session !== session)
    if (left.length === 0) this.#users.delete(user)
    else this.#users.set(user, left)
    this.#leases--
    if (shown) this.#onLeft(user)
  }
}
