// One run: boot, the scenario's steps, heal, quiescence, judgement. The same scenario gives the same run, to the last bit.
import { armMutant, type MutantName } from '../../src/platform/mutants.ts'
import { certificateMailbox, groupMailbox, userMailbox } from '../../src/protocol/names.ts'
import { idFromBytes } from '../../src/protocol/records.ts'
import { homesOf, mediaHomesOf } from '../../src/node/replication/placement.ts'
import { act } from './actions.ts'
import { checks, type EndState, findViolations, type Violation } from './checker.ts'
import { SimCluster } from './cluster.ts'
import { versionsEverywhere } from './group-view.ts'
import { withGuards } from './guards.ts'
import type { History } from './history.ts'
import { holdsBlob, livePins, readHome } from './homes.ts'
import type { Scenario, StepKind } from './scenario.ts'

/** Before the first step: everybody starts and registers in a world without faults. */
const BOOT_MS = 30_000
/** The longest wait of anybody after the heal is 60 s (a change of homes that is cancelled), and 30 s until it is tried again. */
const QUIET_MS = 150_000
const LOOK_EVERY_MS = 3_000
/** What people do; all else are faults, and noted. */
const WORK: ReadonlySet<StepKind> = new Set<StepKind>([
  'send',
  'send-file',
  'forward',
  'litter',
  'resend',
  'read',
  'edit',
  'delete',
  'delete-file',
  'react',
  'change-group',
  'settle',
  'status',
])

export interface RunResult {
  seed: number
  violations: Violation[]
  /** Equal for equal runs. */
  hash: string
  history: History
  log: string[]
  /** Virtual milliseconds, and events. */
  virtualMs: number
  events: number
}
export interface RunOptions {
  mutant?: MutantName | undefined
  /** Keeps what the services log: slow. */
  keepLog?: boolean
}

export const runScenario = (scenario: Scenario, { mutant, keepLog = false }: RunOptions = {}): Promise<RunResult> =>
  withGuards(async () => {
    const cluster = new SimCluster(scenario, { keepLog })
    const stopListening = listenForRejections((error) => cluster.defect('promise', error))
    armMutant(mutant)
    try {
      const violations = await live(cluster)
      const { scheduler, history, log } = cluster
      const hash = `${history.hash()}-${(scheduler.fingerprint >>> 0).toString(16)}`
      return {
        seed: scenario.seed,
        violations,
        hash,
        history,
        log,
        virtualMs: scheduler.now,
        events: scheduler.eventCount,
      }
    } finally {
      armMutant(undefined)
      stopListening()
      cluster.end()
    }
  })

const live = async (cluster: SimCluster): Promise<Violation[]> => {
  const { scheduler, scenario } = cluster
  cluster.boot()
  if (!(await scheduler.runUntil(BOOT_MS, () => cluster.isBooted || cluster.defects.length > 0))) {
    return [{ invariant: 0, message: `the cluster did not start: ${cluster.bootProblem()}` }, ...defectsOf(cluster)]
  }
  const begun = scheduler.now
  cluster.history.add({ op: 'fault', type: 'ok', proc: 'world', what: 'begin' })
  for (const step of scenario.steps) {
    scheduler.at(begun + step.at, () => {
      if (!WORK.has(step.do)) {
        cluster.history.add({ op: 'fault', type: 'info', proc: 'world', what: JSON.stringify(step) })
      }
      act(cluster, step)
    })
  }
  await scheduler.runUntil(begun + scenario.healAt, () => cluster.defects.length > 0)
  cluster.heal()
  cluster.history.add({ op: 'fault', type: 'ok', proc: 'world', what: 'heal' })
  return [...defectsOf(cluster), ...(await quiesce(cluster))]
}

/** Looks again and again until nothing is wrong any more, or it is late enough to call it wrong. */
const quiesce = async (cluster: SimCluster): Promise<Violation[]> => {
  const { scheduler, history } = cluster
  const deadline = scheduler.now + QUIET_MS
  for (;;) {
    await scheduler.runUntil(scheduler.now + LOOK_EVERY_MS, () => cluster.defects.length > 0)
    if (cluster.defects.length > 0) return defectsOf(cluster)
    const end = await endState(cluster)
    cluster.tap.judgeRefusals()
    const isLate = scheduler.now >= deadline
    const hasLyingHome = cluster.scenario.lyingHome !== undefined
    const found = findViolations({ history, end }, { hasLyingHome })
    const open = cluster.unfinished()
    const certain = found.filter(({ message }) =>
      checks.some((c) => !c.isEventual && message.startsWith(`${c.name}: `)),
    )
    if (certain.length > 0) return certain
    if (isLate) return [...found, ...open.map((message) => ({ invariant: 0, message: `unfinished: ${message}` }))]
    if (found.length === 0 && (open.length === 0 || hasLyingHome)) return []
  }
}

const endState = async (cluster: SimCluster): Promise<EndState> => {
  const { scheduler } = cluster
  let devices: EndState['devices'] | undefined
  void Promise.all([...cluster.devices.values()].map(({ person, session }) => person.state(session))).then(
    (states) => (devices = states),
  )
  await scheduler.runUntil(scheduler.now + 20_000, () => devices !== undefined || cluster.defects.length > 0)
  const map = cluster.newestMap()
  const versions = versionsEverywhere(cluster)
  const blobs = [...new Set((devices ?? []).flatMap(({ files }) => files.map(({ blob }) => blob)))].filter(Boolean)
  const groups = [...new Set(versions.map(({ group }) => groupMailbox(group)))]
  const mailboxes = cluster.users().flatMap((user) => [userMailbox(user), certificateMailbox(user)])
  const homes = [...cluster.nodes.values()]
    .filter((node) => map.homes.current.peers.includes(node.name))
    .map((node) => ({ ...readHome(node), ...(cluster.damaged.has(node.name) ? { repeated: [] } : {}) }))
  return {
    devices: devices ?? [],
    homes,
    homesOf: Object.fromEntries(
      [...mailboxes, ...groups].map((mailbox) => [mailbox, homesOf(map, mailbox).current.peers]),
    ),
    versions,
    blobs: blobs.map((blob) => ({
      blob,
      homes: mediaHomesOf(map, blob).current.peers,
      holders: [...cluster.nodes.values()].filter((node) => holdsBlob(node, blob)).map(({ name }) => name),
    })),
    // What a home lost that was told of a deletion, nobody else need know.
    pins: cluster.damaged.size > 0 ? [] : pinsAtEnd(cluster),
    forged: cluster.forged,
    intruded: cluster.intruded,
  }
}

const pinsAtEnd = (cluster: SimCluster): EndState['pins'] => {
  const map = cluster.newestMap()
  return [...cluster.nodes.values()].flatMap((node) =>
    livePins(node)
      .filter(({ blob }) => mediaHomesOf(map, blob).current.peers.includes(node.name))
      .map(({ message }) => ({ home: node.name, id: idFromBytes(message) })),
  )
}

const defectsOf = (cluster: SimCluster): Violation[] =>
  cluster.defects.map(({ proc, error }) => ({ invariant: 0, message: `unexpected error in ${proc}: ${error}` }))

const listenForRejections = (report: (error: unknown) => void): (() => void) => {
  process.on('unhandledRejection', report)
  return () => process.off('unhandledRejection', report)
}
