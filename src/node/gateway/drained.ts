// Waiting until a client has read what was sent to it. Sockets only say how much is buffered, so this asks again,
// first at once (a fast reader is done within a turn), then less and less often.
import type { Clock } from '../../platform/ports.ts'
import type { Session } from './session.ts'

const MAX_DELAY_MS = 50

/** Resolves when at most `bytes` are buffered, or when the session has ended. */
export const drained = (clock: Clock, session: Session, bytes: number): Promise<void> =>
  new Promise((resolve) => {
    const look = (delayMs: number): void => {
      if (session.isClosed || session.socket.bufferedBytes <= bytes) return resolve()
      clock.after(delayMs, () => look(Math.min(MAX_DELAY_MS, delayMs * 2 + 1)))
    }
    look(0)
  })
