// Writes the leases of this gateway's sessions to the routers nearest to each user, and moves them when routers come and go.
// What one turn binds goes to each router in one call, up to 1,000 a call, one call at a time.
import type { Clock, Logger } from '../../platform/ports.ts'
import { asChatError } from '../../protocol/errors.ts'
import { type LeaseEntry, routeBind, routeUnbind } from '../../protocol/rpc.ts'
import type { PeerTransport } from '../core/ports.ts'
import { LEASE_COPIES, type RouterRing } from './router-ring.ts'

const MAX_LEASES_PER_CALL = 1_000
/** Routers come and go in groups: one pass over all sessions serves them together. */
const REBIND_DELAY_MS = 50
const RETRY_MS = 1_000
const SESSIONS_PER_TURN = 1_000

interface Bound extends LeaseEntry {
  owners: string[]
  /** Called once: a router has it, or none can be asked. */
  settled: () => void
  waiting: number
}
interface Outgoing {
  binds: Bound[]
  unbinds: { user: string; session: string; sequence: number }[]
  isSending: boolean
}
export interface LeaseBinderPorts {
  transport: PeerTransport
  clock: Clock
  log: Logger
}

export class LeaseBinder {
  readonly #ports: LeaseBinderPorts
  readonly #ring: RouterRing
  /** Of this life of the gateway: what an earlier one bound gives way to it. */
  readonly #epoch: number
  readonly #sessions = new Map<string, Bound>()
  readonly #outgoing = new Map<string, Outgoing>()
  /** Routers that may have forgotten what they were told. */
  readonly #lost = new Set<string>()
  #sequence = 0
  #cancelRebind: (() => void) | undefined
  #isStopped = false

  constructor(ports: LeaseBinderPorts, ring: RouterRing) {
    this.#ports = ports
    this.#ring = ring
    this.#epoch = ports.clock.now()
  }

  /** Resolves when the first router has the lease, or when there is none to tell. A new capability binds again. */
  bind({ user, session, capability, shown }: Omit<LeaseEntry, 'sequence'>): Promise<void> {
    const owners = this.#ring.nearest(user, LEASE_COPIES)
    return new Promise((resolve) => {
      const sequence = ++this.#sequence
      const lease = { user, session, capability, sequence, ...(shown ? { shown } : {}) }
      const bound = { ...lease, owners, settled: resolve, waiting: owners.length }
      this.#sessions.get(session)?.settled()
      this.#sessions.set(session, bound)
      for (const router of owners) this.#toBind(router, bound)
      if (owners.length === 0) resolve()
    })
  }

  unbind(session: string): void {
    const bound = this.#sessions.get(session)
    if (!bound) return
    this.#sessions.delete(session)
    bound.settled()
    const sequence = ++this.#sequence
    for (const router of bound.owners) this.#outgoingTo(router).unbinds.push({ user: bound.user, session, sequence })
  }

  /** A router came or went, or the map changed. */
  routersChanged(lost?: string): void {
    if (lost !== undefined) this.#lost.add(lost)
    this.#ring.forget()
    this.#cancelRebind?.()
    this.#cancelRebind = undefined
    this.#rebindAfter(REBIND_DELAY_MS)
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelRebind?.()
  }

  status(): { leases: number; queued: number } {
    let queued = 0
    for (const { binds, unbinds } of this.#outgoing.values()) queued += binds.length + unbinds.length
    return { leases: this.#sessions.size, queued }
  }

  #rebindAfter(ms: number): void {
    if (this.#isStopped || this.#cancelRebind) return
    this.#cancelRebind = this.#ports.clock.after(ms, () => {
      this.#cancelRebind = undefined
      this.#rebind()
    })
  }

  /** Walks over all sessions, some each turn, so that clients are served meanwhile. Walks may overlap: each step stands for itself. */
  #rebind(): void {
    const lost = new Set(this.#lost)
    this.#lost.clear()
    const walk = this.#sessions.values()
    const step = (): void => {
      for (let i = 0; i < SESSIONS_PER_TURN; i++) {
        const { value, done } = walk.next()
        if (done || this.#isStopped) return
        this.#move(value, lost)
      }
      this.#ports.clock.after(0, step)
    }
    step()
  }

  #move(bound: Bound, lost: ReadonlySet<string>): void {
    const before = bound.owners.filter((router) => !lost.has(router))
    bound.owners = this.#ring.nearest(bound.user, LEASE_COPIES)
    for (const router of bound.owners) if (!before.includes(router)) this.#toBind(router, bound)
    const { user, session, sequence } = bound
    for (const router of before) {
      if (!bound.owners.includes(router)) this.#outgoingTo(router).unbinds.push({ user, session, sequence })
    }
  }

  #toBind(router: string, bound: Bound): void {
    this.#outgoingTo(router).binds.push(bound)
  }

  #outgoingTo(router: string): Outgoing {
    let outgoing = this.#outgoing.get(router)
    if (!outgoing) this.#outgoing.set(router, (outgoing = { binds: [], unbinds: [], isSending: false }))
    if (!outgoing.isSending) {
      outgoing.isSending = true
      const queue = outgoing
      this.#ports.clock.after(0, () => void this.#send(router, queue))
    }
    return outgoing
  }

  async #send(router: string, outgoing: Outgoing): Promise<void> {
    while (outgoing.binds.length + outgoing.unbinds.length > 0 && this.#ports.transport.isConnected(router)) {
      const binds = outgoing.binds.splice(0, MAX_LEASES_PER_CALL)
      await this.#sendBinds(router, binds)
      const sessions = outgoing.unbinds.splice(0)
      if (sessions.length > 0) {
        this.#ports.transport.notify(router, routeUnbind, { gatewayEpoch: this.#epoch, sessions })
      }
    }
    // What waits for a router that is gone goes to others by a re-bind.
    for (const bound of outgoing.binds) settleOne(bound)
    this.#outgoing.delete(router)
  }

  async #sendBinds(router: string, binds: Bound[]): Promise<void> {
    const current = binds.filter((bound) => this.#sessions.get(bound.session) === bound)
    if (current.length === 0) return
    const leases = current.map(({ owners: _owners, settled: _settled, waiting: _waiting, ...lease }) => lease)
    try {
      const { kept } = await this.#ports.transport.call(router, routeBind, { gatewayEpoch: this.#epoch, leases })
      if (kept === 0) this.#retry(router)
      for (const bound of current) bound.settled()
    } catch (error) {
      this.#ports.log.warn({ router, error: asChatError(error).message }, 'a router did not take leases')
      for (const bound of current) settleOne(bound)
      this.#retry(router)
    }
  }

  /** The router still holds an earlier life of this gateway, or did not answer: it is told everything again. */
  #retry(router: string): void {
    this.#lost.add(router)
    this.#rebindAfter(RETRY_MS)
  }
}

/** One router less to hope for; after the last one nobody waits any longer. */
const settleOne = (bound: Bound): void => {
  bound.waiting--
  if (bound.waiting <= 0) bound.settled()
}
