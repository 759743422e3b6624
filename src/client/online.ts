// Waits for a session: a command that has just been started may still be connecting.
import { ChatError } from '../protocol/errors.ts'
import { sleep } from '../platform/timing.ts'
import type { Clock } from '../platform/ports.ts'
import type { Session } from './session.ts'

const CONNECT_MS = 10_000
const POLL_MS = 20

export interface OnlineOptions {
  clock: Clock
  session: () => Session | undefined
  /** On the monotonic clock. */
  deadline?: number
}

/** NET_UNAVAILABLE after ten seconds, or at the deadline. */
export const online = async ({
  clock,
  session,
  deadline = Number.POSITIVE_INFINITY,
}: OnlineOptions): Promise<Session> => {
  const end = Math.min(deadline, clock.monotonic() + CONNECT_MS)
  for (;;) {
    const open = session()
    if (open) return open
    if (clock.monotonic() >= end) throw new ChatError('NET_UNAVAILABLE')
    await sleep(clock, POLL_MS)
  }
}
