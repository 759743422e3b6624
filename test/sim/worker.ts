// Runs seeds in a thread of its own; the history stays here, whoever wants it runs the seed again.
import { parentPort } from 'node:worker_threads'
import type { MutantName } from '../../src/platform/mutants.ts'
import type { Violation } from './checker.ts'
import { runScenario } from './run.ts'
import { makeLyingScenario } from './lying-scenario.ts'
import { makeScenario } from './make-scenario.ts'

export interface Task {
  seed: number
  /** With a home that lies, where that can be. */
  isLying: boolean
  mutant: MutantName | undefined
}
export interface Outcome {
  seed: number
  violations: Violation[]
  virtualMs: number
}

parentPort?.on('message', ({ seed, isLying, mutant }: Task) => {
  const scenario = isLying ? makeLyingScenario(seed) : makeScenario(seed)
  const nothing = { violations: [], virtualMs: 0 }
  void (scenario ? runScenario(scenario, { mutant }) : Promise.resolve(nothing)).then(({ violations, virtualMs }) => {
    const outcome: Outcome = { seed, violations, virtualMs }
    parentPort?.postMessage(outcome)
  })
})
