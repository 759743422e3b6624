// How many homes would keep something if the power failed now, and how many that must be: judged by the map that asks for the fewest.
import type { ClusterMap } from '../../src/protocol/cluster-map.ts'
import type { SimCluster } from './cluster.ts'
import { blobDurabilityOf, durabilityOf, type Durability, type Measured } from './homes.ts'
import type { SimNode } from './node.ts'

const homesOfMap = ({ homes }: ClusterMap): string[] => [...homes.current.peers, ...(homes.next?.peers ?? [])]

/** Only maps count that were the newest of one of their homes since then: what homes of an older map say proves nothing. */
const byLeastMap = (
  { nodes, damaged }: SimCluster,
  since: number,
  measure: (stores: SimNode[], map: ClusterMap) => Durability,
): Durability => {
  const stores = [...nodes.values()].filter((node) => node.is.roles.includes('store'))
  const maps = new Map<number, ClusterMap>()
  for (const store of stores) {
    for (const map of store.mapsSince(since)) if (homesOfMap(map).includes(store.name)) maps.set(map.epoch, map)
  }
  const results = [...maps.values()].map((map) => measure(stores, map))
  const best = results.reduce((a, b) => (b.found - b.needed > a.found - a.needed ? b : a))
  // One home may have lost what it acknowledged: that is the one loss that is promised to be survived.
  return { found: best.found, needed: best.needed - damaged.size }
}

/** Copies of a message that was first sent at `since`. */
export const durability = (cluster: SimCluster, message: Measured & { since: number }): Durability =>
  byLeastMap(cluster, message.since, (stores, map) => durabilityOf(stores, map, message))

/**
 * Copies of a blob whose upload, or message, began at `since`; with `message`, pinned ones for it. A home that has confirmed it may have
 * the next map when its answer arrives: whatever is whole on W homes of a map moves to the homes of the next before those count.
 */
export const blobDurability = (
  cluster: SimCluster,
  { blob, since, message }: { blob: string; since: number; message?: string },
): Durability => byLeastMap(cluster, since, (stores, map) => blobDurabilityOf(stores, map, { blob, message }))
