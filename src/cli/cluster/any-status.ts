// The state of a cluster from whichever of its nodes answers: the one that did last is asked first. For the terminal client's operator's view.
import type { ClusterStatus } from '../../node/node-status.ts'
import { ChatError } from '../../protocol/errors.ts'
import { adminCall } from '../admin-client.ts'
import { statusOf } from './admin.ts'
import { livenessOf } from './process-identity.ts'
import { readState } from './state.ts'

/** `dir` is that of a local cluster or the data directory of one node; its operator's token must be readable there. */
export const anyStatus = (dir: string): (() => Promise<ClusterStatus>) => {
  let last = ''
  const ofLocalCluster = async (nodes: NonNullable<ReturnType<typeof readState>>['nodes']): Promise<ClusterStatus> => {
    const running = nodes.filter((node) => livenessOf(node.process) === 'running')
    for (const node of running.sort((a, b) => Number(b.name === last) - Number(a.name === last))) {
      const status = await statusOf(dir, node).catch(() => undefined)
      if (!status) continue
      last = node.name
      return status
    }
    throw new ChatError('NET_UNAVAILABLE', { message: `No node of the cluster in ${dir} answers` })
  }
  return async () => {
    const state = readState(dir)
    if (state) return ofLocalCluster(state.nodes)
    // The cast: by node/admin-routes.ts, of the same version.
    return (await adminCall({ data: dir, path: '/status' })) as ClusterStatus
  }
}
