// Waits until the nodes of a local cluster are one: all of them up, at one final epoch, each connected with each, and every store a home.
import type { ClusterStatus } from '../../node/node-status.ts'
import { systemClock } from '../../platform/system.ts'
import { sleep } from '../../platform/timing.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { statusOf } from './admin.ts'
import { livenessOf } from './process-identity.ts'
import { logFile, type NodeEntry, requireState } from './state.ts'

const POLL_MS = 100
const WHOLE_MS = 60_000
/** How often the same reason is said again. */
const SAY_MS = 2_000

interface Seen {
  node: NodeEntry
  status: ClusterStatus
}

const names = (nodes: { name: string }[]): string => nodes.map(({ name }) => name).join(', ')

/** Why it is not one cluster yet; undefined when it is. */
const whyNotWhole = (seen: Seen[]): string | undefined => {
  const nodes = seen.map(({ node }) => node)
  const epochs = new Set(seen.map(({ status }) => status.epoch))
  const unlisted = nodes.filter((node) => !seen[0]?.status.nodes.some((row) => row.name === node.name))
  if (unlisted.length > 0) return `${names(unlisted)} not in the map yet`
  const joint = seen.find(({ status }) => status.joint)
  if (joint) return `the homes are changing (epoch ${joint.status.epoch})`
  const homes = new Set(seen[0]?.status.current.homes.map((home) => home.name))
  const homeless = nodes.filter((node) => node.roles.includes('store') && !homes.has(node.name))
  if (homeless.length > 0) return `${names(homeless)} not a home yet`
  if (epochs.size > 1) return `nodes are at epochs ${[...epochs].join(', ')}`
  for (const { node, status } of seen) {
    const absent = status.nodes.filter((row) => row.state !== 'up' && nodes.some(({ name }) => name === row.name))
    if (absent.length > 0) return `${node.name} sees ${absent.map((row) => `${row.name} ${row.state}`).join(', ')}`
  }
  return undefined
}

/** Among the nodes named, or all. TIMEOUT. */
export const waitUntilWhole = async (dir: string, progress: (text: string) => void, only?: string[]): Promise<void> => {
  const deadline = systemClock.monotonic() + WHOLE_MS
  let said = ''
  let saidAt = 0
  for (;;) {
    const { nodes } = requireState(dir)
    const wanted = only ? nodes.filter(({ name }) => only.includes(name)) : nodes
    const ended = wanted.find((node) => livenessOf(node.process) === 'gone')
    if (ended)
      throw new ChatError('CLUSTER_STATE', {
        message: `${ended.name} ended meanwhile; its output is in ${logFile(dir, ended.name)}`,
      })
    const reason = await Promise.all(wanted.map(async (node) => ({ node, status: await statusOf(dir, node) }))).then(
      whyNotWhole,
      (error: unknown) => asChatError(error).message,
    )
    if (reason === undefined) return
    const now = systemClock.monotonic()
    if (now > deadline)
      throw new ChatError('TIMEOUT', { message: `The cluster is not whole after ${WHOLE_MS / 1000} s: ${reason}` })
    if (reason !== said && now - saidAt > SAY_MS / 4) {
      progress(`waiting: ${reason}`)
      said = reason
      saidAt = now
    }
    await sleep(systemClock, POLL_MS)
  }
}
