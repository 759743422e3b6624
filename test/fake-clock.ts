// A clock that stands still until a test moves it; due calls run in the order of their times.
import type { Clock } from '../src/platform/ports.ts'

export class FakeClock implements Clock {
  #now = 0
  #timers = new Set<{ at: number; call: () => void }>()

  now(): number {
    return 1_790_000_000_000 + this.#now
  }

  monotonic(): number {
    return this.#now
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.#now + ms, call }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const [next] = [...this.#timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)
      if (!next) break
      this.#now = next.at
      this.#timers.delete(next)
      next.call()
    }
    this.#now = until
  }
}
