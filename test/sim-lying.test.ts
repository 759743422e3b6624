// deadline: 600s
// A home that lies about groups: what devices believe and show must hold all the same, and members who were shown different histories
// hear of it; and deliberate faults of just that, each of which must be caught.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { lyingMutantNames, type MutantName } from '../src/platform/mutants.ts'
import { makeLyingScenario } from './sim/lying-scenario.ts'
import { runScenario, type RunResult } from './sim/run.ts'

/** One of ten or so has groups on three homes. */
const SEEDS = 120
const MUTANTS: readonly MutantName[] = [
  ...lyingMutantNames,
  'fork-unseen',
  'group-version-unchecked',
  'signature-unchecked',
]

const sim = suite('sim: a home that lies')

async function* runs(mutant?: MutantName): AsyncGenerator<RunResult> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const scenario = makeLyingScenario(seed)
    if (scenario) yield await runScenario(scenario, { mutant })
  }
}

sim(`${SEEDS} seeds without a violation`, async () => {
  const failures: string[] = []
  let count = 0
  for await (const { seed, violations } of runs()) {
    count++
    for (const { invariant, message } of violations) failures.push(`seed ${seed}: ${invariant}: ${message}`)
  }
  assert.is(failures.join('\n'), '')
  assert.ok(count >= 10)
})

for (const mutant of MUTANTS) {
  sim(`caught: ${mutant}`, async () => {
    for await (const { violations } of runs(mutant)) if (violations.length > 0) return
    assert.unreachable(`${mutant} survived`)
  })
}

sim.run()
