// Ends everything of a local cluster that runs, paused nodes too, within ten seconds; data and state stay.
import { endProcess, livenessOf } from './process-identity.ts'
import { requireState } from './state.ts'

/** The promise of `down` is 10 s: what has not drained by then is killed. */
const DRAIN_MS = 7_000

export interface DownReport {
  stopped: string[]
  /** Of those, the ones that did not end by themselves. */
  killed: string[]
}

export const shutDown = async (dir: string): Promise<DownReport> => {
  const state = requireState(dir)
  const running = state.nodes.filter((node) => livenessOf(node.process) !== 'gone')
  const ends = await Promise.all(
    running.map(async ({ name, process }) => ({ name, inOrder: await endProcess(process, DRAIN_MS) })),
  )
  // Last, so that nodes can say goodbye to each other.
  await endProcess(state.proxy?.process, 1_000)
  return {
    stopped: ends.map(({ name }) => name),
    killed: ends.filter(({ inOrder }) => !inOrder).map(({ name }) => name),
  }
}
