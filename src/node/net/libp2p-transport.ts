// The peer transport of a real node, over libp2p. Composition: the gate says who may, the dialer looks for absent members,
// admission lets peers in and out, links carry RPC, and the DHT holds slow signed facts. One tick drives deadlines,
// heartbeats and dialing.
import type { Connection } from '@libp2p/interface'
import type { ClusterMap } from '../../protocol/cluster-map.ts'
import { peersWithRole } from '../../protocol/cluster-map.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { openAnswer, type RpcMethod } from '../../protocol/rpc.ts'
import type { Clock, Logger, RandomSource } from '../../platform/ports.ts'
import { systemRandom } from '../../platform/system.ts'
import { repeat, sleep } from '../../platform/timing.ts'
import type { CertificateCache, ClusterView, NodeIdentity, PeerTransport, RpcHandler } from '../core/ports.ts'
import type { Service } from '../core/service.ts'
import { Admission } from './admission.ts'
import { DhtRecords } from './dht-records.ts'
import { DialVia } from './dial-via.ts'
import { Dialer } from './dialer.ts'
import { type ChatdLibp2p, createNode } from './libp2p-node.ts'
import { listenError } from './listen-error.ts'
import { LocalCalls } from './local-calls.ts'
import { MapRecord } from './map-record.ts'
import { MemberGate } from './member-gate.ts'
import { libp2pKey, nodeIdentity } from './node-identity.ts'
import { PeerLinks } from './peer-links.ts'
import { recordRules } from './record-rules.ts'
import { RpcHandlers } from './rpc-handlers.ts'

const TICK_MS = 50
/** The longest wait between two tries. */
const IDENTIFY_MS = 16_000
const SECOND_MS = 1_000

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
  readonly #localCalls: LocalCalls
  readonly #via: DialVia | undefined
  readonly #gate: MemberGate
  readonly #links: PeerLinks
  readonly #dialer: Dialer
  readonly #listeners: ((peer: string, connected: boolean) => void)[] = []
  #node: ChatdLibp2p | undefined
  #admission: Admission | undefined
  #records: DhtRecords | undefined
  #signal: AbortSignal | undefined

  constructor(options: Libp2pTransportOptions) {
    const { clock, log, random = systemRandom, dialVia } = options
    this.#options = options
    this.identity = nodeIdentity(options.seed)
    this.self = this.identity.peer
    this.#handlers = new RpcHandlers(log)
    this.#localCalls = new LocalCalls(this.self, this.#handlers, clock)
    this.#via = dialVia === undefined ? undefined : new DialVia(dialVia)
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
      isUp: (peer) => this.#links.get(peer) !== undefined,
      dial: async (node) => this.#admission?.dial(node),
    })
  }

  // ---- life ---------------------------------------------------------------------------------------------------------

  /** PORT_IN_USE. */
  async start(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    const { seed, listen, isRouter, clock, log } = this.#options
    const view = this.#options.view()
    const { cluster } = view.current().map
    const records = recordRules(cluster, () => view)
    const node = await createNode({ privateKey: libp2pKey(seed), listen, isRouter, gate: this.#gate, records })
    const { self, links, gate, via } = { self: this.self, links: this.#links, gate: this.#gate, via: this.#via }
    const admission = new Admission({ self, node, view, gate, links, via, log })
    this.#node = node
    this.#admission = admission
    this.#useMap(view.current().map)
    view.watch(({ map }) => admission.expel(this.#useMap(map)))
    await admission.serve()
    await this.#listen(node)
    this.#records = new DhtRecords({ dht: node.services.dht, log, hasRouters: () => this.#hasRouters(view) })
    new MapRecord({ records: this.#records, self, view, clock, log }).start(signal)
    this.#run(admission, signal)
  }

  async stop(): Promise<void> {
    this.#links.stop()
    this.#localCalls.end()
    await this.#node?.stop()
  }

  #run(admission: Admission, signal: AbortSignal): void {
    const { clock, log } = this.#options
    const onError = (error: ChatError): void => log.error({ error: error.message }, 'the peer transport stumbled')
    void repeat({ clock, everyMs: TICK_MS, signal, onError }, () => this.#tick(clock.monotonic()))
    void repeat({ clock, everyMs: SECOND_MS, signal, onError }, () => admission.closeUnused())
  }

  async #listen(node: ChatdLibp2p): Promise<void> {
    try {
      await node.start()
    } catch (error) {
      await node.stop()
      throw listenError(error, this.#options.listen.join(', '))
    }
  }

  #tick(now: number): void {
    this.#localCalls.tick(now)
    this.#links.tick(now)
    this.#dialer.tick(now)
  }

  /** The peers that left. */
  #useMap(map: ClusterMap): string[] {
    this.#dialer.use(map)
    return this.#gate.use(map)
  }

  #changed(peer: string, isUp: boolean, connection: Connection): void {
    this.#options.log.info({ peer }, isUp ? 'peer connected' : 'peer disconnected')
    if (isUp) void this.#identify(connection)
    else this.#dialer.lost(peer)
    for (const listener of this.#listeners) listener(peer, isUp)
  }

  /** Only the DHT needs it, and takes in nobody without. The other side refuses it as long as it has not admitted this node yet. */
  async #identify(connection: Connection): Promise<void> {
    const { clock, log } = this.#options
    for (let waitMs = SECOND_MS; waitMs <= IDENTIFY_MS && connection.status === 'open'; waitMs *= 2) {
      try {
        return void (await this.#node?.services.identify.identify(connection))
      } catch (error) {
        log.debug({ error: asChatError(error).message }, 'a peer was not identified')
      }
      await sleep(clock, waitMs, this.#signal)
    }
  }

  #hasRouters(view: ClusterView): boolean {
    return peersWithRole(view.current().map, 'router').some((peer) => this.#links.get(peer))
  }

  /** True once every other node was dialed: of those that can be reached, the newest maps are known here. */
  get hasDialedAll(): boolean {
    return this.#dialer.hasTriedAll
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

  /** Routers in this node's Kademlia routing table. */
  get dhtPeers(): number {
    return this.#node?.services.dht.routingTable.size ?? 0
  }

  /** Bytes that wait for each connected peer, for the status. */
  queueDepths(): Record<string, number> {
    return Object.fromEntries(this.#links.peers().map((peer) => [peer, this.#links.get(peer)?.heldBytes ?? 0]))
  }

  // ---- PeerTransport ------------------------------------------------------------------------------------------------

  call<Request, Response>(
    peer: string,
    method: RpcMethod<Request, Response>,
    request: Request,
    options: { timeoutMs?: number } = {},
  ): Promise<Response> {
    const timeoutMs = options.timeoutMs ?? method.timeoutMs ?? limits.rpcTimeoutMs
    try {
      const { number } = method
      // The answer of this method's own handler.
      if (peer === this.self) return this.#localCalls.call(number, request, timeoutMs) as Promise<Response>
      const stream = this.#links.get(peer)?.stream(method.stream)
      if (!stream) throw new ChatError('PEER_UNREACHABLE')
      return stream.call(number, request, timeoutMs).then((answer) => openAnswer(method, answer))
    } catch (error) {
      return Promise.reject(asChatError(error))
    }
  }

  notify<Request>(peer: string, method: RpcMethod<Request, void>, request: Request): void {
    try {
      const channel = peer === this.self ? this.#localCalls : this.#links.get(peer)?.stream(method.stream)
      channel?.notify(method.number, request)
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
}
