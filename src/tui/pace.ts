// How long to wait between two readings of what the screen shows, so that a burst of messages leaves the loop to the keyboard. Pure.

/** From one reading to the next, on average; twice what it took when that is longer. */
const TURN_MS = 20
/** Saved up while nothing changes: the few changes that follow a message of one's own (queued, stored, received) wait for nothing. */
const SPARE_MS = 80

export class Pace {
  /** Before now by what is saved up. */
  #dueAt = 0

  /** How long to wait after a reading, by a clock that never goes back. */
  pauseAfter({ startedAt, endedAt }: { startedAt: number; endedAt: number }): number {
    this.#dueAt = Math.max(this.#dueAt, startedAt - SPARE_MS) + Math.max(TURN_MS, 2 * (endedAt - startedAt))
    return Math.max(0, this.#dueAt - endedAt)
  }
}
