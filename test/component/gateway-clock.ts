// A clock that tests move by hand. What waits for the end of a turn (`after(0)`) really gets it.
import type { Clock } from '../../src/platform/ports.ts'

interface Timer {
  at: number
  call: () => void
}

export class ManualClock implements Clock {
  #time = 0
  readonly #start: number
  readonly #timers = new Set<Timer>()

  constructor(start = 1_790_000_000_000) {
    this.#start = start
  }

  now(): number {
    return this.#start + this.#time
  }
  monotonic(): number {
    return this.#time
  }
  after(ms: number, call: () => void): () => void {
    if (ms <= 0) {
      const turn = setImmediate(call)
      return () => clearImmediate(turn)
    }
    const timer = { at: this.#time + ms, call }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Lets the time pass: every timer that falls due is called at its time, and what it starts gets some turns to go on. */
  async advance(ms: number): Promise<void> {
    const end = this.#time + ms
    for (;;) {
      await turns()
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.#time = Math.max(this.#time, due.at)
      this.#timers.delete(due)
      due.call()
    }
    this.#time = end
    await turns()
  }
}

/** Some turns of the loop: enough for an exchange between in-memory peers. */
export const turns = async (count = 20): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}
