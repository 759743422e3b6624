// The newest signed cluster map of this node: verifies, keeps on disk, adopts, tells watchers, and spreads it among peers.
// A map of a lower epoch is ignored for ever; another content of the same epoch is refused and logged as an error.
// It decides nothing about who is connected (the transport does) and never signs.
import { equalBytes } from '../../protocol/bytes.ts'
import { openMap, type SignedMap } from '../../protocol/cluster-map.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { mapGet, mapPush } from '../../protocol/rpc.ts'
import { openBody } from '../../protocol/sealed.ts'
import type { Clock, Logger } from '../../platform/ports.ts'
import { repeat } from '../../platform/timing.ts'
import type { ClusterView, PeerTransport } from './ports.ts'
import type { Service } from './service.ts'

/** A push can be lost; every so often one peer in turn is asked whether it has a newer map. */
const ASK_EVERY_MS = 5_000

export interface ClusterViewOptions {
  /** The authority's public key in hex. */
  cluster: string
  initial: SignedMap
  /** Returns once the map is on disk; what it throws, adopt() throws, and the map is not adopted. */
  persist: (sealed: Uint8Array) => void
  transport: PeerTransport
  clock: Clock
  log: Logger
}

export class ClusterViewKeeper implements ClusterView, Service {
  readonly name = 'cluster-view'
  readonly #options: ClusterViewOptions
  readonly #watchers = new Set<(map: SignedMap) => void>()
  #current: SignedMap
  #asked = 0

  constructor(options: ClusterViewOptions) {
    this.#options = options
    this.#current = options.initial
  }

  start(signal: AbortSignal): void {
    const { transport, clock, log } = this.#options
    transport.handle(mapPush, ({ sealed }, from) => this.#pushed(sealed, from))
    transport.handle(mapGet, ({ epoch }) => this.#answer(epoch))
    transport.onPeerChange((peer, connected) => {
      if (connected && !signal.aborted) void this.#ask(peer)
    })
    for (const peer of this.#peers()) void this.#ask(peer)
    const onError = (error: ChatError): void => log.warn({ error: error.message }, 'asking peers for the map failed')
    void repeat({ clock, everyMs: ASK_EVERY_MS, signal, onError }, () => this.#askNext())
  }

  stop(): void {
    this.#watchers.clear()
  }

  current(): SignedMap {
    return this.#current
  }

  watch(listener: (map: SignedMap) => void): void {
    this.#watchers.add(listener)
  }

  adopt(sealed: Uint8Array): boolean {
    const known = this.#current
    if (equalBytes(sealed, known.sealed)) return false
    const { cluster, persist, log } = this.#options
    const newer = openMap(sealed, cluster)
    if (newer.map.epoch < known.map.epoch) return false
    if (newer.map.epoch === known.map.epoch) return this.#refuseTwin(newer)
    persist(sealed)
    this.#current = newer
    log.info({ epoch: newer.map.epoch, nodes: newer.map.nodes.length }, 'adopted a newer cluster map')
    this.#tellWatchers(newer)
    this.#push(this.#peers())
    return true
  }

  /** Two signed contents of one epoch mean two authorities with one key: an operator has to decide. */
  #refuseTwin({ map, sealed }: SignedMap): false {
    if (equalBytes(openBody(sealed), openBody(this.#current.sealed))) return false
    const message = `There are two different cluster maps of epoch ${map.epoch}; one of two copies of the authority must go`
    this.#options.log.error({ epoch: map.epoch, cluster: map.cluster }, message)
    throw new ChatError('CLUSTER_STATE', { message, details: { epoch: map.epoch } })
  }

  #tellWatchers(map: SignedMap): void {
    for (const watcher of this.#watchers) {
      try {
        watcher(map)
      } catch (error) {
        this.#options.log.error({ error: asChatError(error).message }, 'a watcher of the cluster map failed')
      }
    }
  }

  #peers(): string[] {
    const { transport } = this.#options
    return transport.connectedPeers().filter((peer) => peer !== transport.self)
  }

  #push(peers: string[]): void {
    for (const peer of peers) this.#options.transport.notify(peer, mapPush, { sealed: this.#current.sealed })
  }

  #pushed(sealed: Uint8Array, from: string): void {
    // A copy: what a transport hands over may be a slice of a larger buffer, and a map is kept for long.
    const isNewer = this.adopt(Uint8Array.from(sealed))
    if (!isNewer && !equalBytes(sealed, this.#current.sealed)) this.#push([from])
  }

  #answer(epoch: number): { sealed?: Uint8Array; epoch: number } {
    const { map, sealed } = this.#current
    return map.epoch > epoch ? { sealed, epoch: map.epoch } : { epoch: map.epoch }
  }

  async #askNext(): Promise<void> {
    const peers = this.#peers()
    const peer = peers[this.#asked++ % Math.max(1, peers.length)]
    if (peer !== undefined) await this.#ask(peer)
  }

  /** Both sides of a new connection ask, so both end with the newer map. */
  async #ask(peer: string): Promise<void> {
    try {
      const { sealed } = await this.#options.transport.call(peer, mapGet, { epoch: this.#current.map.epoch })
      if (sealed) this.adopt(Uint8Array.from(sealed))
    } catch (error) {
      this.#options.log.debug({ peer, error: asChatError(error).message }, 'could not exchange maps')
    }
  }
}
