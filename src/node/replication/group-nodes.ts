// Which group node serves a group: any may, so the connected ones by rendezvous hashing; then one group's sends usually meet at one
// node, which knows its newest version, and the work of finishing is shared out without anybody sharing it out.
import { type ClusterMap, peersWithRole } from '../../protocol/cluster-map.ts'
import { compareBytes, toUtf8 } from '../../protocol/bytes.ts'
import { sha256 } from '../../protocol/signing.ts'

/** Connected group nodes, the best for this group first. */
export const groupNodesFor = (map: ClusterMap, group: string, isConnected: (peer: string) => boolean): string[] => {
  const peers = peersWithRole(map, 'group').filter(isConnected)
  if (peers.length < 2) return peers
  return peers
    .map((peer) => ({ peer, hash: sha256(toUtf8(`${group} ${peer}`)) }))
    .sort((a, b) => compareBytes(b.hash, a.hash))
    .map(({ peer }) => peer)
}
