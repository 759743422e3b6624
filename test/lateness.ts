// How late this process runs because the machine is busy: tests that bound a time by the clock take it off, so that they judge
// the program and not the machine.

const EVERY_MS = 20

export interface Lateness {
  /** Milliseconds since the start, without those in which the process did not get to run. */
  ownMs(): number
  stop(): void
}

export const measureLateness = (): Lateness => {
  const startedAt = performance.now()
  let lastAt = startedAt
  let lateMs = 0
  const look = (): void => {
    const now = performance.now()
    lateMs += Math.max(0, now - lastAt - EVERY_MS)
    lastAt = now
  }
  const timer = setInterval(look, EVERY_MS)
  return {
    ownMs: () => {
      look()
      return lastAt - startedAt - lateMs
    },
    stop: () => clearInterval(timer),
  }
}
