// The cluster behind `npm start`: small, in processes of its own, kept in one directory, and owned by one such program at a time.
import { readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { ChatError } from '../protocol/errors.ts'
import { wsUrl } from './cluster/list.ts'
import { nextFreePort } from './cluster/ports.ts'
import { livenessOf, type ProcessRef, processRef } from './cluster/process-identity.ts'
import { shutDown } from './cluster/shutdown.ts'
import { readState, requireState } from './cluster/state.ts'
import { clusterUp } from './cluster/up.ts'
import { makeDirectory } from '../platform/make-directory.ts'
import { writeWhole } from '../platform/write-whole.ts'

const FIRST_PORT = 7400
/** One router holds the authority, the second shows that leases live on; three stores are what keeps messages. */
const COUNTS = { gateway: 1, router: 2, store: 3, group: 1 }
const OWNER = 'owner.json'

export interface LocalCluster {
  dir: string
  /** Where profiles are kept. */
  home: string
  gateway: string
}
export interface LocalClusterOptions {
  dir: string
  fresh: boolean
  progress: (text: string) => void
}

/** CLUSTER_STATE when another `npm start` runs there. */
export const openLocalCluster = async ({ dir, fresh, progress }: LocalClusterOptions): Promise<LocalCluster> => {
  const startedAt = performance.now()
  mustBeFree(dir)
  if (fresh) {
    await closeCluster(dir)
    rmSync(dir, { recursive: true, force: true })
  }
  makeDirectory(dir)
  writeWhole(join(dir, OWNER), JSON.stringify(processRef(process.pid)))
  try {
    const wsPort = await nextFreePort(FIRST_PORT)
    await clusterUp({ dir, counts: COUNTS, direct: true, wsPort, progress })
  } catch (error) {
    await closeCluster(dir)
    throw error
  }
  const { nodes } = requireState(dir)
  const gateway = nodes.map(wsUrl).find((url) => url !== null) ?? ''
  progress(`${nodes.length} processes are one cluster after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  return { dir, home: homeIn(dir), gateway }
}

/** Ends every node that runs; the data stay. */
export const closeCluster = async (dir: string): Promise<void> => {
  if (readState(dir)) await shutDown(dir)
  rmSync(join(dir, OWNER), { force: true })
}

/** As one types it here: relative when it is below. */
const shortest = (path: string): string => {
  const short = relative(process.cwd(), path)
  return short === '' || short.startsWith('..') ? path : short
}

/** What a second person types to join: somebody else than `user`. */
export const joinLine = ({ home, gateway }: Pick<LocalCluster, 'home' | 'gateway'>, user?: string): string => {
  const guest = user === 'bob' ? 'carol' : 'bob'
  const chat = `npx chat --home ${shortest(home)} --profile ${guest}`
  return `${chat} register ${guest} --gateway ${gateway} && ${chat} tui`
}

const homeIn = (dir: string): string => join(dir, 'profiles')

/** undefined too when the file was cut short: whoever did not get to write it whole has ended. */
const ownerOf = (dir: string): ProcessRef | undefined => {
  try {
    return JSON.parse(readFileSync(join(dir, OWNER), 'utf8')) as ProcessRef // written above
  } catch {
    return undefined
  }
}

const mustBeFree = (dir: string): void => {
  const owner = ownerOf(dir)
  if (!owner || livenessOf(owner) === 'gone') return
  const gateway =
    readState(dir)
      ?.nodes.map(wsUrl)
      .find((url) => url !== null) ?? 'ws://127.0.0.1:7400'
  throw new ChatError('CLUSTER_STATE', {
    message: `it runs in ${shortest(dir)} already (process ${owner.pid}); a second person joins with \`${joinLine({ home: homeIn(dir), gateway })}\``,
  })
}
