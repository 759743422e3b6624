// Waits for a session: a command that has just been started may still be connecting. Says why there is none.
import { ChatError } from '../protocol/errors.ts'
import { sleep } from '../platform/timing.ts'
import type { Clock } from '../platform/ports.ts'
import type { Session } from './session.ts'

const CONNECT_MS = 10_000
const POLL_MS = 20

/** Why there is no session. */
export interface Offline {
  /** Gateways refuse this device for good: waiting does not help. */
  denial: ChatError | undefined
  /** Why the last connection ended or could not be made. */
  problem: string | null
}

export interface OnlineOptions {
  clock: Clock
  session: () => Session | undefined
  offline: () => Offline
}
/** The session, once there is one. The deadline is on the monotonic clock. */
export type Online = (deadline?: number) => Promise<Session>

/** NET_UNAVAILABLE after ten seconds, or at the deadline; what the gateways say when they refuse this device. */
export const online = async (
  { clock, session, offline }: OnlineOptions,
  deadline = Number.POSITIVE_INFINITY,
): Promise<Session> => {
  const end = Math.min(deadline, clock.monotonic() + CONNECT_MS)
  for (;;) {
    const open = session()
    if (open) return open
    const { denial, problem } = offline()
    if (denial) throw denial
    if (clock.monotonic() >= end) throw unavailable(problem)
    await sleep(clock, POLL_MS)
  }
}

const unavailable = (problem: string | null): ChatError =>
  new ChatError('NET_UNAVAILABLE', problem === null ? {} : { message: `No gateway serves this device: ${problem}` })
