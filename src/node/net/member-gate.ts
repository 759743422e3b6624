// Who may do what on this node's libp2p: members of the current map everything; strangers one hello, few at a time and
// few a second. libp2p's own protocols (identify, ping, the DHT) are guarded too: a stranger reads no addresses, puts no
// records and enters no routing table.
import type { Connection, ConnectionGater, PeerId, StreamHandler, Topology } from '@libp2p/interface'
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { ChatError } from '../../protocol/errors.ts'
import type { ClusterMap } from '../../protocol/cluster-map.ts'
import type { Clock } from '../../platform/ports.ts'
import type { DialVia } from './dial-via.ts'

type Registrar = KadDHTComponents['registrar']

/** New connections of strangers a second, in the long run and at once: each costs a handshake of 4 ms. */
const STRANGERS_PER_SECOND = 20
const STRANGER_BURST = 40

export class MemberGate {
  readonly #clock: Clock
  readonly #via: DialVia | undefined
  #members = new Set<string>()
  #tokens = STRANGER_BURST
  #countedAt: number

  constructor(clock: Clock, via?: DialVia) {
    this.#clock = clock
    this.#via = via
    this.#countedAt = clock.monotonic()
  }

  /** The peers that are members no longer. */
  use(map: ClusterMap): string[] {
    const before = this.#members
    this.#members = new Set(map.nodes.map((node) => node.peer))
    return [...before].filter((peer) => !this.#members.has(peer))
  }

  isMember(peer: string): boolean {
    return this.#members.has(peer)
  }

  /** Asked by libp2p; true denies. On the way in the peer's id is proven by then. */
  readonly gater: ConnectionGater = {
    denyDialPeer: (peer) => !this.isMember(peer.toString()),
    denyDialMultiaddr: (address) => this.#via !== undefined && !this.#via.allows(address.toString()),
    denyOutboundEncryptedConnection: (peer) => !this.isMember(peer.toString()),
    denyInboundEncryptedConnection: (peer) => !this.isMember(peer.toString()) && !this.#admitsStranger(),
  }

  /** Components for a libp2p service whose protocols are for members only. */
  guarded<Components extends { registrar: Registrar }>(components: Components): Components {
    // Inherits everything else: the components are a proxy that resolves them by name.
    return Object.create(components, {
      registrar: { value: this.#guardedRegistrar(components.registrar) },
    }) as Components
  }

  #guardedRegistrar(registrar: Registrar): Registrar {
    const guarded: Partial<Registrar> = {
      handle: (protocol, handler, options) => registrar.handle(protocol, this.#forMembers(handler), options),
      register: (protocol, topology, options) => registrar.register(protocol, this.#onlyMembers(topology), options),
      unhandle: (protocol, options) => registrar.unhandle(protocol, options),
      unregister: (id) => registrar.unregister(id),
    }
    return Object.assign(Object.create(registrar), guarded) as Registrar // the rest is inherited
  }

  #forMembers(handler: StreamHandler): StreamHandler {
    return (stream, connection) => {
      if (this.isMember(connection.remotePeer.toString())) return handler(stream, connection)
      stream.abort(new ChatError('PEER_DENIED'))
    }
  }

  #onlyMembers(topology: Topology): Topology {
    const onConnect = async (peer: PeerId, connection: Connection): Promise<void> => {
      if (this.isMember(peer.toString())) await topology.onConnect?.(peer, connection)
    }
    return { ...topology, onConnect }
  }

  #admitsStranger(): boolean {
    const now = this.#clock.monotonic()
    this.#tokens = Math.min(STRANGER_BURST, this.#tokens + ((now - this.#countedAt) / 1_000) * STRANGERS_PER_SECOND)
    this.#countedAt = now
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
