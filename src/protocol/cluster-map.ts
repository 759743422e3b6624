// The cluster map: the signed list of members and of the stores in use. Every node keeps the newest; clients read it too.
import { fromHex, fromUtf8, toUtf8 } from './bytes.ts'
import { ChatError } from './errors.ts'
import { isSealedBy, openBody, openHeader, seal } from './sealed.ts'

export type Role = 'gateway' | 'router' | 'store' | 'group' | 'media' | 'messages'
export const roles: readonly Role[] = ['gateway', 'router', 'store', 'group', 'media', 'messages']

export interface MapNode {
  /** libp2p peer id. */
  peer: string
  /** Ed25519 public key of the peer, base64; clients verify gateways with it and need no libp2p. */
  key: string
  name: string
  roles: Role[]
  weight: number
  /** Multiaddresses without /p2p. */
  addresses: string[]
  /** True for the node that holds the authority key. */
  authority?: boolean
}

export interface Quorum {
  n: number
  w: number
  r: number
}
/** A set of stores (peer ids, sorted) with the quorum that holds in it. */
export interface HomeSet extends Quorum {
  peers: string[]
}
/** `next` is there in a joint epoch only: writes need W of both sets, reads use `current`. */
export interface Homes {
  current: HomeSet
  next?: HomeSet
}
interface Revocation {
  user: string
  dev: string
  at: number
}

export interface ClusterMap {
  cluster: string
  epoch: number
  nodes: MapNode[]
  /** Stores of messages. */
  homes: Homes
  /** Where attachments are. Absent: at the homes of messages. */
  media?: Homes
  retentionMs: number
  revocations: Revocation[]
}

/** (1,1,1), (2,2,1), (3,2,2): by the number of stores. */
const quorumFor = (stores: number): Quorum =>
  stores >= 3 ? { n: 3, w: 2, r: 2 } : stores === 2 ? { n: 2, w: 2, r: 1 } : { n: 1, w: 1, r: 1 }
export const homeSet = (peers: string[]): HomeSet => ({ ...quorumFor(peers.length), peers: [...peers].sort() })

export interface SignedMap {
  map: ClusterMap
  sealed: Uint8Array
}

export const signMap = (map: ClusterMap, sign: (message: Uint8Array) => Uint8Array): SignedMap => ({
  map,
  sealed: seal({
    cluster: map.cluster,
    header: { k: 'map', epoch: map.epoch } as { k: string },
    body: toUtf8(JSON.stringify(map)),
    sign,
  }),
})

/** Verifies a map offline against the cluster's id. AUTH_SIGNATURE or AUTH_CLUSTER. */
export const openMap = (sealed: Uint8Array, cluster: string): SignedMap => {
  const header = openHeader(sealed)
  if (header.k !== 'map') throw new ChatError('AUTH_SIGNATURE', { message: 'That is not a cluster map' })
  if (!isSealedBy(sealed, cluster, fromHex(cluster))) {
    throw new ChatError('AUTH_CLUSTER', { message: 'The cluster map is not signed by this cluster’s authority' })
  }
  const map = JSON.parse(fromUtf8(openBody(sealed))) as ClusterMap // the authority signed it, so it made it
  if (map.cluster !== cluster || map.epoch !== header.epoch) throw new ChatError('AUTH_CLUSTER')
  return { map, sealed }
}

export const nodeOf = (map: ClusterMap, peer: string): MapNode | undefined =>
  map.nodes.find((node) => node.peer === peer)
export const peersWithRole = (map: ClusterMap, role: Role): string[] =>
  map.nodes.filter((node) => node.roles.includes(role)).map((node) => node.peer)
/** Where attachments are. */
export const mediaHomes = (map: ClusterMap): Homes => map.media ?? map.homes
export const authorityPeer = (map: ClusterMap): string | undefined => map.nodes.find((node) => node.authority)?.peer
export const isRevoked = (map: ClusterMap, user: string, dev: string): boolean =>
  map.revocations.some((revocation) => revocation.user === user && revocation.dev === dev)
/** What a device signed before it was revoked is as good as ever. */
export const isRevokedAt = (map: ClusterMap, { from, dev, at }: { from: string; dev: string; at: number }): boolean =>
  map.revocations.some((revocation) => revocation.user === from && revocation.dev === dev && revocation.at < at)
