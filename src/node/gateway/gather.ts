// Gets a number of answers out of more candidates: starts as many as are needed, the next when one fails or takes long,
// and stops waiting after a while with what there is. What comes later is handed over separately.
import type { Clock } from '../../platform/ports.ts'

export interface GatherOptions<Candidate, Result> {
  clock: Clock
  candidates: readonly Candidate[]
  needed: number
  /** One more candidate is tried each time this passes without enough answers. */
  hedgeMs: number
  /** After this long fewer answers (but one at least) are enough. */
  patienceMs: number
  attempt: (candidate: Candidate) => Promise<Result>
  /** For each answer that came after the end. */
  onLate: (result: Result) => void
}

/** Up to `needed` results, in the order in which they came. Never rejects: failures only make room for the next candidate. */
export const gather = <Candidate, Result>(options: GatherOptions<Candidate, Result>): Promise<Result[]> =>
  new Promise((resolve) => {
    const { clock, candidates, needed, hedgeMs, patienceMs, attempt, onLate } = options
    const results: Result[] = []
    let started = 0
    let open = 0
    let isOver = false
    let isPatient = true
    let cancelHedge = (): void => {}
    const cancelPatience = clock.after(patienceMs, () => {
      isPatient = false
      settle()
    })
    const settle = (): void => {
      const isExhausted = open === 0 && started >= candidates.length
      const isEnough = results.length >= needed || (!isPatient && results.length > 0)
      if (isOver || !(isEnough || isExhausted)) return
      isOver = true
      cancelHedge()
      cancelPatience()
      resolve(results)
    }
    const hedge = (): void => {
      cancelHedge()
      if (isOver || started >= candidates.length) return
      cancelHedge = clock.after(hedgeMs, () => {
        startNext()
        hedge()
      })
    }
    const startNext = (): void => {
      const candidate = candidates[started]
      if (isOver || candidate === undefined) return settle()
      started++
      open++
      attempt(candidate).then(
        (result) => {
          open--
          if (isOver) return onLate(result)
          results.push(result)
          settle()
        },
        () => {
          open--
          startNext()
          settle()
        },
      )
    }
    for (let i = 0; i < needed; i++) startNext()
    settle()
    hedge()
  })
