// Asks for the state of the cluster again and again while the operator's view is open. What is not available is said, not shown as empty.
import { safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import type { Clock } from '../platform/ports.ts'
import { sleep } from '../platform/timing.ts'
import { asChatError } from '../protocol/errors.ts'
import type { ClusterPort } from './cluster.ts'
import type { Store } from './store.ts'

/** A node waits a second for those that do not answer. */
const ASK_AGAIN_MS = 1_000

export interface ClusterWatchPorts {
  store: Store
  clock: Clock
  signal: AbortSignal
  cluster: ClusterPort | undefined
}

export class ClusterWatch {
  readonly #ports: ClusterWatchPorts
  #isAsking = false

  constructor(ports: ClusterWatchPorts) {
    this.#ports = ports
  }

  async start(): Promise<void> {
    const { store, cluster } = this.#ports
    if (!cluster) {
      const text = safe`It needs an operator’s token: npm start has one, else chat tui --cluster DIRECTORY of a cluster or node here.`
      store.dispatch({ type: 'toast', text, style: 'problem' })
      return
    }
    store.dispatch({ type: 'openCluster' })
    if (this.#isAsking) return
    this.#isAsking = true
    try {
      await this.#ask(cluster)
    } finally {
      this.#isAsking = false
    }
  }

  async #ask(cluster: ClusterPort): Promise<void> {
    const { store, clock, signal } = this.#ports
    while (!signal.aborted && store.getState().overlay?.kind === 'cluster') {
      try {
        const report = await cluster.status()
        store.dispatch({ type: 'ticked', nowMs: clock.now() })
        store.dispatch({ type: 'cluster', report })
      } catch (error) {
        const problem = safeLine(asChatError(error).message, { maxLength: 300 })
        store.dispatch({ type: 'clusterProblem', problem })
      }
      await sleep(clock, ASK_AGAIN_MS, signal)
    }
  }
}
