// deadline: 600s
// Every deliberate fault of the services breaks an invariant in some run of the simulator in which the services as they are break none:
// the checks can fail. A file of its own, so that it runs beside the clean runs.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { mutantNames } from '../src/platform/mutants.ts'
import { huntMutant } from './sim/hunt.ts'

/** Within so many seeds each must be caught; most are in the first. */
const SEEDS = 200

const mutants = suite('sim: mutants')

for (const mutant of mutantNames) {
  mutants(`caught: ${mutant}`, async () => {
    assert.ok(await huntMutant(mutant, SEEDS), `${mutant} survived ${SEEDS} seeds`)
  })
}

mutants.run()
