// Changes of the map other than joining and homes: removal, addresses, revocations, and how the authority's own node stands in it.
import { type ClusterMap, type MapNode, nodeOf } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import { isHome } from './home-kinds.ts'
import { isAddressList, withNode } from './joins.ts'
import type { MapWriter } from './map-writer.ts'
import type { AuthTables } from './tables.ts'

export interface MemberChangesPorts {
  transport: PeerTransport
  view: ClusterView
  tables: AuthTables
  writer: MapWriter
}

export interface Removal {
  /** False while a home still hands over what it keeps. */
  removed: boolean
  /** False: there is no such node, any more or at all. */
  known: boolean
  epoch: number
}

export class MemberChanges {
  readonly #ports: MemberChangesPorts

  constructor(ports: MemberChangesPorts) {
    this.#ports = ports
  }

  /** A home is marked as leaving, and `removed` is false until the homes have changed: ask again. CLUSTER_STATE. */
  async remove(name: string): Promise<Removal> {
    const { view, transport, tables, writer } = this.#ports
    const { map } = view.current()
    const node = map.nodes.find((candidate) => candidate.name === name)
    if (!node) return { removed: true, known: false, epoch: map.epoch }
    if (node.peer === transport.self) {
      const message = 'The node with the authority cannot be removed; move the authority first'
      throw new ChatError('CLUSTER_STATE', { message })
    }
    if (isHome(map, node.peer)) {
      await this.#markLeaving(map, node.peer)
      return { removed: false, known: true, epoch: map.epoch }
    }
    await tables.forgetTicketsOf([node.peer])
    const next = await writer.change((newest) => {
      // It may have become a home since.
      if (isHome(newest, node.peer)) return undefined
      return { ...newest, nodes: newest.nodes.filter((candidate) => candidate.peer !== node.peer) }
    })
    return { removed: !nodeOf(next.map, node.peer), known: true, epoch: next.map.epoch }
  }

  async #markLeaving(map: ClusterMap, peer: string): Promise<void> {
    const { tables } = this.#ports
    const { leaving } = tables.authority()
    if (leaving.includes(peer)) return
    const others = map.homes.current.peers.filter((each) => each !== peer && !leaving.includes(each))
    if (others.length === 0) throw new ChatError('CLUSTER_STATE', { message: 'The last store cannot be removed' })
    await tables.write(tables.putAuthority({ leaving: [...leaving, peer] }))
  }

  /** A member says of itself, over its own authenticated connection, where it listens. */
  async moved(peer: string, addresses: unknown): Promise<number> {
    if (!isAddressList(addresses) || addresses.length === 0) throw new ChatError('RPC_INVALID')
    const { map } = await this.#ports.writer.change((newest) => {
      const known = nodeOf(newest, peer)
      if (!known) throw new ChatError('PEER_DENIED')
      if (known.addresses.join() === addresses.join()) return undefined
      const nodes = newest.nodes.map((node) => (node.peer === peer ? { ...node, addresses } : node))
      return { ...newest, nodes }
    })
    return map.epoch
  }

  async revoke(revocation: { user: string; dev: string; at: number }): Promise<number> {
    const { map } = await this.#ports.writer.change((newest) => {
      const isKnown = newest.revocations.some(({ user, dev }) => user === revocation.user && dev === revocation.dev)
      return isKnown ? undefined : { ...newest, revocations: [...newest.revocations, revocation] }
    })
    return map.epoch
  }

  /** This node as the only authority of the map, with these roles and addresses. */
  async correctOwn(self: Omit<MapNode, 'peer' | 'authority'>): Promise<void> {
    const peer = this.#ports.transport.self
    await this.#ports.writer.change((map) => {
      const wanted: MapNode = { ...self, peer, authority: true }
      const known = nodeOf(map, peer)
      if (!known) return withNode(map, wanted)
      const isOnly = map.nodes.every((node) => (node.authority === true) === (node.peer === peer))
      if (isOnly && JSON.stringify(orderOf(known)) === JSON.stringify(orderOf(wanted))) return undefined
      const others = map.nodes.filter((node) => node.peer !== peer).map(({ authority: _formerly, ...node }) => node)
      return { ...map, nodes: [...others, wanted] }
    })
  }
}

/** The fields in one order, so that two nodes can be compared as text. */
const orderOf = ({ peer, key, name, roles, weight, addresses }: MapNode): unknown[] => [
  peer,
  key,
  name,
  roles,
  weight,
  addresses,
]
