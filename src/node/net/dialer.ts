// Keeps this node connected to every other node of the map: dials whom it has no link with, for ever.
// The smaller peer id dials; the other one too after 3 s, and at start: whoever was away knows best that it is back.
// (libp2p's own reconnecting gives up after half a minute and is not used.)
import type { ClusterMap, MapNode } from '../../protocol/cluster-map.ts'
import type { Clock, RandomSource } from '../../platform/ports.ts'

const PATIENCE_MS = 3_000
const FIRST_BACKOFF_MS = 250
const MAX_BACKOFF_MS = 5_000

interface Absent {
  since: number
  nextAt: number
  failures: number
  dialing: boolean
}

export interface DialerOptions {
  self: string
  clock: Clock
  random: RandomSource
  isUp: (peer: string) => boolean
  /** Resolves when a connection is there; rejects when not. */
  dial: (node: MapNode) => Promise<void>
}

export class Dialer {
  readonly #options: DialerOptions
  readonly #absent = new Map<string, Absent>()
  /** Dialed to the end at least once. */
  readonly #tried = new Set<string>()
  #others: MapNode[] = []

  constructor(options: DialerOptions) {
    this.#options = options
  }

  /** Nodes that are new in the map are dialed at once. */
  use(map: ClusterMap): void {
    this.#others = map.nodes.filter((node) => node.peer !== this.#options.self)
    const peers = new Set(this.#others.map((node) => node.peer))
    for (const peer of this.#absent.keys()) if (!peers.has(peer)) this.#absent.delete(peer)
    for (const peer of this.#tried) if (!peers.has(peer)) this.#tried.delete(peer)
  }

  /** Every other node of the map is there, or was dialed to the end: whoever answered has shown its newest map. */
  get hasTriedAll(): boolean {
    return this.#others.every(({ peer }) => this.#options.isUp(peer) || this.#tried.has(peer))
  }

  /** A link was lost: the side that dials tries again at once. */
  lost(peer: string): void {
    this.#absent.delete(peer)
    const now = this.#options.clock.monotonic()
    this.#absent.set(peer, { since: now, nextAt: now, failures: 0, dialing: false })
  }

  tick(now: number): void {
    for (const node of this.#others) {
      if (this.#options.isUp(node.peer)) this.#absent.delete(node.peer)
      else this.#consider(node, now)
    }
  }

  #consider(node: MapNode, now: number): void {
    const known = this.#absent.get(node.peer)
    const absent = known ?? { since: now, nextAt: now, failures: 0, dialing: false }
    if (!known) this.#absent.set(node.peer, absent)
    const isMyTurn = !known || this.#options.self < node.peer || now - absent.since >= PATIENCE_MS
    if (isMyTurn && !absent.dialing && now >= absent.nextAt) void this.#dial(node, absent)
  }

  async #dial(node: MapNode, absent: Absent): Promise<void> {
    absent.dialing = true
    try {
      await this.#options.dial(node)
    } catch {
      absent.failures += 1
    }
    absent.dialing = false
    this.#tried.add(node.peer)
    // After a success too: if no link comes of it (not a member there yet), the next try waits a little.
    const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.max(1, absent.failures))
    absent.nextAt = this.#options.clock.monotonic() + backoff * (0.5 + this.#options.random.float() / 2)
  }
}
