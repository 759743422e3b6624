// Brings a local cluster up: makes it when there is none, starts what does not run, and waits until it is one cluster.
// The authority starts first only as long as others still have to join; later all start at once, in any order.
import { DataFiles } from '../../node/data-files.ts'
import { initCluster } from '../../node/membership.ts'
import { isDataDirectory } from '../../platform/data-directory.ts'
import { systemRandom } from '../../platform/system.ts'
import { ChatError } from '../../protocol/errors.ts'
import { requestTicket } from './admin.ts'
import { waitUntilWhole } from './converge.ts'
import { applyLinks } from './links.ts'
import { startNode } from './nodes.ts'
import { AUTHORITY, type Counts, giveAddresses, planNames } from './plan.ts'
import { isPortFree } from './ports.ts'
import { livenessOf } from './process-identity.ts'
import {
  type ClusterState,
  nodeDirectory,
  type NodeEntry,
  readState,
  requireNode,
  requireState,
  updateState,
  writeState,
} from './state.ts'

export interface UpOptions {
  dir: string
  counts: Counts
  /** No proxy between the nodes: links cannot be cut. */
  direct: boolean
  /** A free port: where the first gateway of a new cluster is to listen, and one of an old cluster whose port is taken by now. */
  wsPort?: number
  progress: (text: string) => void
}

export const clusterUp = async (options: UpOptions): Promise<ClusterState> => {
  const { dir, progress } = options
  const known = readState(dir)
  if (!known) await found(options)
  else await reuse(options)
  await startAll(dir, progress)
  if (requireState(dir).cuts.length === 0) await waitUntilWhole(dir, progress)
  else progress('links between the nodes are cut; chatd cluster heal closes the cuts')
  return requireState(dir)
}

const reuse = async ({ dir, wsPort, progress }: UpOptions): Promise<void> => {
  progress(`there is a cluster in ${dir} already: its nodes are started as they are`)
  if (wsPort === undefined) return
  await updateState(dir, async ({ nodes }) => {
    const gateway = nodes.find(({ ports }) => ports.ws !== undefined)
    if (!gateway || livenessOf(gateway.process) !== 'gone' || (await isPortFree(gateway.ports.ws ?? 0))) return
    gateway.ports.ws = wsPort
  })
}

const found = async ({ dir, counts, direct, wsPort }: UpOptions): Promise<void> => {
  if (counts.router < 1)
    throw new ChatError('USAGE', { message: 'A cluster needs a router: router-1 holds its authority' })
  mustBeNoNode(dir)
  const nodes = await giveAddresses(planNames(counts))
  const gateway = nodes.find(({ ports }) => ports.ws !== undefined)
  if (gateway && wsPort !== undefined) gateway.ports.ws = wsPort
  const files = new DataFiles(nodeDirectory(dir, AUTHORITY))
  const cluster = files.settings().cluster ?? initCluster({ files, random: systemRandom }, AUTHORITY)
  writeState(dir, { version: 1, cluster, authority: AUTHORITY, nodes, proxied: !direct, cuts: [] })
}

/** The directory of one node is none of a cluster: both would write to it. */
const mustBeNoNode = (dir: string): void => {
  if (!isDataDirectory(dir)) return
  throw new ChatError('DATA_DIRECTORY', {
    message: `${dir} is the data directory of one node; name another with --dir, or start that node with chatd start --data ${dir}`,
  })
}

const startAll = async (dir: string, progress: (text: string) => void): Promise<void> => {
  const state = requireState(dir)
  await applyLinks(dir, state)
  const absent = state.nodes.filter((node) => livenessOf(node.process) !== 'running')
  const newcomers = absent.filter((node) => node.peer === undefined && node.name !== state.authority)
  if (newcomers.length > 0) {
    progress(`starting ${state.authority}, which holds the authority`)
    await startNode(dir, state.authority, { withLinks: false })
  }
  const authority = requireNode(requireState(dir), state.authority)
  const start = async (node: NodeEntry): Promise<void> => {
    const join = newcomers.includes(node) ? await requestTicket(dir, authority, node.roles) : undefined
    await startNode(dir, node.name, { withLinks: false, ...(join === undefined ? {} : { join }) })
    progress(`${node.name} serves`)
  }
  const others = absent.filter((node) => newcomers.length === 0 || node.name !== state.authority)
  if (others.length > 0) progress(`starting ${others.map(({ name }) => name).join(', ')}`)
  const results = await Promise.allSettled(others.map(start))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}
