// deadline: 240s
// Registers and the ledger of groups on virtual time: seeded runs with crashes, pauses, partitions, lost and doubled answers, disks that
// lose what is not synced or everything, and changes of the homes; and every deliberate fault, each of which must be caught.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { registerMutantNames } from '../src/platform/mutants.ts'
import { huntRegisterMutant } from './sim-register/hunt.ts'
import { runRegisters } from './sim-register/run.ts'

const SEEDS = 250
/** Most are caught within ten. */
const MUTANT_SEEDS = 300

const test = suite('register simulation')

test(`${SEEDS} seeds without a violation`, async () => {
  const failures: string[] = []
  for (let seed = 1; seed <= SEEDS && failures.length < 3; seed++) {
    const { violations } = await runRegisters(seed)
    for (const { rule, message } of violations) failures.push(`seed ${seed}: ${rule}: ${message}`)
  }
  assert.is(failures.join('\n'), '')
})

test('a run replays exactly, and another seed is another run', async () => {
  const hashes: string[] = []
  for (const seed of [7, 7, 8]) hashes.push((await runRegisters(seed)).hash)
  assert.is(hashes[0], hashes[1])
  assert.is.not(hashes[1], hashes[2])
})

for (const mutant of registerMutantNames) {
  test(`caught: ${mutant}`, async () => {
    assert.ok(await huntRegisterMutant(mutant, MUTANT_SEEDS), `${mutant} survived ${MUTANT_SEEDS} seeds`)
  })
}

test.run()
