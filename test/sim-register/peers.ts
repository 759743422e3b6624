// Messages between machines on virtual time: late, lost, doubled, out of order, cut one way or both. The PeerTransport of each process.
import type { PeerTransport, RpcHandler } from '../../src/node/core/ports.ts'
import { asChatError, ChatError } from '../../src/protocol/errors.ts'
import type { RpcMethod } from '../../src/protocol/rpc.ts'
import type { Life } from '../sim/life.ts'
import type { SeededRandom } from '../sim/random.ts'
import type { Scheduler } from '../sim/scheduler.ts'

export interface Weather {
  latencyMs: number
  worstMs: number
  loss: number
  doubled: number
}
type AnyHandler = (request: unknown, from: string) => unknown

export class Peers {
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  weather: Weather
  readonly #present = new Map<string, SimPeer>()
  /** `a\nb`: nothing gets from a to b. */
  readonly #cuts = new Set<string>()
  readonly #slow = new Map<string, number>()

  constructor(scheduler: Scheduler, random: SeededRandom, weather: Weather) {
    this.scheduler = scheduler
    this.random = random
    this.weather = weather
  }

  /** A new process of that name takes the place of the one before. */
  join(name: string, life: Life): SimPeer {
    const peer = new SimPeer(name, life, this)
    this.#present.set(name, peer)
    return peer
  }

  cut(from: string, to: string): void {
    this.#cuts.add(`${from}\n${to}`)
  }

  /** So much later does arrive what goes from one to the other. */
  slow(from: string, to: string, ms: number): void {
    this.#slow.set(`${from}\n${to}`, ms)
  }

  heal(): void {
    this.#cuts.clear()
    this.#slow.clear()
  }

  isOpen(from: string, to: string): boolean {
    return from === to || !this.#cuts.has(`${from}\n${to}`)
  }

  names(): string[] {
    return [...this.#present.keys()]
  }

  at(name: string): SimPeer | undefined {
    return this.#present.get(name)
  }

  /** One way: perhaps never, perhaps twice. */
  carry(from: string, to: string, deliver: () => void): void {
    const { loss, doubled, latencyMs, worstMs } = this.weather
    const isLocal = from === to
    if (!isLocal && this.random.chance(loss)) return
    const times = !isLocal && this.random.chance(doubled) ? 2 : 1
    for (let i = 0; i < times; i++) {
      const slow = this.#slow.get(`${from}\n${to}`) ?? 0
      const ms = isLocal ? 0 : this.random.latency(latencyMs, worstMs) + slow
      this.scheduler.after(ms, () => {
        if (this.isOpen(from, to)) deliver()
      })
    }
  }
}

export class SimPeer implements PeerTransport {
  readonly self: string
  readonly #life: Life
  readonly #peers: Peers
  readonly #handlers = new Map<string, AnyHandler>()

  constructor(self: string, life: Life, peers: Peers) {
    this.self = self
    this.#life = life
    this.#peers = peers
  }

  call<Request, Response>(
    peer: string,
    method: RpcMethod<Request, Response>,
    request: Request,
    { timeoutMs = method.timeoutMs ?? 0 }: { timeoutMs?: number } = {},
  ): Promise<Response> {
    return new Promise<Response>((resolve, reject) => {
      const cancel = this.#life.after(timeoutMs, () => reject(new ChatError('NET_TIMEOUT')))
      const settle = (call: () => void): void =>
        this.#life.run(() => {
          cancel()
          call()
        })
      this.#send(peer, method.name, request, {
        resolve: (response) => settle(() => resolve(response as Response)), // the handler of this method
        reject: (error) => settle(() => reject(error)),
      })
    })
  }

  notify<Request>(peer: string, method: RpcMethod<Request, void>, request: Request): void {
    this.#send(peer, method.name, request, { resolve: () => {}, reject: () => {} })
  }

  handle<Request, Response>(method: RpcMethod<Request, Response>, handler: RpcHandler<Request, Response>): void {
    this.#handlers.set(method.name, handler as AnyHandler) // called with requests of this method only
  }

  isConnected(peer: string): boolean {
    const other = this.#peers.at(peer)
    if (!other || other.#life.isDead) return false
    return this.#peers.isOpen(this.self, peer) && this.#peers.isOpen(peer, this.self)
  }

  connectedPeers(): string[] {
    return this.#peers.names().filter((name) => this.isConnected(name))
  }

  onPeerChange(): void {}

  #send(
    to: string,
    method: string,
    request: unknown,
    answer: { resolve: (response: unknown) => void; reject: (error: ChatError) => void },
  ): void {
    this.#peers.carry(this.self, to, () => {
      const other = this.#peers.at(to)
      if (!other) return
      other.#life.run(() => {
        const back = (settle: () => void): void => this.#peers.carry(to, this.self, settle)
        other.#answer(method, request, this.self).then(
          (response) => back(() => answer.resolve(response)),
          (error: unknown) => back(() => answer.reject(asChatError(error))),
        )
      })
    })
  }

  async #answer(method: string, request: unknown, from: string): Promise<unknown> {
    const handler = this.#handlers.get(method)
    if (!handler) throw new ChatError('RPC_UNKNOWN')
    return handler(request, from)
  }
}
