// The nodes of a local cluster and how each is: from the kernel, and where that says `running`, from the node itself.
import { statusOf } from './admin.ts'
import { cutsOf, type NodeCut } from './links.ts'
import { livenessOf } from './process-identity.ts'
import type { ClusterState, NodeEntry } from './state.ts'

export interface NodeRow {
  name: string
  roles: string[]
  pid: number | null
  /** up, syncing, read-only, draining as it says itself; starting: does not answer yet; paused, down as the kernel says. */
  state: string
  admin: string | null
  ws: string | null
  /** The links that `partition` cut and `heal` has not opened. */
  cuts: NodeCut[]
}

export const adminUrl = ({ admin, ports }: NodeEntry): string => admin ?? `http://127.0.0.1:${ports.admin}`
export const wsUrl = ({ ws, ports }: NodeEntry): string | null =>
  ws ?? (ports.ws === undefined ? null : `ws://127.0.0.1:${ports.ws}`)

export const listNodes = (dir: string, state: ClusterState): Promise<NodeRow[]> =>
  Promise.all(
    state.nodes.map(async (node) => {
      const liveness = livenessOf(node.process)
      const { name, roles } = node
      const pid = liveness === 'gone' ? null : (node.process?.pid ?? null)
      const addresses = { admin: adminUrl(node), ws: wsUrl(node) }
      return { name, roles, pid, state: await stateOf(dir, node), ...addresses, cuts: cutsOf(state, name) }
    }),
  )

const stateOf = async (dir: string, node: NodeEntry): Promise<string> => {
  const liveness = livenessOf(node.process)
  if (liveness === 'gone') return 'down'
  if (liveness === 'paused') return 'paused'
  const own = await ownState(dir, node).catch(() => undefined)
  return own ?? 'starting'
}

const ownState = async (dir: string, node: NodeEntry): Promise<string | undefined> => {
  const { nodes } = await statusOf(dir, node)
  return nodes.find((row) => row.name === node.name)?.state
}
