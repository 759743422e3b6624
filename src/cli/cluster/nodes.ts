// Starts and ends the node processes of a local cluster. A start is claimed under the lock of the state, so that two commands never
// run one node twice; it is over when the node has said that it serves.
import { ChatError } from '../../protocol/errors.ts'
import { applyLinks } from './links.ts'
import { endProcess, killProcess, livenessOf, signalProcess, waitForLiveness } from './process-identity.ts'
import { type Detached, programPath, spawnDetached } from './program.ts'
import { waitReady } from './ready-line.ts'
import {
  type ClusterState,
  linksFile,
  logFile,
  type NodeEntry,
  nodeDirectory,
  requireNode,
  requireState,
  updateNode,
  updateState,
} from './state.ts'

const START_MS = 60_000
const DRAIN_MS = 20_000
const SIGNAL_MS = 2_000

export interface StartOptions {
  /** A ticket, for the first start of a node that is not a member yet. */
  join?: string
  /** False when the caller has brought the links in line already. */
  withLinks?: boolean
}

const startArguments = (dir: string, { proxied }: ClusterState, node: NodeEntry, join?: string): string[] => [
  programPath('chatd'),
  'start',
  ...['--role', node.roles.join(',')],
  ...['--name', node.name],
  ...['--data', nodeDirectory(dir, node.name)],
  ...['--listen', `/ip4/127.0.0.1/tcp/${node.ports.listen}`],
  ...['--admin', `127.0.0.1:${node.ports.admin}`],
  ...(node.ports.ws === undefined ? [] : ['--ws', `127.0.0.1:${node.ports.ws}`]),
  ...(node.ports.join === undefined ? [] : ['--join-listen', `127.0.0.1:${node.ports.join}`]),
  ...(proxied ? ['--dial-via', linksFile(dir, node.name)] : []),
  ...(join === undefined ? [] : ['--join', join]),
  '--open-registration',
  '--json',
]

/** Resolves with the node once it serves; at once when it runs already. */
export const startNode = async (
  dir: string,
  name: string,
  { join, withLinks = true }: StartOptions = {},
): Promise<NodeEntry> => {
  if (withLinks) await applyLinks(dir, requireState(dir))
  let detached: Detached | undefined
  const claimed = await updateState(dir, async (state) => {
    const node = requireNode(state, name)
    const liveness = livenessOf(node.process)
    if (liveness === 'paused') {
      throw new ChatError('CLUSTER_STATE', { message: `${name} is paused; chatd cluster resume ${name} lets it go on` })
    }
    if (liveness === 'running') return
    detached = await spawnDetached(startArguments(dir, state, node, join), logFile(dir, name))
    node.process = detached.process
  })
  if (!detached) return requireNode(claimed, name)
  const ready = await waitReady({ name, output: logFile(dir, name), detached, timeoutMs: START_MS })
  return requireNode(await updateNode(dir, name, (node) => remember(node, ready)), name)
}

const textOr = (value: unknown, otherwise: string | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : otherwise

const remember = (node: NodeEntry, ready: Record<string, unknown>): void => {
  const peer = textOr(ready.peerId, node.peer)
  const admin = textOr(ready.admin, node.admin)
  const ws = textOr(ready.ws, node.ws)
  Object.assign(node, { ...(peer && { peer }), ...(admin && { admin }), ...(ws && { ws }) })
}

/** SIGKILL; resolves when the process is gone. */
export const killNode = async (dir: string, name: string): Promise<void> => killProcess(runningNode(dir, name).process)

/** SIGTERM: the node drains. False when it had to be killed. */
export const stopNode = (dir: string, name: string): Promise<boolean> =>
  endProcess(runningNode(dir, name).process, DRAIN_MS)

export const pauseNode = (dir: string, name: string): Promise<void> => signalAndWait(dir, name, ['SIGSTOP', 'paused'])
export const resumeNode = (dir: string, name: string): Promise<void> => signalAndWait(dir, name, ['SIGCONT', 'running'])

const signalAndWait = async (
  dir: string,
  name: string,
  [signal, wanted]: ['SIGSTOP', 'paused'] | ['SIGCONT', 'running'],
): Promise<void> => {
  const { process: ref } = runningNode(dir, name)
  signalProcess(ref, signal)
  if (ref && !(await waitForLiveness(ref, wanted, SIGNAL_MS))) {
    throw new ChatError('CLUSTER_STATE', { message: `${name} is not ${wanted} after ${signal}` })
  }
}

const runningNode = (dir: string, name: string): NodeEntry => {
  const node = requireNode(requireState(dir), name)
  if (livenessOf(node.process) !== 'gone') return node
  throw new ChatError('CLUSTER_STATE', { message: `${name} does not run; chatd cluster start ${name} starts it` })
}
