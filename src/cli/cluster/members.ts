// Adds nodes to a running local cluster and removes them for good.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../platform/system.ts'
import { sleep } from '../../platform/timing.ts'
import { roles as knownRoles } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import { removeFromMap, requestTicket } from './admin.ts'
import { waitUntilWhole } from './converge.ts'
import { adminUrl, type NodeRow, wsUrl } from './list.ts'
import { applyLinks } from './links.ts'
import { startNode } from './nodes.ts'
import { giveAddresses, nextName } from './plan.ts'
import { endProcess, livenessOf } from './process-identity.ts'
import { type ClusterState, type NodeEntry, requireNode, requireState, updateState } from './state.ts'

const DRAIN_MS = 10_000
const REMOVE_MS = 60_000
const POLL_MS = 200

type Progress = (text: string) => void

const runningAuthority = (state: ClusterState): NodeEntry => {
  const node = requireNode(state, state.authority)
  if (livenessOf(node.process) === 'running') return node
  throw new ChatError('AUTH_UNAVAILABLE', {
    message: `${node.name} holds the authority and does not run; start it first`,
  })
}

const isRunning = (node: NodeEntry): boolean => livenessOf(node.process) === 'running'

export const addNode = async (dir: string, roles: string[], progress: Progress): Promise<NodeRow> => {
  const unknown = roles.find((role) => !knownRoles.some((known) => known === role))
  if (unknown !== undefined || roles.length === 0) {
    throw new ChatError('USAGE', { message: `There is no role ${unknown ?? ''}; roles are ${knownRoles.join(', ')}` })
  }
  const ticket = await requestTicket(dir, runningAuthority(requireState(dir)), roles)
  let name = ''
  await updateState(dir, async (state) => {
    // Not one of a removed node either: its directory, and the identity in it, are still there.
    name = nextName(roles[0] ?? '', [...state.nodes.map((node) => node.name), ...readdirSync(join(dir, 'nodes'))])
    state.nodes.push(...(await giveAddresses([{ name, roles }], state.nodes)))
  })
  progress(`starting ${name}`)
  const node = await startNode(dir, name, { join: ticket })
  const present = requireState(dir)
    .nodes.filter(isRunning)
    .map((each) => each.name)
  await waitUntilWhole(dir, progress, present)
  return { name, roles, pid: node.process?.pid ?? null, state: 'up', admin: adminUrl(node), ws: wsUrl(node), cuts: [] }
}

/** A home is asked for again and again until its records are safe on others. */
export const removeNode = async (dir: string, name: string, progress: Progress): Promise<{ epoch: number }> => {
  const state = requireState(dir)
  const node = requireNode(state, name)
  const deadline = systemClock.monotonic() + REMOVE_MS
  for (let isSaid = false; ; isSaid = true) {
    const { removed, epoch } = await removeFromMap(dir, runningAuthority(state), name)
    if (removed) {
      await endProcess(node.process, DRAIN_MS)
      const rest = await updateState(dir, (fresh) => {
        fresh.nodes = fresh.nodes.filter((each) => each.name !== name)
      })
      await applyLinks(dir, rest)
      return { epoch }
    }
    if (!isSaid) progress(`${name} hands its messages to other stores`)
    if (systemClock.monotonic() > deadline) {
      throw new ChatError('TIMEOUT', { message: `${name} still has messages that no other home has; it stays for now` })
    }
    await sleep(systemClock, POLL_MS)
  }
}
