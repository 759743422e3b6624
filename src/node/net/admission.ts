// How peers come in and go out: hello on every new connection, streams only between members of the current map, and an end
// for connections of strangers, of removed members, and of nobody's use.
import type { Connection, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { MapNode } from '../../protocol/cluster-map.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import type { RpcStream as RpcStreamKind } from '../../protocol/rpc.ts'
import type { Logger } from '../../platform/ports.ts'
import type { ClusterView } from '../core/ports.ts'
import type { DialVia } from './dial-via.ts'
import { answerHello, HELLO_MS, HELLO_PROTOCOL, sayHello } from './hello.ts'
import { type ChatdLibp2p, DIAL_MS } from './libp2p-node.ts'
import type { MemberGate } from './member-gate.ts'
import { type PeerLinks, RPC_PROTOCOLS, rpcKinds, STREAM_LIMITS } from './peer-links.ts'

/** A connection that carries no link ends after this: a stranger's, or the second of two that crossed. */
const UNUSED_MS = 3_000

export interface AdmissionOptions {
  self: string
  node: ChatdLibp2p
  view: ClusterView
  gate: MemberGate
  links: PeerLinks
  via: DialVia | undefined
  log: Logger
}

export class Admission {
  readonly #options: AdmissionOptions
  /** Connections that this side opened: its hello on them; true = both are members by the newer map. */
  readonly #greetings = new WeakMap<Connection, Promise<boolean>>()

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** Registers the protocols; to be called before the node starts. */
  async serve(): Promise<void> {
    const { node, gate } = this.#options
    node.addEventListener('connection:open', ({ detail }) => {
      if (detail.direction === 'outbound') void this.#greet(detail).catch(() => {}) // logged where it failed
    })
    node.addEventListener('peer:disconnect', ({ detail }) => {
      if (!gate.isMember(detail.toString())) this.#forget(detail.toString())
    })
    await node.handle(HELLO_PROTOCOL, (stream, connection) => this.#answerHello(stream, connection), STREAM_LIMITS)
    for (const kind of rpcKinds) {
      await node.handle(
        RPC_PROTOCOLS[kind],
        (stream, connection) => this.#accept(kind, stream, connection),
        STREAM_LIMITS,
      )
    }
  }

  /** Rejects when the peer cannot be reached, or lets us not in. */
  async dial({ peer, name, addresses }: MapNode): Promise<void> {
    const { node, via, links } = this.#options
    const targets = (via?.addressesOf(name) ?? addresses).map((address) => multiaddr(`${address}/p2p/${peer}`))
    if (targets.length === 0) throw new ChatError('PEER_UNREACHABLE') // with no address libp2p would look for one itself
    const connection = await node.dial(targets, { signal: AbortSignal.timeout(DIAL_MS) })
    if (connection.direction === 'inbound') await links.open(connection)
    else if (!(await this.#greet(connection))) throw new ChatError('PEER_DENIED')
  }

  /**
   * Members that a new map does not have lose their links and their places in the routing table. A connection without a
   * link stays for the moment: its hello may be what brought the map, and gets its answer; closeUnused ends it.
   */
  expel(peers: string[]): void {
    this.#options.links.endWhere((peer) => peers.includes(peer), new ChatError('PEER_DENIED'))
    for (const peer of peers) this.#forget(peer)
  }

  /** Called every second. */
  closeUnused(): void {
    const { node, links } = this.#options
    for (const connection of node.getConnections()) {
      const isOld = Date.now() - connection.timeline.open > UNUSED_MS
      if (isOld && !links.uses(connection)) connection.abort(new ChatError('PEER_DENIED'))
    }
  }

  #forget(peer: string): void {
    const { node } = this.#options
    const id = peerIdFromString(peer)
    const ignore = (): void => {} // it was not there
    void node.services.dht.routingTable.remove(id).catch(ignore)
    void node.peerStore.delete(id).catch(ignore)
  }

  /** Hello on a connection that this side opened, once. */
  #greet(connection: Connection): Promise<boolean> {
    const known = this.#greetings.get(connection)
    if (known) return known
    const greeting = this.#sayHello(connection)
    this.#greetings.set(connection, greeting)
    return greeting
  }

  async #sayHello(connection: Connection): Promise<boolean> {
    const { view, links, log } = this.#options
    try {
      await sayHello(await connection.newStream(HELLO_PROTOCOL, { signal: AbortSignal.timeout(HELLO_MS) }), view)
    } catch (error) {
      log.debug(
        { peer: connection.remotePeer.toString(), error: asChatError(error).message },
        'a peer did not answer hello',
      )
      connection.abort(asChatError(error))
      throw error
    }
    if (!this.#isAdmitted(connection)) {
      await connection.close().catch(() => connection.abort(new ChatError('PEER_DENIED')))
      return false
    }
    void links.open(connection)
    return true
  }

  async #answerHello(stream: Stream, connection: Connection): Promise<void> {
    const { view, links, log } = this.#options
    const isDone = await answerHello(stream, view, log)
    if (!isDone) connection.abort(new ChatError('PEER_DENIED'))
    else if (this.#isAdmitted(connection)) void links.open(connection)
  }

  async #accept(kind: RpcStreamKind, stream: Stream, connection: Connection): Promise<void> {
    // The answer to our own hello may still be on its way through this side.
    await this.#greetings.get(connection)?.catch(() => false)
    if (this.#isAdmitted(connection)) this.#options.links.accept(kind, stream, connection)
    else stream.abort(new ChatError('PEER_DENIED'))
  }

  #isAdmitted(connection: Connection): boolean {
    const { gate, self } = this.#options
    return gate.isMember(connection.remotePeer.toString()) && gate.isMember(self)
  }
}
