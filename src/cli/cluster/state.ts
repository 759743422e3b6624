// What a local cluster is made of, kept in `cluster.json` of its directory: nodes with their ports and processes, and the proxy between them.
// Every command reads it, some change it: changes are made one at a time, under a lock, on what is on disk at that moment.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../platform/system.ts'
import { sleep } from '../../platform/timing.ts'
import { ChatError } from '../../protocol/errors.ts'
import { livenessOf, type ProcessRef, processRef } from './process-identity.ts'
import { makeDirectory } from '../../platform/make-directory.ts'
import { writeWhole } from '../../platform/write-whole.ts'

export interface NodeEntry {
  name: string
  roles: string[]
  /** Chosen once and kept, so that a node that is started again is where the others look for it. */
  ports: { listen: number; admin: number; ws?: number; join?: number }
  /** Of the last start; the process may be gone. */
  process?: ProcessRef
  /** From its ready line. */
  peer?: string
  admin?: string
  ws?: string
  /** Multiaddress it was last found listening at. */
  listen?: string
}
/** The links between the nodes of `left` and those of `right` are cut, in both directions. */
export interface Cut {
  left: string[]
  right: string[]
  /** reset: connections end and new ones are refused; blackhole: bytes stop, and nobody is told. */
  mode: 'reset' | 'blackhole'
}
export interface ProxyEntry {
  process: ProcessRef
  port: number
  token: string
}
export interface ClusterState {
  version: 1
  cluster: string
  /** The node that holds the authority key. */
  authority: string
  nodes: NodeEntry[]
  /** False: nodes dial each other directly, and links cannot be cut. */
  proxied: boolean
  proxy?: ProxyEntry
  cuts: Cut[]
}

const FILE = 'cluster.json'
const LOCK = 'cluster.lock'
const LOCK_WAIT_MS = 30_000
const LOCK_POLL_MS = 20

export const nodeDirectory = (dir: string, name: string): string => join(dir, 'nodes', name)
export const logFile = (dir: string, name: string): string => join(dir, 'logs', `${name}.log`)
export const linksFile = (dir: string, name: string): string => join(dir, 'links', `${name}.json`)

/** Undefined when there is no cluster in that directory. */
export const readState = (dir: string): ClusterState | undefined => {
  try {
    return JSON.parse(readFileSync(join(dir, FILE), 'utf8')) as ClusterState // written by writeState below
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw new ChatError('DATA_DIRECTORY', { message: `${join(dir, FILE)} cannot be read`, cause })
  }
}

export const requireState = (dir: string): ClusterState => {
  const state = readState(dir)
  if (state) return state
  throw new ChatError('CLUSTER_STATE', {
    message: `There is no cluster in ${dir}; start one with chatd cluster up --dir ${dir}, or name its directory with --dir`,
  })
}

/** The first state of a new cluster; from then on `updateState`. */
export const writeState = (dir: string, state: ClusterState): void => {
  makeDirectory(dir)
  writeWhole(join(dir, FILE), `${JSON.stringify(state, null, 2)}\n`)
}

/** Reads, changes and writes while no other command does. A change that throws changes nothing. */
export const updateState = async (
  dir: string,
  change: (state: ClusterState) => void | Promise<void>,
): Promise<ClusterState> => {
  const unlock = await lock(dir)
  try {
    const state = requireState(dir)
    await change(state)
    writeState(dir, state)
    return state
  } finally {
    unlock()
  }
}

export const updateNode = (dir: string, name: string, change: (node: NodeEntry) => void): Promise<ClusterState> =>
  updateState(dir, (state) => change(requireNode(state, name)))

export const requireNode = (state: ClusterState, name: string): NodeEntry => {
  const node = state.nodes.find((candidate) => candidate.name === name)
  if (node) return node
  throw new ChatError('NODE_UNKNOWN', {
    message: `There is no node ${name} in this cluster; it has ${state.nodes.map((each) => each.name).join(', ')}`,
  })
}

/** A lock file with the pid and start time of its holder; one whose holder is gone counts for nothing. */
const lock = async (dir: string): Promise<() => void> => {
  const path = join(dir, LOCK)
  const me = JSON.stringify(processRef(process.pid))
  const deadline = systemClock.monotonic() + LOCK_WAIT_MS
  for (;;) {
    try {
      writeFileSync(path, me, { flag: 'wx', mode: 0o600 })
      return () => rmSync(path, { force: true })
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) {
        throw new ChatError('DATA_DIRECTORY', { message: `${dir} cannot be written`, cause })
      }
    }
    if (systemClock.monotonic() > deadline || isStale(path)) rmSync(path, { force: true })
    else await sleep(systemClock, LOCK_POLL_MS)
  }
}

const isStale = (path: string): boolean => {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8')) as ProcessRef // written by lock above
    return livenessOf(holder) === 'gone'
  } catch {
    // Being written or just removed: ask again.
    return false
  }
}
