// Tells listeners that something shown has changed: at once, and what follows at most every 16 ms, one frame of a screen.
import type { Clock } from '../platform/ports.ts'

const FRAME_MS = 16

export class ChangeSignal {
  readonly #clock: Clock
  readonly #listeners = new Set<() => void>()
  #cancel: (() => void) | undefined
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Returns how to stop listening. */
  add(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  changed(): void {
    if (this.#listeners.size === 0 || this.#cancel) return
    const waitMs = Math.max(0, this.#toldAt + FRAME_MS - this.#clock.monotonic())
    this.#cancel = this.#clock.after(waitMs, () => {
      this.#cancel = undefined
      this.#toldAt = this.#clock.monotonic()
      for (const listener of this.#listeners) listener()
    })
  }

  stop(): void {
    this.#cancel?.()
    this.#listeners.clear()
  }
}
