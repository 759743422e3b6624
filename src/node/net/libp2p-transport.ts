// The peer transport of a real node, over libp2p. Composition: the gate says who may, the dialer looks for absent members,
// hello lets peers in, links carry RPC, and the DHT holds slow signed facts. One tick drives deadlines, heartbeats, dialing.
import type { Connection, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { type ClusterMap, type MapNode, peersWithRole, type SignedMap } from '../../protocol/cluster-map.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import type { RpcMethod, RpcStream as RpcStreamKind } from '../../protocol/rpc.ts'
import type { Clock, Logger, RandomSource } from '../../platform/ports.ts'
import { systemRandom } from '../../platform/system.ts'
import { repeat } from '../../platform/timing.ts'
import type { CertificateCache, ClusterView, NodeIdentity, PeerTransport, RpcHandler } from '../core/ports.ts'
import type { Service } from '../core/service.ts'
import { DialVia } from './dial-via.ts'
import { Dialer } from './dialer.ts'
import { DhtRecords } from './dht-records.ts'
import { answerHello, HELLO_MS, HELLO_PROTOCOL, sayHello } from './hello.ts'
import { createNode, type ChatdLibp2p, DIAL_MS } from './libp2p-node.ts'
import { listenError } from './listen-error.ts'
import { MapRecord } from './map-record.ts'
import { MemberGate } from './member-gate.ts'
import { libp2pKey, nodeIdentity } from './node-identity.ts'
import { PeerLinks, RPC_PROTOCOLS, rpcKinds, STREAM_LIMITS } from './peer-links.ts'
import { PendingCalls } from './pending-calls.ts'
import { recordRules } from './record-rules.ts'
import { RpcHandlers } from './rpc-handlers.ts'

const TICK_MS = 50
const SECOND_MS = 1_000
/** A connection that carries no link ends after this: a stranger's, or the second of two that crossed. */
const UNUSED_MS = 3_000

export interface Libp2pTransportOptions {
  /** 32 bytes: the node's Ed25519 key. */
  seed: Uint8Array
  /** Multiaddresses to listen on, e.g. /ip4/127.0.0.1/tcp/0. */
  listen: string[]
  /** Asked from start() on: the view is made after its transport. */
  view: () => ClusterView
  clock: Clock
  log: Logger
  isRouter: boolean
  random?: RandomSource
  /** File with the addresses to dial in place of those of the map, see dial-via.ts. */
  dialVia?: string
}

export class Libp2pTransport implements PeerTransport, Service {
  readonly name = 'peers'
  readonly self: string
  readonly identity: NodeIdentity
  readonly #options: Libp2pTransportOptions
  readonly #handlers: RpcHandlers
  readonly #via: DialVia | undefined
  readonly #gate: MemberGate
  readonly #links: PeerLinks
  readonly #dialer: Dialer
  readonly #localCalls = new PendingCalls()
  readonly #listeners: ((peer: string, connected: boolean) => void)[] = []
  /** Outbound connections on which hello is under way or done; true = admitted. */
  readonly #greetings = new WeakMap<Connection, Promise<boolean>>()
  #node: ChatdLibp2p | undefined
  #records: DhtRecords | undefined
  #stopped = false

  constructor(options: Libp2pTransportOptions) {
    const { clock, log, random = systemRandom } = options
    this.#options = options
    this.identity = nodeIdentity(options.seed)
    this.self = this.identity.peer
    this.#handlers = new RpcHandlers(log)
    this.#via = options.dialVia === undefined ? undefined : new DialVia(options.dialVia)
    this.#gate = new MemberGate(clock, this.#via)
    this.#links = new PeerLinks({
      self: this.self,
      handlers: this.#handlers,
      clock,
      log,
      onChange: (peer, isUp, connection) => this.#changed(peer, isUp, connection),
    })
    this.#dialer = new Dialer({
      self: this.self,
      clock,
      random,
      isUp: (peer) => this.#links.get(peer) !== undefined || this.#gate.isCut(peer),
      dial: (node) => this.#dial(node),
    })
  }

  // ---- life ---------------------------------------------------------------------------------------------------------

  /** PORT_IN_USE. */
  async start(signal: AbortSignal): Promise<void> {
    const { seed, listen, isRouter, view, clock, log } = this.#options
    const { cluster } = view().current().map
    const records = recordRules(cluster, view)
    const node = await createNode({ privateKey: libp2pKey(seed), listen, isRouter, gate: this.#gate, records })
    this.#node = node
    this.#useMap(view().current().map)
    view().watch((map) => this.#mapChanged(map))
    await this.#serve(node)
    await this.#listen(node)
    this.#records = new DhtRecords({ dht: node.services.dht, log, hasRouters: () => this.#hasRouters() })
    new MapRecord({ records: this.#records, self: this.self, view: view(), clock, log }).start(signal)
    const onError = (error: ChatError): void =>
      log.error({ error: error.message }, 'the tick of the peer transport failed')
    void repeat({ clock, everyMs: TICK_MS, signal, onError }, () => this.#tick(clock.monotonic()))
    void repeat({ clock, everyMs: SECOND_MS, signal, onError }, () => this.#closeUnused(node))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#links.endWhere(() => true)
    this.#localCalls.failAll(() => new ChatError('NET_CLOSED'))
    await this.#node?.stop()
  }

  /** Multiaddresses with the real ports, without /p2p: as the map lists them. */
  addresses(): string[] {
    return this.#node?.getMultiaddrs().map((address) => address.toString().replace(/\/p2p\/[^/]+$/, '')) ?? []
  }

  /** Certificates as the DHT caches them; a miss is an empty list. */
  get certificateCache(): CertificateCache {
    return {
      putCertificates: async (user, sealed) => this.#records?.putCertificates(user, sealed),
      getCertificates: async (user) => (await this.#records?.getCertificates(user)) ?? [],
    }
  }

  /** Cuts this node off from these peers for real, until it is called again: how operators and tests make partitions. */
  cut(peers: Iterable<string>): void {
    this.#gate.cut(peers)
    this.#expel()
  }

  /** Bytes that wait for each connected peer, for the status. */
  queueDepths(): Record<string, number> {
    return Object.fromEntries(this.#links.peers().map((peer) => [peer, this.#links.get(peer)?.heldBytes ?? 0]))
  }

  // ---- RPC ----------------------------------------------------------------------------------------------------------

  call<Request, Response>(
    peer: string,
    method: RpcMethod<Request, Response>,
    request: Request,
    options: { timeoutMs?: number } = {},
  ): Promise<Response> {
    const timeoutMs = options.timeoutMs ?? method.timeoutMs ?? limits.rpcTimeoutMs
    if (peer === this.self) return this.#callSelf(method.number, request, timeoutMs) as Promise<Response> // its handler's answer
    try {
      const link = this.#links.get(peer)
      if (!link) throw new ChatError('PEER_UNREACHABLE')
      return link.stream(method.stream).call(method.number, request, timeoutMs) as Promise<Response> // its handler's answer
    } catch (error) {
      return Promise.reject(asChatError(error))
    }
  }

  notify<Request>(peer: string, method: RpcMethod<Request, void>, request: Request): void {
    if (peer === this.self) {
      queueMicrotask(() => this.#handlers.runNotice(method.number, request, this.self))
      return
    }
    try {
      this.#links.get(peer)?.stream(method.stream).notify(method.number, request)
    } catch (error) {
      this.#options.log.warn(
        { peer, method: method.name, error: asChatError(error).message },
        'dropped a one-way message',
      )
    }
  }

  handle<Request, Response>(method: RpcMethod<Request, Response>, handler: RpcHandler<Request, Response>): void {
    this.#handlers.set(method, handler)
  }

  isConnected(peer: string): boolean {
    return peer === this.self || this.#links.get(peer) !== undefined
  }

  connectedPeers(): string[] {
    return [this.self, ...this.#links.peers()]
  }

  onPeerChange(listener: (peer: string, connected: boolean) => void): void {
    this.#listeners.push(listener)
  }

  /** A turn later, so that a handler never runs inside the call; no encoding; the deadline holds all the same. */
  #callSelf(method: number, request: unknown, timeoutMs: number): Promise<unknown> {
    const { id, answer } = this.#localCalls.open(this.#options.clock.monotonic() + timeoutMs, 0)
    const fail = (error: unknown): void => this.#localCalls.fail(id, asChatError(error))
    queueMicrotask(() => {
      try {
        const result = this.#handlers.run(method, request, this.self)
        if (result instanceof Promise) result.then((value: unknown) => this.#localCalls.settle(id, value), fail)
        else this.#localCalls.settle(id, result)
      } catch (error) {
        fail(error)
      }
    })
    return answer
  }

  // ---- who is there -------------------------------------------------------------------------------------------------

  #useMap(map: ClusterMap): void {
    this.#gate.use(map)
    this.#dialer.use(map)
  }

  #mapChanged({ map }: SignedMap): void {
    this.#useMap(map)
    this.#expel()
  }

  /** Whoever is no member (any more) loses its connections and its place in the routing table. */
  #expel(): void {
    const denied = new ChatError('PEER_DENIED')
    this.#links.endWhere((peer) => !this.#gate.isMember(peer), denied)
    for (const connection of this.#node?.getConnections() ?? []) {
      const peer = connection.remotePeer.toString()
      // A stranger's hello may be what brought the new map: it gets its answer first; closeUnused ends it.
      if (this.#gate.isCut(peer)) connection.abort(denied)
      if (!this.#gate.isMember(peer)) this.#forget(peer)
    }
  }

  #forget(peer: string): void {
    const id = peerIdFromString(peer)
    const ignore = (): void => {} // it was not there
    void this.#node?.services.dht.routingTable.remove(id).catch(ignore)
    void this.#node?.peerStore.delete(id).catch(ignore)
  }

  #changed(peer: string, isUp: boolean, connection: Connection): void {
    this.#options.log.info({ peer, isUp }, isUp ? 'peer connected' : 'peer disconnected')
    if (isUp)
      void this.#node?.services.identify.identify(connection).catch(() => {}) // only the DHT needs it
    else this.#dialer.lost(peer)
    for (const listener of this.#listeners) listener(peer, isUp)
  }

  #hasRouters(): boolean {
    return peersWithRole(this.#options.view().current().map, 'router').some((peer) => this.#links.get(peer))
  }

  // ---- connections --------------------------------------------------------------------------------------------------

  async #serve(node: ChatdLibp2p): Promise<void> {
    node.addEventListener('connection:open', ({ detail }) => void this.#greet(detail).catch(() => {}))
    node.addEventListener('peer:disconnect', ({ detail }) => {
      if (!this.#gate.isMember(detail.toString())) this.#forget(detail.toString())
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

  async #listen(node: ChatdLibp2p): Promise<void> {
    try {
      await node.start()
    } catch (error) {
      await node.stop()
      throw listenError(error, this.#options.listen.join(', '))
    }
  }

  async #dial({ peer, name, addresses }: MapNode): Promise<void> {
    const node = this.#node
    if (!node || this.#stopped) return
    const targets = (this.#via?.addressesOf(name) ?? addresses).map((address) => multiaddr(`${address}/p2p/${peer}`))
    if (targets.length === 0) throw new ChatError('PEER_UNREACHABLE') // with no address libp2p would look for one itself
    const connection = await node.dial(targets, { signal: AbortSignal.timeout(DIAL_MS) })
    if (connection.direction === 'inbound') await this.#links.open(connection)
    else if (!(await this.#greet(connection))) throw new ChatError('PEER_DENIED')
  }

  /** Hello on a connection that this side opened, once; true when both are members by the newer map. */
  #greet(connection: Connection): Promise<boolean> {
    if (connection.direction === 'inbound') return Promise.resolve(false)
    const known = this.#greetings.get(connection)
    if (known) return known
    const greeting = this.#sayHello(connection)
    this.#greetings.set(connection, greeting)
    return greeting
  }

  async #sayHello(connection: Connection): Promise<boolean> {
    const view = this.#options.view()
    try {
      await sayHello(await connection.newStream(HELLO_PROTOCOL, { signal: AbortSignal.timeout(HELLO_MS) }), view)
    } catch (error) {
      connection.abort(asChatError(error))
      throw error
    }
    if (!this.#isAdmitted(connection)) {
      await connection.close().catch(() => connection.abort(new ChatError('PEER_DENIED')))
      return false
    }
    void this.#links.open(connection)
    return true
  }

  async #answerHello(stream: Stream, connection: Connection): Promise<void> {
    const isDone = await answerHello(stream, this.#options.view(), this.#options.log)
    if (isDone && this.#isAdmitted(connection)) void this.#links.open(connection)
    else if (!isDone) connection.abort(new ChatError('PEER_DENIED'))
  }

  #isAdmitted(connection: Connection): boolean {
    return this.#gate.isMember(connection.remotePeer.toString()) && this.#gate.isMember(this.self)
  }

  async #accept(kind: RpcStreamKind, stream: Stream, connection: Connection): Promise<void> {
    // Its hello's answer may still be on its way through this side.
    await this.#greetings.get(connection)?.catch(() => false)
    if (this.#isAdmitted(connection) && !this.#stopped) this.#links.accept(kind, stream, connection)
    else stream.abort(new ChatError('PEER_DENIED'))
  }

  #tick(now: number): void {
    this.#localCalls.sweep(now)
    this.#links.tick(now)
    this.#dialer.tick(now)
  }

  #closeUnused(node: ChatdLibp2p): void {
    for (const connection of node.getConnections()) {
      const isOld = Date.now() - connection.timeline.open > UNUSED_MS
      if (isOld && !this.#links.uses(connection)) connection.abort(new ChatError('PEER_DENIED'))
    }
  }
}
