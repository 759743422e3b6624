// The other gateways and where clients reach them: learned from themselves, told to clients at login and when this one drains.
import { nodeOf, peersWithRole } from '../../protocol/cluster-map.ts'
import { gateUrl } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'

export class Neighbours {
  readonly #transport: PeerTransport
  readonly #view: ClusterView
  readonly #urls = new Map<string, string>()
  #own: { url: string; draining: boolean } | undefined
  #hasOthers: boolean | undefined

  constructor(transport: PeerTransport, view: ClusterView) {
    this.#transport = transport
    this.#view = view
  }

  start(): void {
    this.#transport.handle(gateUrl, ({ url, draining }, from) => {
      if (!this.isGateway(from)) return
      if (draining) this.#urls.delete(from)
      else this.#urls.set(from, url)
    })
    this.#transport.onPeerChange((peer, connected) => {
      if (!connected) this.#urls.delete(peer)
      else if (this.isGateway(peer)) this.#tell(peer)
    })
    this.#view.watch(() => {
      this.#hasOthers = undefined
      this.#tellAll()
    })
  }

  announce(url: string, draining: boolean): void {
    this.#own = { url, draining }
    this.#tellAll()
  }

  /** Where clients can go instead. */
  urls(): string[] {
    return [...this.#urls.values()]
  }

  /** The other gateways that can be reached now. */
  connected(): string[] {
    return peersWithRole(this.#view.current().map, 'gateway').filter(
      (peer) => peer !== this.#transport.self && this.#transport.isConnected(peer),
    )
  }

  isGateway(peer: string): boolean {
    return nodeOf(this.#view.current().map, peer)?.roles.includes('gateway') ?? false
  }

  /** False in a cluster with one gateway: then nobody can be anywhere else. */
  get hasOthers(): boolean {
    this.#hasOthers ??= peersWithRole(this.#view.current().map, 'gateway').some((peer) => peer !== this.#transport.self)
    return this.#hasOthers
  }

  #tellAll(): void {
    for (const peer of peersWithRole(this.#view.current().map, 'gateway')) this.#tell(peer)
  }

  #tell(peer: string): void {
    const isOther = peer !== this.#transport.self && this.#transport.isConnected(peer)
    if (this.#own && isOther) this.#transport.notify(peer, gateUrl, this.#own)
  }
}
