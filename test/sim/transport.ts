// The PeerTransport of one run of a node: requests and answers over links, encoded as in production, with deadlines.
// A call of oneself is a direct call.
import { inspect } from 'node:util'
import { Packr } from 'msgpackr'
import { asChatError, ChatError } from '../../src/protocol/errors.ts'
import { groupPropose, groupSend, openAnswer, type RpcMethod } from '../../src/protocol/rpc.ts'
import type { PeerTransport, RpcHandler } from '../../src/node/core/ports.ts'
import type { Life } from './life.ts'
import type { Link, Side } from './link.ts'
import type { NetworkNoise } from './network.ts'
import type { SeededRandom } from './random.ts'

type Message =
  | { kind: 'request'; id: number; method: number; body: unknown }
  | { kind: 'notify'; method: number; body: unknown }
  | { kind: 'answer'; id: number; body: unknown }
  | { kind: 'error'; id: number; body: object }

interface Connection {
  link: Link
  side: Side
}
interface Pending {
  peer: string
  resolve: (body: unknown) => void
  reject: (error: ChatError) => void
}

export interface SimTransportOptions {
  self: string
  life: Life
  random: SeededRandom
  noise: NetworkNoise
  onDefect: (error: unknown) => void
}

const packr = new Packr({ useRecords: false })
/** Answered `refused` they are no more: the double that is served after that would be an attempt which nobody makes. */
const ONCE: ReadonlySet<number> = new Set([groupSend.number, groupPropose.number])
const STREAMS = { control: 0, data: 1, bulk: 2 } as const

export class SimTransport implements PeerTransport {
  readonly self: string
  readonly #options: SimTransportOptions
  readonly #connections = new Map<string, Connection>()
  readonly #handlers = new Map<number, RpcHandler<unknown, unknown>>()
  readonly #listeners: ((peer: string, connected: boolean) => void)[] = []
  readonly #pending = new Map<number, Pending>()
  #lastId = 0

  constructor(options: SimTransportOptions) {
    this.self = options.self
    this.#options = options
  }

  handle<Request, Response>(method: RpcMethod<Request, Response>, handler: RpcHandler<Request, Response>): void {
    this.#handlers.set(method.number, handler as RpcHandler<unknown, unknown>) // what comes for this number is a Request
  }

  async call<Request, Response>(
    peer: string,
    method: RpcMethod<Request, Response>,
    request: Request,
    options: { timeoutMs?: number } = {},
  ): Promise<Response> {
    const timeoutMs = options.timeoutMs ?? method.timeoutMs ?? 0
    const answer = peer === this.self ? this.#serve(method.number, request, peer) : this.#ask(peer, method, request)
    const given = await this.#withDeadline(answer, timeoutMs)
    if (!method.answers(given)) this.#options.onDefect(new Error(`no answer of ${method.name}: ${inspect(given)}`))
    return openAnswer(method, given)
  }

  notify<Request>(peer: string, method: RpcMethod<Request, void>, request: Request): void {
    if (peer === this.self) {
      void this.#serve(method.number, request, peer).catch(() => undefined)
      return
    }
    const { random, noise } = this.#options
    if (random.chance(noise.notifyLoss)) return
    this.#send(peer, STREAMS[method.stream], { kind: 'notify', method: method.number, body: request })
  }

  isConnected(peer: string): boolean {
    return peer === this.self || this.#connections.has(peer)
  }
  connectedPeers(): string[] {
    return [this.self, ...this.#connections.keys()]
  }
  onPeerChange(listener: (peer: string, connected: boolean) => void): void {
    this.#listeners.push(listener)
  }

  // ---- called by the network

  connected(peer: string, connection: Connection): void {
    this.#connections.set(peer, connection)
    this.#tell(peer, true)
  }

  disconnected(peer: string): void {
    this.#connections.delete(peer)
    for (const [id, pending] of this.#pending) {
      if (pending.peer !== peer) continue
      this.#pending.delete(id)
      pending.reject(new ChatError('NET_CLOSED'))
    }
    this.#tell(peer, false)
  }

  receive(peer: string, data: Uint8Array | string): void {
    if (typeof data === 'string') return // peers send bytes
    const message = packr.unpack(data) as Message // only send() below makes what comes here
    if (message.kind === 'notify') {
      void this.#serve(message.method, message.body, peer).catch(() => undefined)
    } else if (message.kind === 'request') {
      void this.#answer(peer, message)
    } else {
      const pending = this.#pending.get(message.id)
      this.#pending.delete(message.id)
      if (message.kind === 'answer') pending?.resolve(message.body)
      else pending?.reject(ChatError.fromWire(message.body))
    }
  }

  async #answer(peer: string, { id, method, body }: { id: number; method: number; body: unknown }): Promise<void> {
    // The next one may be to another process of that peer, which counts its requests anew.
    const asked = this.#connections.get(peer)
    const answer = (message: Message): void => {
      if (asked === this.#connections.get(peer)) this.#send(peer, STREAMS.control, message)
    }
    try {
      answer({ kind: 'answer', id, body: await this.#serve(method, body, peer) })
    } catch (error) {
      answer({ kind: 'error', id, body: asChatError(error).toWire() })
    }
  }

  async #serve(method: number, body: unknown, from: string): Promise<unknown> {
    const handler = this.#handlers.get(method)
    if (!handler) throw new ChatError('RPC_UNKNOWN')
    try {
      return await handler(body, from)
    } catch (error) {
      if (!(error instanceof ChatError)) this.#options.onDefect(error)
      throw error
    }
  }

  #ask(peer: string, method: RpcMethod<never, unknown>, body: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#pending.set(id, { peer, resolve, reject })
      if (this.#send(peer, STREAMS[method.stream], { kind: 'request', id, method: method.number, body })) return
      this.#pending.delete(id)
      reject(new ChatError('PEER_UNREACHABLE'))
    })
  }

  #send(peer: string, stream: number, message: Message): boolean {
    const connection = this.#connections.get(peer)
    if (!connection?.link.isOpen(connection.side)) return false
    const data = packr.pack(message)
    connection.link.send(connection.side, data, stream)
    const { random, noise } = this.#options
    const isOnce = message.kind === 'request' && ONCE.has(message.method)
    if (random.chance(noise.duplicates) && !isOnce) connection.link.sendStray(connection.side, data)
    return true
  }

  #withDeadline(answer: Promise<unknown>, ms: number): Promise<unknown> {
    if (ms === 0) return answer
    return new Promise((resolve, reject) => {
      const cancel = this.#options.life.after(ms, () => reject(new ChatError('NET_TIMEOUT')))
      answer.then(resolve, reject).finally(cancel)
    })
  }

  #tell(peer: string, isConnected: boolean): void {
    for (const listener of this.#listeners) {
      try {
        listener(peer, isConnected)
      } catch (error) {
        this.#options.onDefect(error)
      }
    }
  }
}
