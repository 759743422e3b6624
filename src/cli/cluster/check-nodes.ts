// Where `chatd cluster check` reads: the newest map that any running node knows, and the stores in it.
import { type ClusterMap, nodeOf } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import { inspect, mapOf } from './admin.ts'
import type { CheckOptions } from './check.ts'
import { livenessOf } from './process-identity.ts'
import { type NodeEntry, requireState } from './state.ts'

export const runningChecker = (dir: string): Pick<CheckOptions, 'map' | 'home'> => {
  let newest: ClusterMap | undefined
  const map = async (): Promise<ClusterMap> => {
    const { nodes } = requireState(dir)
    const running = nodes.filter((node) => livenessOf(node.process) === 'running')
    if (running.length === 0)
      throw new ChatError('CLUSTER_STATE', { message: 'No node runs; chatd cluster up starts them' })
    const maps = await Promise.allSettled(running.map((node) => mapOf(dir, node)))
    const known = maps.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
    newest = known.reduce((best, each) => (best && best.epoch >= each.epoch ? best : each), newest)
    if (newest) return newest
    throw new ChatError('CLUSTER_STATE', { message: 'No node answers at its admin endpoint' })
  }
  const home: CheckOptions['home'] = (peer) => {
    const name = (newest && nodeOf(newest, peer)?.name) ?? peer
    return { name, peer, ask: async (method, request) => inspect({ dir, node: storeNode(dir, name) }, method, request) }
  }
  return { map, home }
}

const storeNode = (dir: string, name: string): NodeEntry => {
  const node = requireState(dir).nodes.find((each) => each.name === name)
  const liveness = livenessOf(node?.process)
  if (node && liveness === 'running') return node
  throw new ChatError('CLUSTER_STATE', {
    message: liveness === 'paused' ? `${name} is paused` : `${name} does not run`,
  })
}
