// Who dials whom through which port of the proxy: makes the table from the state of the cluster, hands it to the proxy process,
// and writes for each node the file in which it finds the addresses of the others (`chatd start --dial-via`).
import { dirname } from 'node:path'
import { ChatError } from '../../protocol/errors.ts'
import type { LinkMode, LinkOrder, LinkReport } from './link-proxy.ts'
import { livenessOf } from './process-identity.ts'
import { programPath, spawnDetached } from './program.ts'
import { waitReady } from './ready-line.ts'
import { type ClusterState, type Cut, linksFile, logFile, type ProxyEntry, updateState } from './state.ts'
import { makeDirectory } from '../../platform/make-directory.ts'
import { writeWhole } from '../../platform/write-whole.ts'

const PROXY_START_MS = 30_000
const PROXY_ANSWER_MS = 5_000

/** A link of a node that is cut, and how. */
export interface NodeCut {
  node: string
  mode: Cut['mode']
}

const isCutBy = (cut: Cut, from: string, to: string): boolean =>
  (cut.left.includes(from) && cut.right.includes(to)) || (cut.right.includes(from) && cut.left.includes(to))

/** Of several cuts of a link the last counts. */
const modeOf = (cuts: Cut[], from: string, to: string): LinkMode =>
  cuts.findLast((cut) => isCutBy(cut, from, to))?.mode ?? 'open'

/** The nodes from which one is cut off. */
export const cutsOf = ({ nodes, cuts }: Pick<ClusterState, 'nodes' | 'cuts'>, name: string): NodeCut[] =>
  nodes.flatMap(({ name: node }) => {
    const mode = modeOf(cuts, name, node)
    return mode === 'open' ? [] : [{ node, mode }]
  })

/** One order for each ordered pair of nodes. */
export const linkOrders = ({ nodes, cuts }: Pick<ClusterState, 'nodes' | 'cuts'>): LinkOrder[] =>
  nodes.flatMap((from) =>
    nodes
      .filter((to) => to !== from)
      .map((to) => ({ from: from.name, to: to.name, target: to.ports.listen, mode: modeOf(cuts, from.name, to.name) })),
  )

/** Brings proxy and files in line with the state; starts the proxy if it does not run. Nothing to do in a cluster without one. */
export const applyLinks = async (dir: string, state: ClusterState): Promise<void> => {
  if (!state.proxied) return
  const proxy = await runningProxy(dir, state)
  const reports = await putLinks(proxy, linkOrders(state))
  for (const { name } of state.nodes) {
    const mine = reports.filter((report) => report.from === name)
    writeLinks(linksFile(dir, name), Object.fromEntries(mine.map((r) => [r.to, `/ip4/127.0.0.1/tcp/${r.port}`])))
  }
}

const runningProxy = async (dir: string, state: ClusterState): Promise<ProxyEntry> => {
  if (state.proxy && livenessOf(state.proxy.process) !== 'gone') return state.proxy
  const output = logFile(dir, 'proxy')
  const detached = await spawnDetached([programPath('chatd'), 'cluster', 'proxy'], output)
  const ready = await waitReady({ name: 'the proxy', output, detached, timeoutMs: PROXY_START_MS })
  const entry = { process: detached.process, port: Number(ready.port), token: String(ready.token) }
  await updateState(dir, (fresh) => {
    fresh.proxy = entry
  })
  return entry
}

const putLinks = async ({ port, token }: ProxyEntry, orders: LinkOrder[]): Promise<LinkReport[]> => {
  const response = await fetch(`http://127.0.0.1:${port}/links`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(orders),
    signal: AbortSignal.timeout(PROXY_ANSWER_MS),
  }).catch((cause: unknown) => {
    throw new ChatError('CLUSTER_STATE', { message: 'The proxy between the nodes does not answer', cause })
  })
  if (!response.ok)
    throw new ChatError('CLUSTER_STATE', { message: `The proxy said ${response.status}: ${await response.text()}` })
  return (await response.json()) as LinkReport[] // by proxy-server.ts of the same version
}

/** Whole or not at all: nodes read it at any time. */
const writeLinks = (path: string, addresses: Record<string, string>): void => {
  makeDirectory(dirname(path))
  writeWhole(path, JSON.stringify(addresses))
}
