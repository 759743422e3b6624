// One run: the scenario's steps, heal, and time to come to rest. The same scenario gives the same run.
import { armMutant, type MutantName } from '../../src/platform/mutants.ts'
import { seal } from '../../src/protocol/sealed.ts'
import { withGuards } from '../sim/guards.ts'
import { SeededRandom } from '../sim/random.ts'
import { findViolations, type Violation } from './check.ts'
import { formatEntry, type Told } from './history.ts'
import { makeScenario } from './make-scenario.ts'
import type { Step } from './scenario.ts'
import { World } from './world.ts'

const QUIET_MS = 40_000
const LOOK_MS = 500
/** A client whose message has no answer sends it again, perhaps through another node. */
const RESEND_MS = 2_000

export interface RegisterRun {
  seed: number
  violations: Violation[]
  history: string[]
  /** Equal for equal runs. */
  hash: string
  virtualMs: number
  events: number
}

export const runRegisters = (seed: number, mutant?: MutantName): Promise<RegisterRun> =>
  withGuards(async () => {
    const scenario = makeScenario(seed)
    const world = new World(scenario)
    const onRejection = (error: unknown): void => world.defect(error)
    process.on('unhandledRejection', onRejection)
    armMutant(mutant)
    try {
      const violations = await live(world)
      const { scheduler, history } = world
      return {
        seed,
        violations,
        history: history.entries.map(formatEntry),
        hash: `${(scheduler.fingerprint >>> 0).toString(16)}-${history.entries.length}`,
        virtualMs: scheduler.now,
        events: scheduler.eventCount,
      }
    } finally {
      armMutant(undefined)
      process.off('unhandledRejection', onRejection)
    }
  })

const live = async (world: World): Promise<Violation[]> => {
  const { scheduler, scenario } = world
  const clients = new Clients(world)
  for (const step of scenario.steps) scheduler.at(step.at, () => clients.act(step))
  const isBroken = (): boolean => world.defects.length > 0
  await scheduler.runUntil(scenario.healAt, isBroken)
  world.heal()
  world.history.fault('heal')
  const deadline = scheduler.now + QUIET_MS
  await scheduler.runUntil(scheduler.now + LOOK_MS, isBroken)
  clients.probe()
  for (;;) {
    await scheduler.runUntil(scheduler.now + LOOK_MS, isBroken)
    if (isBroken()) return world.defects.map((message) => ({ rule: 'defect', message }))
    const unfinished = clients.unfinished()
    if (unfinished.length === 0) break
    if (scheduler.now > deadline)
      return [...unfinished.map((message) => ({ rule: 'progress', message })), ...findViolations(world)]
  }
  return findViolations(world)
}

class Clients {
  readonly #world: World
  readonly #random: SeededRandom
  readonly #open = new Set<string>()
  readonly #probes = new Set<string>()

  constructor(world: World) {
    this.#world = world
    this.#random = new SeededRandom(`clients/${world.scenario.seed}`)
  }

  act(step: Step): void {
    const world = this.#world
    if (!('group' in step || 'name' in step)) world.history.fault(JSON.stringify(step))
    const coordinator = world.coordinators.get(step.by)
    const watch = (work: Promise<boolean> | undefined): void =>
      void work?.catch((error: unknown) => world.defect(error))
    if (step.do === 'claim') watch(coordinator?.claim(step.name, step.group))
    if (step.do === 'look-up') watch(coordinator?.lookUp(step.name))
    if (step.do === 'read-at') watch(coordinator?.readAt(step.group, step.version))
    if (step.do === 'change') watch(coordinator?.change(step.group, step.value))
    if (step.do === 'send') this.#send(step)
    if (step.do === 'kill') world.kill(step.by)
    if (step.do === 'start') world.start(step.by)
    if (step.do === 'wipe' && world.mayLose(step.by)) world.wipe(step.by)
    if (step.do === 'pause') world.pause(step.by, step.ms)
    if (step.do === 'cut') world.cut(step.from, step.to, step.isBothWays)
    if (step.do === 'slow') world.slow(step.from, step.to, step.ms)
    if (step.do === 'mend') world.mend()
    if (step.do === 'replace') world.replace(step.homes)
  }

  /** After the heal everything must work: who is asked now gets an answer. */
  probe(): void {
    const { scenario, scheduler } = this.#world
    const probe = (name: string, ask: (by: string) => Promise<boolean> | undefined): void => {
      this.#probes.add(name)
      const attempt = (): void => {
        ask(this.#random.pick(scenario.coordinators))?.then(
          (isDone) => (isDone ? this.#probes.delete(name) : scheduler.after(LOOK_MS, attempt)),
          (error: unknown) => this.#world.defect(error),
        )
      }
      attempt()
    }
    const { coordinators } = this.#world
    for (const group of scenario.groups) {
      probe(`a change of ${group}`, (by) => coordinators.get(by)?.change(group, `last of ${group}`))
    }
    for (const name of scenario.names) {
      const [group = ''] = scenario.groups
      probe(`claim of ${name}`, (by) => coordinators.get(by)?.claim(name, group))
      probe(`look-up of ${name}`, (by) => coordinators.get(by)?.lookUp(name))
    }
  }

  /** What has not come to an end yet. */
  unfinished(): string[] {
    const open = [...this.#world.homes.values()].reduce((sum, { ledger }) => sum + ledger.fanOuts.openCount, 0)
    return [
      ...[...this.#probes].map((name) => `no answer: ${name}`),
      ...[...this.#open].map((message) => `not taken: ${message}`),
      ...(open > 0 && this.#isLate() ? [`${open} messages are open`] : []),
    ]
  }

  /** Homes outside the present set keep what they had for ever; only a run without changes of homes ends with nothing open. */
  #isLate(): boolean {
    return this.#world.maps.length === 1
  }

  #send({ group, message, by }: Step & { do: 'send' }): void {
    const { history, scheduler, coordinators, scenario } = this.#world
    const known = history.entries.reduce(
      (newest, entry) =>
        entry.kind === 'told' && entry.told.op === 'newest' && entry.told.group === group
          ? Math.max(newest, entry.told.version)
          : newest,
      1,
    )
    // An author's device hears of changes sooner or later.
    const gv = Math.max(1, known - (this.#random.chance(0.3) ? 1 : 0))
    const sealed = sealFor(group, message, gv)
    this.#open.add(message)
    const isTaken = (told: Told): boolean => told.op === 'taken' && told.message === message
    const attempt = (through: string): void => {
      if (history.entries.some((entry) => entry.kind === 'told' && isTaken(entry.told))) {
        this.#open.delete(message)
        return
      }
      const item = { group, version: gv, sealed, acceptedAt: Math.round(scheduler.now) }
      coordinators
        .get(through)
        ?.send(item, message)
        .catch((error: unknown) => this.#world.defect(error))
      scheduler.after(RESEND_MS * (0.5 + this.#random.float()), () => attempt(this.#random.pick(scenario.coordinators)))
    }
    attempt(by)
  }
}

const sealFor = (group: string, id: string, gv: number): Buffer => {
  const header = {
    k: 'msg',
    id,
    from: 'ann',
    dev: '0123456789abcdef',
    to: group,
    conv: group,
    at: 1_790_000_000_000,
    seq: 1,
    ct: 'chat/1',
    gv,
  }
  return seal({ cluster: '', header, sign: () => new Uint8Array(64) })
}
