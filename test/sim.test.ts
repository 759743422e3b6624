// deadline: 600s
// The whole cluster on virtual time: hundreds of seeded runs of the real services with faults, none of which may break an invariant.
// That deliberate faults do is shown by sim-mutants.test.ts. `npm run sim -- --help` says how to replay and to shrink.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hunt, huntMutant } from './sim/hunt.ts'
import { runScenario, type RunResult } from './sim/run.ts'
import { makeScenario } from './sim/make-scenario.ts'
import { shrink } from './sim/shrink.ts'

const SEEDS = 200

const sim = suite('sim')

const describe = ({ seed, violations }: RunResult): string =>
  `seed ${seed}: ${violations.map((v) => `invariant ${v.invariant}: ${v.message}`).join('; ')} (npm run sim -- --seed ${seed})`

sim(`${SEEDS} seeds without a violation`, async () => {
  const failures: string[] = []
  const onRun = (result: RunResult): boolean => {
    if (result.violations.length > 0) failures.push(describe(result))
    return failures.length > 3
  }
  await hunt({ first: 1, seeds: SEEDS, onRun })
  assert.is(failures.join('\n'), '')
})

sim('a run replays exactly, and another seed is another run', async () => {
  const hashes: string[] = []
  for (const seed of [7, 7, 8]) hashes.push((await runScenario(makeScenario(seed))).hash)
  assert.is(hashes[0], hashes[1])
  assert.is.not(hashes[1], hashes[2])
})

sim('a failing run becomes smaller', async () => {
  const mutant = 'own-copy-skipped'
  const caught = await huntMutant(mutant, 5)
  assert.ok(caught)
  const scenario = makeScenario(caught?.seed ?? 0)
  const { steps } = await shrink(scenario, { invariant: caught?.violations[0]?.invariant ?? 0, mutant })
  assert.is(steps.length, 1)
})

sim.run()
