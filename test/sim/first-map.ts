// The cluster map that every run begins with, signed by the simulator's authority.
import { toBase64, toHex } from '../../src/protocol/bytes.ts'
import {
  type ClusterMap,
  homeSet,
  type MapNode,
  type Role,
  type SignedMap,
  signMap,
} from '../../src/protocol/cluster-map.ts'
import { limits } from '../../src/protocol/limits.ts'
import { keyOf } from './keys.ts'
import { nodeNames } from './scenario.ts'

/** Name of the authority's key. */
export const AUTHORITY = 'authority'

/** Every member stands in it from the beginning; the stores in use are those of the beginning. */
export const firstMap = (members: [string, Role[]][], stores: number): SignedMap => {
  const authority = keyOf(AUTHORITY)
  const nodes = members.map(
    ([name, roles]): MapNode => ({
      peer: name,
      key: toBase64(keyOf(name).publicKey),
      name,
      roles,
      weight: 1,
      addresses: [],
      ...(name === 'router-1' ? { authority: true } : {}),
    }),
  )
  const map: ClusterMap = {
    cluster: toHex(authority.publicKey),
    epoch: 1,
    nodes,
    homes: { current: homeSet(nodeNames('store', stores)) },
    retentionMs: limits.defaultRetentionMs,
    revocations: [],
  }
  return signMap(map, authority.sign)
}
