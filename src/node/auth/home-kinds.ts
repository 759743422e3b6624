// The two kinds of homes, of messages and of attachments: who may be one, where they stand in the map, whose data move with them.
import { type ClusterMap, type Homes, type MapNode, mediaHomes, nodeOf } from '../../protocol/cluster-map.ts'
import { mediaState, type RpcMethod, storeState } from '../../protocol/rpc.ts'

/** What a change of homes must know of a service that keeps data there. */
export interface KeeperState {
  state: 'up' | 'syncing' | 'read-only'
  reconciled: number
}
type AskState = RpcMethod<{ epoch: number }, KeeperState>
type MapContent = Omit<ClusterMap, 'epoch' | 'cluster'>

export interface HomeKind {
  name: string
  sets(map: ClusterMap): Homes
  withSets(map: ClusterMap, sets: Homes): MapContent
  /** It is to be a home. */
  isEligible(map: ClusterMap, peer: string): boolean
  /** It can be one, for want of others. */
  mayKeep(map: ClusterMap, peer: string): boolean
  /** Who are to be the homes when nobody is eligible. */
  otherwise(map: ClusterMap): string[]
  states(map: ClusterMap): AskState[]
}

const keepsMessages = (node: MapNode | undefined): boolean =>
  node?.roles.some((role) => role === 'store' || role === 'messages') === true
const isStore = (map: ClusterMap, peer: string): boolean => keepsMessages(nodeOf(map, peer))
/** Cheaper disks for attachments alone. */
const isMediaOnly = (map: ClusterMap, peer: string): boolean => {
  const node = nodeOf(map, peer)
  return node?.roles.includes('media') === true && !keepsMessages(node)
}

const messages: HomeKind = {
  name: 'messages',
  sets: (map) => map.homes,
  withSets: (map, homes) => ({ ...map, homes }),
  isEligible: isStore,
  mayKeep: isStore,
  otherwise: () => [],
  // As long as nobody keeps attachments alone, they move with the messages.
  states: (map) => (map.media ? [storeState] : [storeState, mediaState]),
}

const media: HomeKind = {
  name: 'media',
  sets: mediaHomes,
  withSets: (map, sets) => {
    const { media: _before, ...rest } = map
    // Back at the homes of messages: they move with those again.
    return !sets.next && sets.current.peers.join() === map.homes.current.peers.join() ? rest : { ...map, media: sets }
  },
  isEligible: isMediaOnly,
  mayKeep: (map, peer) => isMediaOnly(map, peer) || isStore(map, peer),
  otherwise: (map) => (map.media ? map.homes.current.peers : []),
  states: () => [mediaState],
}

export const homeKinds: readonly HomeKind[] = [messages, media]

/** Its data may be the only ones: it leaves by a change of the homes. */
export const isHome = (map: ClusterMap, peer: string): boolean =>
  homeKinds.some((kind) => {
    const { current, next } = kind.sets(map)
    return current.peers.includes(peer) || next?.peers.includes(peer) === true
  })
