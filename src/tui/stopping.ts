// Stops the program as Ctrl-Z does elsewhere, whether the key or a signal asks for it. The shell lets it go on (`fg`).
import type { Clock } from '../platform/ports.ts'
import { sleep } from '../platform/timing.ts'

/** No timer fires while it is stopped. Where no shell could let it go on, the system does not stop it, and it goes on by itself. */
const AFTER_MS = 100

export interface Stopping {
  /** Resolves when it goes on. */
  stop: () => Promise<void>
  release: () => void
}

/** `withTerminal` gives the terminal away meanwhile. */
export const watchStops = (clock: Clock, withTerminal: (run: () => Promise<void>) => Promise<void>): Stopping => {
  const stop = (): Promise<void> =>
    withTerminal(async () => {
      process.off('SIGTSTP', onSignal)
      // The whole job: what started this program waits with it.
      process.kill(0, 'SIGTSTP')
      await sleep(clock, AFTER_MS)
      process.on('SIGTSTP', onSignal)
    })
  const onSignal = (): void => void stop()
  process.on('SIGTSTP', onSignal)
  return { stop, release: () => process.off('SIGTSTP', onSignal) }
}
