// Runs seed after seed: the clean services must survive all of them, a mutant must not.
import { type MutantName } from '../../src/platform/mutants.ts'
import { runScenario, type RunResult } from './run.ts'
import { makeScenario } from './make-scenario.ts'

export interface Hunt {
  first: number
  seeds: number
  mutant?: MutantName | undefined
  /** Called after each run; true ends the hunt. */
  onRun: (result: RunResult) => boolean
}

/** The number of runs that were made. */
export const hunt = async ({ first, seeds, mutant, onRun }: Hunt): Promise<number> => {
  for (let seed = first; seed < first + seeds; seed++) {
    if (onRun(await runScenario(makeScenario(seed), { mutant }))) return seed - first + 1
  }
  return seeds
}

/** The first run in which the mutant, and not the services as they are, was caught; or undefined. */
export const huntMutant = async (mutant: MutantName, seeds: number, first = 1): Promise<RunResult | undefined> => {
  for (let seed = first; seed < first + seeds; seed++) {
    const scenario = makeScenario(seed)
    const caught = await runScenario(scenario, { mutant })
    if (caught.violations.length > 0 && (await runScenario(scenario)).violations.length === 0) return caught
  }
  return undefined
}
