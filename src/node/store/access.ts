// Who may ask a store what, by the roles that the signed map gives the calling peer. A store asks itself without limits.

import { type ClusterMap, type MapNode, nodeOf } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'

export type Caller = 'gateway' | 'group' | 'store' | 'authority' | 'member'

const isStore = (node: MapNode): boolean => node.roles.includes('store') || node.roles.includes('messages')
const rules: Record<Caller, (node: MapNode) => boolean> = {
  gateway: (node) => node.roles.includes('gateway'),
  group: (node) => node.roles.includes('group'),
  store: isStore,
  authority: (node) => node.authority === true,
  member: () => true,
}

/** PEER_DENIED unless `peer` is one of these. */
export const assertCaller = (map: ClusterMap, peer: string, callers: Caller[]): void => {
  const node = nodeOf(map, peer)
  if (!node || !callers.some((caller) => rules[caller](node))) {
    throw new ChatError('PEER_DENIED', { message: `Only a ${callers.join(' or ')} of this cluster may ask that` })
  }
}
