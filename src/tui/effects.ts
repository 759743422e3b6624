// Carries out what the reducer asked for (state.ts, Effect), by tables. What comes of it, and what fails, is said on the screen.
import { safeTemplate as safe } from '../client/safe-text.ts'
import { sleep } from '../platform/timing.ts'
import { ClusterWatch } from './cluster-watch.ts'
import { type EffectPorts, type EffectTools, type Runners, sayError } from './effect-tools.ts'
import { fileRunners } from './file-effects.ts'
import { findingRunners } from './finding-effects.ts'
import { groupRunners } from './group-effects.ts'
import type { Loading } from './loading.ts'
import { messageRunners } from './message-effects.ts'
import { peopleRunners } from './people-effects.ts'
import { changeSetting } from './setting-effects.ts'
import type { Effect } from './state.ts'

/** What is answered by the cluster only: without a gateway it is tried for half a minute. */
const asking: ReadonlySet<Effect['type']> = new Set([
  'members',
  'createGroup',
  'addMembers',
  'removeMembers',
  'leaveGroup',
  'giveRole',
  'renameGroup',
  'setTopic',
  'devices',
  'completeDevice',
  'askRevoke',
  'revoke',
  'link',
  'verify',
  'verified',
] as const)
/** What takes no longer needs no words. */
const QUIET_MS = 700

export class Effects {
  readonly #ports: EffectPorts
  readonly #runners: Runners

  constructor(ports: EffectPorts, loading: Loading) {
    this.#ports = ports
    const { store } = ports
    const tools: EffectTools = {
      ...ports,
      loading,
      say: (text) => store.dispatch({ type: 'toast', text, style: 'dim' }),
      list: (title, rows) => store.dispatch({ type: 'list', title, rows }),
    }
    const watching = new ClusterWatch(ports)
    this.#runners = {
      ...messageRunners(tools),
      ...findingRunners(tools),
      ...fileRunners(tools),
      ...groupRunners(tools),
      ...peopleRunners(tools),
      cluster: () => watching.start(),
      set: (effect) => changeSetting(tools, effect),
      stop: () => ports.stop(),
      redraw: () => ports.redraw(),
      quit: () => ports.quit(),
    }
  }

  /** Says that it takes a while, until it is done. */
  async #told(work: () => Promise<void>): Promise<void> {
    const { store, clock, signal } = this.#ports
    const done = new AbortController()
    const text = safe`Waiting for the cluster …`
    void sleep(clock, QUIET_MS, AbortSignal.any([signal, done.signal])).then(() => {
      if (!signal.aborted && !done.signal.aborted)
        store.dispatch({ type: 'toast', text, style: 'dim', isUnderWay: true })
    })
    try {
      await work()
    } finally {
      done.abort()
      store.dispatch({ type: 'untoast', text })
    }
  }

  run(effect: Effect): void {
    // The cast: the table has, for each type, the runner of exactly that effect; TypeScript cannot follow the index.
    const run = this.#runners[effect.type] as (effect: Effect) => Promise<void> | void
    // In a turn of its own: what it dispatches is in the state at once.
    void (async () => {
      await Promise.resolve()
      await (asking.has(effect.type) ? this.#told(async () => run(effect)) : run(effect))
    })().catch((error: unknown) => {
      if (!this.#ports.signal.aborted) sayError(this.#ports, error)
    })
  }
}
