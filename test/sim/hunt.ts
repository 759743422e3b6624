// Runs seed after seed: the clean services must survive all of them, a mutant must not.
import { type MutantName } from '../../src/platform/mutants.ts'
import { runScenario, type RunResult } from './run.ts'
import { makeScenario } from './make-scenario.ts'
import type { Scenario } from './scenario.ts'

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

const hasGroups = ({ groupNodes }: Scenario): boolean => groupNodes > 0
const hasIntruders = (scenario: Scenario): boolean => hasGroups(scenario) && scenario.hasLiar
const hasFiles = (scenario: Scenario): boolean => scenario.hasFiles
/** What a run must have for a fault of these to make any difference; of the others any run will do. */
const needs: Partial<Record<MutantName, (scenario: Scenario) => boolean>> = {
  'own-copy-not-awaited': hasGroups,
  'fan-out-unfinished': hasGroups,
  'sealed-taken-for-stored': hasGroups,
  'author-unchecked': hasGroups,
  'change-unchecked': hasGroups,
  'membership-unchecked': hasGroups,
  'group-version-unchecked': hasGroups,
  'invitation-believed': hasIntruders,
  'decided-not-compared': hasGroups,
  'blob-confirmed-by-one': hasFiles,
  'pin-skipped': hasFiles,
  'pins-ignored': hasFiles,
  'collected-while-moving': hasFiles,
  'pins-before-blob': hasFiles,
  'unpin-unchecked': (scenario) => hasFiles(scenario) && scenario.hasLiar,
  'ended-pin-revived': hasFiles,
}

/** The first run in which the mutant, and not the services as they are, was caught; or undefined. */
export const huntMutant = async (mutant: MutantName, seeds: number, first = 1): Promise<RunResult | undefined> => {
  for (let seed = first; seed < first + seeds; seed++) {
    const scenario = makeScenario(seed)
    if (needs[mutant]?.(scenario) === false) continue
    const caught = await runScenario(scenario, { mutant })
    if (caught.violations.length > 0 && (await runScenario(scenario)).violations.length === 0) return caught
  }
  return undefined
}
