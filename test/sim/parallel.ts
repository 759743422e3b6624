// Many seeds on several processors. Each seed is a run of its own, so nothing is shared and the order does not matter.
import { Worker } from 'node:worker_threads'
import type { MutantName } from '../../src/platform/mutants.ts'
import type { Outcome, Task } from './worker.ts'

export interface Parallel {
  first: number
  seeds: number
  isLying: boolean
  mutant: MutantName | undefined
  jobs: number
  /** Called after each run, in the order of their ends; true ends it all. */
  onOutcome: (outcome: Outcome) => boolean
}

export const runParallel = async ({ first, seeds, isLying, mutant, jobs, onOutcome }: Parallel): Promise<void> => {
  let next = first
  let isOver = false
  const lane = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url))
    try {
      while (next < first + seeds && !isOver) {
        const outcome = await ask(worker, { seed: next++, isLying, mutant })
        if (!isOver && onOutcome(outcome)) isOver = true
      }
    } finally {
      await worker.terminate()
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, jobs) }, lane))
}

const ask = (worker: Worker, task: Task): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const died = (code: number): void => reject(new Error(`the worker ended with code ${code} at seed ${task.seed}`))
    worker.once('error', reject)
    worker.once('exit', died)
    worker.once('message', (outcome: Outcome) => {
      worker.off('error', reject)
      worker.off('exit', died)
      resolve(outcome)
    })
    worker.postMessage(task)
  })
