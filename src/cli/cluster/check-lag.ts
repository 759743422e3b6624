// Whether the homes of a cluster can be compared yet: all serve, at one final epoch, and hold equal digests.
import { homesOfShard, SHARDS } from '../../node/replication/placement.ts'
import type { ClusterMap } from '../../protocol/cluster-map.ts'
import { storeState } from '../../protocol/rpc.ts'
import { digestsOf, type Home } from './check-homes.ts'
import { whyNot } from './check-records.ts'
import type { Problem } from './check-report.ts'

/** Why the homes cannot be compared yet; empty when all serve, at one final epoch, with equal digests. */
export const lagOf = async (map: ClusterMap, home: (peer: string) => Home): Promise<Problem[]> => {
  const { current, next } = map.homes
  if (next || map.media?.next) return [{ kind: 'lag', text: `the homes are changing (joint epoch ${map.epoch})` }]
  const problems: Problem[] = []
  const digests = new Map<string, string[]>()
  await Promise.all(
    current.peers.map(async (peer) => {
      const { name, ask } = home(peer)
      try {
        const { state, epoch } = await ask(storeState, { epoch: map.epoch })
        if (state !== 'up') problems.push({ kind: 'lag', home: name, text: `${name} is ${state}` })
        if (epoch !== map.epoch) problems.push({ kind: 'lag', home: name, text: `${name} is at epoch ${epoch}` })
        digests.set(peer, await digestsOf(home(peer), map.epoch))
      } catch (error) {
        problems.push({ kind: 'lag', home: name, text: `${name} does not answer: ${whyNot(error)}` })
      }
    }),
  )
  if (problems.length > 0) return problems
  const differing = Array.from({ length: SHARDS }, (_, shard) => shard).filter(
    (shard) => new Set(homesOfShard(map, shard).current.peers.map((peer) => digests.get(peer)?.[shard])).size > 1,
  )
  if (differing.length === 0) return []
  return [
    {
      kind: 'lag',
      text: `the homes of ${differing.length} shards hold different records (first: shard ${differing[0]})`,
    },
  ]
}
