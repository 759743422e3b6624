// Runs seed after seed: the clean ledger must survive all of them, a mutant must not.
import type { RegisterMutantName } from '../../src/platform/mutants.ts'
import { type RegisterRun, runRegisters } from './run.ts'

/** The first run in which the mutant, and not the ledger as it is, was caught; or undefined. */
export const huntRegisterMutant = async (
  mutant: RegisterMutantName,
  seeds: number,
  first = 1,
): Promise<RegisterRun | undefined> => {
  for (let seed = first; seed < first + seeds; seed++) {
    const caught = await runRegisters(seed, mutant)
    if (caught.violations.length > 0 && (await runRegisters(seed)).violations.length === 0) return caught
  }
  return undefined
}
