// Stops the program as Ctrl-Z does elsewhere; who calls it has given the terminal away. The shell lets it go on (`fg`).
import type { Clock } from '../platform/ports.ts'
import { sleep } from '../platform/timing.ts'

/** No timer fires while it is stopped. Where no shell could let it go on, the system does not stop it, and it goes on by itself. */
const AFTER_MS = 100

export const stopped = async (clock: Clock): Promise<void> => {
  // The whole job: what started this program waits with it.
  process.kill(0, 'SIGTSTP')
  await sleep(clock, AFTER_MS)
}
