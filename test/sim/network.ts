// Which nodes can hear each other, and the links between them: made when both live, know each other and nothing is between them,
// broken by faults. Hands each run of a node its PeerTransport.
import type { Life } from './life.ts'
import { Link, type LinkTimes, type Side } from './link.ts'
import type { SeededRandom } from './random.ts'
import type { ScheduledEvent, Scheduler } from './scheduler.ts'
import { SimTransport } from './transport.ts'

export interface NetworkNoise {
  /** Share of one-way messages that never leave: an overflowing queue. */
  notifyLoss: number
  /** Share of messages that arrive a second time, later and out of order. */
  duplicates: number
}

export interface Host {
  peer: string
  life: Life
  /** True for the members of the map that the node knows. */
  knows: (peer: string) => boolean
}
interface Attached extends Host {
  transport: SimTransport
}
interface Pair {
  peers: [string, string]
  /** From the first to the second, and back. */
  isCut: [boolean, boolean]
  link: Link | undefined
  attempt: ScheduledEvent | undefined
}

export interface NetworkOptions {
  scheduler: Scheduler
  random: SeededRandom
  times: LinkTimes & { dialMs: number }
  noise: NetworkNoise
  /** What a handler or a listener threw that is no ChatError: a defect. */
  onDefect: (error: unknown) => void
}

export class Network {
  readonly options: NetworkOptions
  readonly #hosts = new Map<string, Attached>()
  readonly #pairs = new Map<string, Pair>()

  constructor(options: NetworkOptions) {
    this.options = options
  }

  /** A node's process begins: the connections of its last run are gone. */
  attach(host: Host): SimTransport {
    const { random, noise, onDefect } = this.options
    const transport = new SimTransport({ self: host.peer, life: host.life, random, noise, onDefect })
    for (const pair of this.#pairsOf(host.peer)) pair.link?.reset()
    this.#hosts.set(host.peer, { ...host, transport })
    host.life.onChange(() => this.consider(host.peer))
    this.consider(host.peer)
    return transport
  }

  /** Something changed about this node; new connections may be possible. */
  consider(peer: string): void {
    for (const other of this.#hosts.keys()) if (other !== peer) this.#considerPair(this.#pair(peer, other))
  }

  /** Cuts one way. The connection stalls, and breaks when that lasts. */
  setCut(from: string, to: string, isCut: boolean): void {
    const pair = this.#pair(from, to)
    const side: Side = pair.peers[0] === from ? 0 : 1
    if (pair.isCut[side] === isCut) return
    pair.isCut[side] = isCut
    pair.link?.setCut(side, isCut)
    this.#considerPair(pair)
  }

  healAll(): void {
    for (const pair of this.#pairs.values()) {
      const [a, b] = pair.peers
      this.setCut(a, b, false)
      this.setCut(b, a, false)
    }
  }

  /** Breaks a connection, if there is one; it is made again soon. */
  reset(a: string, b: string): void {
    this.#pair(a, b).link?.reset()
  }

  #pair(a: string, b: string): Pair {
    const peers: [string, string] = a < b ? [a, b] : [b, a]
    const key = peers.join(' ')
    const known = this.#pairs.get(key)
    if (known) return known
    const made: Pair = { peers, isCut: [false, false], link: undefined, attempt: undefined }
    this.#pairs.set(key, made)
    return made
  }

  #pairsOf(peer: string): Pair[] {
    return [...this.#pairs.values()].filter((pair) => pair.peers.includes(peer))
  }

  #considerPair(pair: Pair): void {
    if (pair.link && !this.#areMembers(pair)) pair.link.reset()
    if (pair.link || pair.attempt || !this.#canConnect(pair)) return
    const { scheduler, random, times } = this.options
    pair.attempt = scheduler.after(random.float() * times.dialMs, () => {
      pair.attempt = undefined
      if (!pair.link && this.#canConnect(pair)) this.#connect(pair)
    })
  }

  #canConnect({ peers: [a, b], isCut }: Pair): boolean {
    const [one, two] = [this.#hosts.get(a), this.#hosts.get(b)]
    if (!one?.life.isRunning || !two?.life.isRunning || isCut[0] || isCut[1]) return false
    return this.#areMembers({ peers: [a, b] })
  }

  /** Each stands in the other's map. */
  #areMembers({ peers: [a, b] }: Pick<Pair, 'peers'>): boolean {
    return this.#hosts.get(a)?.knows(b) === true && this.#hosts.get(b)?.knows(a) === true
  }

  #connect(pair: Pair): void {
    const { scheduler, random, times } = this.options
    const [a, b] = pair.peers.map((peer) => this.#hosts.get(peer))
    if (!a || !b) return
    const end = (mine: Attached, other: string): ConstructorParameters<typeof Link>[0]['ends'][0] => ({
      life: mine.life,
      receive: (data) => mine.transport.receive(other, data),
      closed: () => mine.transport.disconnected(other),
    })
    const link = new Link({
      scheduler,
      random,
      times,
      ends: [end(a, b.peer), end(b, a.peer)],
      onOver: () => {
        if (pair.link !== link) return
        pair.link = undefined
        this.#considerPair(pair)
      },
    })
    pair.link = link
    a.life.run(() => a.transport.connected(b.peer, { link, side: 0 }))
    b.life.run(() => b.transport.connected(a.peer, { link, side: 1 }))
  }
}
