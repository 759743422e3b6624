// Runs seeds in a thread of its own; the history stays here, whoever wants it runs the seed again.
import { parentPort } from 'node:worker_threads'
import type { MutantName } from '../../src/platform/mutants.ts'
import type { Violation } from './checker.ts'
import { runScenario } from './run.ts'
import { makeScenario } from './make-scenario.ts'

export interface Task {
  seed: number
  mutant: MutantName | undefined
}
export interface Outcome {
  seed: number
  violations: Violation[]
  virtualMs: number
}

parentPort?.on('message', ({ seed, mutant }: Task) => {
  void runScenario(makeScenario(seed), { mutant }).then(({ violations, virtualMs }) => {
    const outcome: Outcome = { seed, violations, virtualMs }
    parentPort?.postMessage(outcome)
  })
})
