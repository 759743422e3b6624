// Makes a failing run smaller: leaves steps out, half of them, a quarter, and so on to single ones, as long as the same invariant
// is still broken (delta debugging, Zeller 1999, without complements).
import type { MutantName } from '../../src/platform/mutants.ts'
import { runScenario } from './run.ts'
import type { Scenario, Step } from './scenario.ts'

export interface Shrunk {
  steps: Step[]
  runs: number
}

export const shrink = async (
  scenario: Scenario,
  { invariant, mutant, maxRuns = 200 }: { invariant: number; mutant?: MutantName | undefined; maxRuns?: number },
): Promise<Shrunk> => {
  let steps = scenario.steps
  let runs = 0
  const stillFails = async (candidate: Step[]): Promise<boolean> => {
    runs++
    const { violations } = await runScenario({ ...scenario, steps: candidate }, { mutant })
    return violations.some((violation) => violation.invariant === invariant)
  }
  for (
    let size = Math.ceil(steps.length / 2);
    size >= 1 && runs < maxRuns;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let start = 0; start < steps.length && runs < maxRuns; ) {
      const candidate = steps.filter((step, i) => i < start || i >= start + size || step.do === 'add-store')
      if (candidate.length < steps.length && (await stillFails(candidate))) steps = candidate
      else start += size
    }
  }
  return { steps, runs }
}
