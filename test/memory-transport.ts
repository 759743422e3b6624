// Peers in one process: PeerTransports of a MemoryNetwork that can be connected, cut and inspected by tests.
// What goes to another peer is encoded and decoded as on the wire, so that nobody shares objects; a call to oneself is direct.

import { pack, unpack } from 'msgpackr'
import type { PeerTransport, RpcHandler } from '../src/node/core/ports.ts'
import type { Clock } from '../src/platform/ports.ts'
import { systemClock } from '../src/platform/system.ts'
import { asChatError, ChatError } from '../src/protocol/errors.ts'
import { openAnswer, type RpcMethod } from '../src/protocol/rpc.ts'

type AnyHandler = (request: unknown, from: string) => unknown
type PeerListener = (peer: string, connected: boolean) => void
type Pending = { peer: string; fail: (error: ChatError) => void }

/** A copy by way of the wire's encoding. */
const overTheWire = <T>(value: T): T => (value === undefined ? value : (unpack(pack(value)) as T)) // the codec keeps shapes

export class MemoryNetwork {
  readonly #transports = new Map<string, MemoryTransport>()
  readonly #links = new Set<string>()
  readonly #clock: Clock
  /** Called for each message between two peers; return false to lose it. */
  filter: (from: string, to: string, method: string) => boolean = () => true

  constructor(clock: Clock = systemClock) {
    this.#clock = clock
  }

  /** The transport of `peer`, made on first use. Nobody is connected until `connect`. */
  transport(peer: string): MemoryTransport {
    let transport = this.#transports.get(peer)
    if (!transport) this.#transports.set(peer, (transport = new MemoryTransport(peer, this, this.#clock)))
    return transport
  }

  connect(a: string, b: string): void {
    if (a === b || this.isLinked(a, b)) return
    this.#links.add(`${a}\n${b}`).add(`${b}\n${a}`)
    this.transport(a).peerChanged(b, true)
    this.transport(b).peerChanged(a, true)
  }

  /** What was under way between the two rejects with NET_CLOSED. */
  disconnect(a: string, b: string): void {
    if (!this.isLinked(a, b)) return
    this.#links.delete(`${a}\n${b}`)
    this.#links.delete(`${b}\n${a}`)
    this.transport(a).peerChanged(b, false)
    this.transport(b).peerChanged(a, false)
  }

  connectAll(): void {
    const peers = [...this.#transports.keys()]
    for (const a of peers) for (const b of peers) this.connect(a, b)
  }

  /** Cuts all links of a peer: it is dead to the others. */
  isolate(peer: string): void {
    for (const other of this.#transports.keys()) this.disconnect(peer, other)
  }

  /** Forgets the handlers of a peer that "died"; `transport(peer)` then gives a fresh one. */
  remove(peer: string): void {
    this.isolate(peer)
    this.#transports.delete(peer)
  }

  isLinked(a: string, b: string): boolean {
    return this.#links.has(`${a}\n${b}`)
  }

  linksOf(peer: string): string[] {
    return [...this.#transports.keys()].filter((other) => this.isLinked(peer, other))
  }
}

export class MemoryTransport implements PeerTransport {
  readonly self: string
  readonly #network: MemoryNetwork
  readonly #clock: Clock
  readonly #handlers = new Map<string, AnyHandler>()
  readonly #listeners: PeerListener[] = []
  readonly #pending = new Set<Pending>()

  constructor(self: string, network: MemoryNetwork, clock: Clock) {
    this.self = self
    this.#network = network
    this.#clock = clock
  }

  call<Request, Response>(
    peer: string,
    method: RpcMethod<Request, Response>,
    request: Request,
    options: { timeoutMs?: number } = {},
  ): Promise<Response> {
    if (peer === this.self) return this.answer(method.name, request, this.self) as Promise<Response> // the handler of this method
    if (!this.isConnected(peer)) return Promise.reject(new ChatError('PEER_UNREACHABLE'))
    const timeoutMs = options.timeoutMs ?? method.timeoutMs
    if (timeoutMs === undefined) throw new Error(`${method.name} is one way: use notify`)
    return new Promise<Response>((resolve, reject) => {
      const finish = (settle: () => void): void => {
        if (!this.#pending.delete(pending)) return
        cancel()
        settle()
      }
      const pending: Pending = { peer, fail: (error) => finish(() => reject(error)) }
      const cancel = this.#clock.after(timeoutMs, () => pending.fail(new ChatError('NET_TIMEOUT')))
      this.#pending.add(pending)
      const answered = this.#exchange(peer, method.name, request).then((response) => {
        if (response === LOST) return
        const opened = openAnswer(method, response)
        finish(() => resolve(opened))
      })
      answered.catch((error: unknown) => pending.fail(ChatError.fromWire(overTheWire(asChatError(error).toWire()))))
    })
  }

  notify<Request>(peer: string, method: RpcMethod<Request, void>, request: Request): void {
    const sent =
      peer === this.self ? this.answer(method.name, request, this.self) : this.#exchange(peer, method.name, request)
    void sent.catch(() => {})
  }

  handle<Request, Response>(method: RpcMethod<Request, Response>, handler: RpcHandler<Request, Response>): void {
    this.#handlers.set(method.name, handler as AnyHandler) // called with requests of this method only
  }

  isConnected(peer: string): boolean {
    return peer === this.self || this.#network.isLinked(this.self, peer)
  }

  connectedPeers(): string[] {
    return [this.self, ...this.#network.linksOf(this.self)]
  }

  onPeerChange(listener: PeerListener): void {
    this.#listeners.push(listener)
  }

  /** Called by the network. */
  peerChanged(peer: string, connected: boolean): void {
    if (!connected) {
      for (const pending of [...this.#pending]) if (pending.peer === peer) pending.fail(new ChatError('NET_CLOSED'))
    }
    for (const listener of this.#listeners) listener(peer, connected)
  }

  /** Called by the network: runs the handler. */
  async answer(method: string, request: unknown, from: string): Promise<unknown> {
    const handler = this.#handlers.get(method)
    if (!handler) throw new ChatError('RPC_UNKNOWN', { message: `${this.self} has no handler for ${method}` })
    return handler(request, from)
  }

  /** One hop there and one back; LOST when the link is cut meanwhile or the filter says so. */
  async #exchange(peer: string, method: string, request: unknown): Promise<unknown> {
    const sent = overTheWire(request)
    await nextTurn()
    if (!this.isConnected(peer) || !this.#network.filter(this.self, peer, method)) return LOST
    const response = overTheWire(await this.#network.transport(peer).answer(method, sent, this.self))
    await nextTurn()
    return this.isConnected(peer) && this.#network.filter(peer, this.self, method) ? response : LOST
  }
}

const LOST = Symbol('lost')
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
