// Which routers answer for a user: the connected routers of the map whose hashed peer ids are nearest (XOR) to the hash of the name,
// the metric of Kademlia (Maymounkov and Mazieres 2002, section 2.1). Everybody who sees the same routers picks the same.
import { peersWithRole } from '../../protocol/cluster-map.ts'
import { toUtf8 } from '../../protocol/bytes.ts'
import { sha256 } from '../../protocol/signing.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'

/** Routers that hold the leases of a user: two may die. */
export const LEASE_COPIES = 3

interface Router {
  peer: string
  hash: Buffer
}

export class RouterRing {
  readonly #transport: PeerTransport
  readonly #view: ClusterView
  #routers: Router[] | undefined

  constructor(transport: PeerTransport, view: ClusterView) {
    this.#transport = transport
    this.#view = view
  }

  /** The set of connected routers may have changed. */
  forget(): void {
    this.#routers = undefined
  }

  /** Up to `count` connected routers, the nearest first. */
  nearest(user: string, count: number): string[] {
    const target = sha256(toUtf8(user))
    const sorted = [...this.#connected()].sort((a, b) => compareDistance(a.hash, b.hash, target))
    return sorted.slice(0, count).map(({ peer }) => peer)
  }

  #connected(): Router[] {
    this.#routers ??= peersWithRole(this.#view.current().map, 'router')
      .filter((peer) => this.#transport.isConnected(peer))
      .map((peer) => ({ peer, hash: sha256(toUtf8(peer)) }))
    return this.#routers
  }
}

const compareDistance = (a: Buffer, b: Buffer, target: Buffer): number => {
  for (let i = 0; i < target.length; i++) {
    const t = target[i] ?? 0
    const difference = ((a[i] ?? 0) ^ t) - ((b[i] ?? 0) ^ t)
    if (difference !== 0) return difference
  }
  return 0
}
