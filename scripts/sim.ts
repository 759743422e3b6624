// Runs the simulator from the command line: many seeds, one seed in detail, or every mutant. See docs/simulator.md.
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { clientMutantNames, lyingMutantNames, type MutantName, mutantNames } from '../src/platform/mutants.ts'
import type { Violation } from '../test/sim/checker.ts'
import { formatEvent } from '../test/sim/history.ts'
import { huntMutant } from '../test/sim/hunt.ts'
import { runParallel } from '../test/sim/parallel.ts'
import { runScenario, type RunResult } from '../test/sim/run.ts'
import { makeLyingScenario } from '../test/sim/lying-scenario.ts'
import { makeScenario } from '../test/sim/make-scenario.ts'
import type { Scenario } from '../test/sim/scenario.ts'
import { shrink } from '../test/sim/shrink.ts'
import type { Outcome } from '../test/sim/worker.ts'
import { simulateRegisters } from './sim-register.ts'

const HELP = `npm run sim                        200 seeds
npm run sim -- --seeds 10000       more of them; --first 500 begins there; --keep-going shows all failures; --jobs 1 uses one processor
npm run sim -- --seed 42           one seed: its history, its verdict, and that it replays exactly (--log: what services logged)
npm run sim -- --seed 42 --shrink  leaves out what the failure does not need
npm run sim -- --seed 42 --steps 3,7,9   only these steps of it
npm run sim -- --mutants           every mutant must be caught within --seeds (default 200)
npm run sim -- --mutant NAME       one of them, in detail with --seed
npm run sim -- --lying             with a home that lies about groups, of those seeds that have groups on three homes; with --seeds, --first, --seed, --mutant
npm run sim -- --register          registers and the ledger of groups alone, with --seeds, --first, --seed, --mutants, --mutant
`
const LAST_LINES = 40

const { values: given } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    steps: { type: 'string' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    register: { type: 'boolean', default: false },
    lying: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
    'keep-going': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const mutant = [...mutantNames, ...(given.lying ? [...clientMutantNames, ...lyingMutantNames] : [])].find(
  (name) => name === given.mutant,
)
const mutantFlag = `${mutant ? ` --mutant ${mutant}` : ''}${given.lying ? ' --lying' : ''}`
const now = (): number => performance.now()

const printViolations = (violations: Violation[]): void => {
  for (const { invariant, message } of violations.slice(0, 10)) console.log(`  invariant ${invariant}: ${message}`)
  if (violations.length > 10) console.log(`  and ${violations.length - 10} more`)
}

const printFailure = ({ seed, violations, history }: RunResult): void => {
  console.log(`\nseed ${seed} FAILED`)
  for (const event of history.events.slice(-LAST_LINES)) console.log(`  ${formatEvent(event)}`)
  printViolations(violations)
  console.log(
    `  replay: npm run sim -- --seed ${seed}${mutantFlag}\n  shrink: npm run sim -- --seed ${seed}${mutantFlag} --shrink`,
  )
}

const runMany = async (): Promise<boolean> => {
  const started = now()
  let done = 0
  let virtualMs = 0
  const failures: Outcome[] = []
  const rate = (): string => `${(done / ((now() - started) / 1000)).toFixed(1)} seeds/s`
  await runParallel({
    first: Number(given.first),
    seeds: Number(given.seeds),
    isLying: given.lying,
    mutant,
    jobs: Number(given.jobs),
    onOutcome: (outcome) => {
      done++
      virtualMs += outcome.virtualMs
      if (outcome.violations.length > 0) failures.push(outcome)
      if (process.stdout.isTTY) {
        process.stdout.write(`\r${done} of ${given.seeds} seeds, ${rate()}, ${failures.length} failed `)
      }
      const [first] = outcome.violations
      if (first && given['keep-going'])
        console.log(`seed ${outcome.seed}: invariant ${first.invariant}: ${first.message.slice(0, 300)}`)
      return failures.length > 0 && !given['keep-going']
    },
  })
  console.log(
    `\n${done} seeds, ${failures.length} failed, ${rate()}, ${(virtualMs / 3_600_000).toFixed(1)} h of virtual time`,
  )
  const [failed] = failures
  if (failed && !given['keep-going']) printFailure(await runScenario(detailed(failed.seed), { mutant }))
  return failures.length === 0
}

const detailed = (seed: number): Scenario => {
  const scenario = (given.lying ? makeLyingScenario(seed) : undefined) ?? makeScenario(seed)
  const wanted = given.steps?.split(',').map(Number)
  return wanted ? { ...scenario, steps: scenario.steps.filter((_, i) => wanted.includes(i)) } : scenario
}

const runOne = async (seed: number): Promise<boolean> => {
  const scenario = detailed(seed)
  const result = await runScenario(scenario, { mutant, keepLog: given.log })
  const { steps, ...world } = scenario
  console.log(JSON.stringify(world))
  steps.forEach((step, i) => console.log(`step ${i}: ${JSON.stringify(step)}`))
  for (const event of result.history.events) console.log(formatEvent(event))
  for (const line of result.log) console.log(line)
  printViolations(result.violations)
  const again = await runScenario(scenario, { mutant })
  console.log(
    `${result.violations.length === 0 ? 'clean' : 'FAILED'}; ${result.events} events, ${Math.round(result.virtualMs)} ms; hash ${result.hash}`,
  )
  if (again.hash !== result.hash) console.log(`NOT DETERMINISTIC: the second run has hash ${again.hash}`)
  return result.violations.length === 0 && again.hash === result.hash
}

const runShrink = async (seed: number): Promise<boolean> => {
  const scenario = detailed(seed)
  const { violations } = await runScenario(scenario, { mutant })
  const [first] = violations
  if (!first) {
    console.log('clean: nothing to shrink')
    return true
  }
  const { steps, runs } = await shrink(scenario, { invariant: first.invariant, mutant })
  const kept = scenario.steps.flatMap((step, i) => (steps.includes(step) ? [i] : []))
  const { history, violations: left } = await runScenario({ ...scenario, steps }, { mutant })
  for (const event of history.events) console.log(formatEvent(event))
  printViolations(left)
  console.log(
    `${scenario.steps.length} steps became ${steps.length} in ${runs} runs: npm run sim -- --seed ${seed}${mutantFlag} --steps ${kept.join()}`,
  )
  return false
}

const runMutants = async (): Promise<boolean> => {
  let survivors = 0
  for (const name of mutantNames) {
    const started = now()
    const caught = await huntMutant(name, Number(given.seeds), Number(given.first))
    const took = `${((now() - started) / 1000).toFixed(1)} s`
    const [first] = caught?.violations ?? []
    if (!first) survivors++
    const verdict = first
      ? `caught by invariant ${first.invariant}, seed ${caught?.seed}: ${first.message.slice(0, 90)}`
      : 'SURVIVED'
    console.log(`${name.padEnd(28)} ${took.padStart(7)}  ${verdict}`)
  }
  console.log(`${mutantNames.length - survivors} of ${mutantNames.length} mutants caught`)
  return survivors === 0
}

const choose = (): Promise<boolean> => {
  if (given.mutants) return runMutants()
  if (given.seed === undefined) return runMany()
  return given.shrink ? runShrink(Number(given.seed)) : runOne(Number(given.seed))
}

const simulateLedger = (): Promise<boolean> =>
  simulateRegisters({
    first: Number(given.first),
    seeds: Number(given.seeds),
    seed: given.seed === undefined ? undefined : Number(given.seed),
    mutant: given.mutant,
    allMutants: given.mutants,
  })

if (given.help) console.log(HELP)
else if (given.register) process.exitCode = (await simulateLedger()) ? 0 : 1
else if (given.mutant !== undefined && !mutant) {
  console.error(
    `There is no mutant ${given.mutant}. There are: ${(mutantNames satisfies readonly MutantName[]).join(', ')}`,
  )
  process.exitCode = 2
} else process.exitCode = (await choose()) ? 0 : 1
