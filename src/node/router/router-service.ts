// The user-to-gateway map: keeps the leases that gateways bind here and answers who is where.
// Routes are hints: a wrong one makes a message late, never lost. Nothing here is on disk, and nothing is refreshed user by user.
import type { Clock, Logger } from '../../platform/ports.ts'
import { nodeOf } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { routeBind, routeLookup, routePresence, routeUnbind } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import type { Service } from '../core/service.ts'
import { LastSeen } from './last-seen.ts'
import { LeaseTable } from './lease-table.ts'

/** Leases in one call: what a gateway sends at once when it binds in bulk. */
const MAX_LEASES_PER_CALL = 1_000

export interface RouterPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  log: Logger
}

export interface RouterStatus {
  gateways: number
  users: number
  leases: number
  lookups: number
}

export class RouterService implements Service {
  readonly name = 'router'
  readonly #ports: RouterPorts
  readonly #lastSeen: LastSeen
  readonly #table: LeaseTable
  /** Gateways whose connection ended, with what cancels the end of their grace. */
  readonly #graces = new Map<string, () => void>()
  #lookups = 0
  #isStopped = false

  constructor(ports: RouterPorts) {
    this.#ports = ports
    this.#lastSeen = new LastSeen(ports.clock)
    this.#table = new LeaseTable({ onLeft: (user) => this.#lastSeen.left(user) })
  }

  start(): void {
    const { transport, view } = this.#ports
    transport.handle(routeBind, ({ gatewayEpoch, leases }, from) => {
      this.#mustBeGateway(from)
      if (leases.length > MAX_LEASES_PER_CALL)
        throw new ChatError('RPC_INVALID', { message: 'Too many leases at once' })
      return { kept: this.#table.bind(from, gatewayEpoch, leases) }
    })
    transport.handle(routeUnbind, ({ gatewayEpoch, sessions }, from) => {
      this.#mustBeGateway(from)
      this.#table.unbind(from, gatewayEpoch, sessions)
    })
    transport.handle(routeLookup, ({ user }) => {
      this.#lookups++
      return { leases: this.#table.lookup(user) }
    })
    transport.handle(routePresence, ({ users }, from) => {
      this.#mustBeGateway(from)
      if (users.length > MAX_LEASES_PER_CALL) throw new ChatError('RPC_INVALID', { message: 'Too many users at once' })
      return { users: users.map((user) => this.#lastSeen.presenceOf(user, this.#table.lookup(user))) }
    })
    transport.onPeerChange((peer, connected) => this.#peerChanged(peer, connected))
    view.watch(() => this.#dropStrangers())
  }

  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#graces.values()) cancel()
    this.#graces.clear()
  }

  status(): RouterStatus {
    return { ...this.#table.counts(), lookups: this.#lookups }
  }

  #isGateway(peer: string): boolean {
    return nodeOf(this.#ports.view.current().map, peer)?.roles.includes('gateway') ?? false
  }

  #mustBeGateway(peer: string): void {
    if (!this.#isGateway(peer))
      throw new ChatError('PEER_DENIED', { message: 'Only gateways hold leases and ask who is there' })
  }

  /** A lease lives while its gateway's connection does, and a grace longer: a short cut of the link changes nothing. */
  #peerChanged(peer: string, connected: boolean): void {
    this.#graces.get(peer)?.()
    this.#graces.delete(peer)
    if (connected || this.#isStopped) return
    const cancel = this.#ports.clock.after(limits.leaseGraceMs, () => {
      this.#graces.delete(peer)
      this.#table.drop(peer)
    })
    this.#graces.set(peer, cancel)
  }

  #dropStrangers(): void {
    for (const peer of this.#table.gateways()) if (!this.#isGateway(peer)) this.#table.drop(peer)
  }
}
