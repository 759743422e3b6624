// Waiting, repeating and deadlines on an injected clock. Every one takes the AbortSignal of its owner and ends with it.
import { asChatError, ChatError } from '../protocol/errors.ts'
import type { Clock } from './ports.ts'

/** Resolves after `ms`, or at once when `signal` aborts (callers check the signal). */
export const sleep = (clock: Clock, ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = (): void => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(ms, done)
    signal?.addEventListener('abort', done, { once: true })
  })

export interface RepeatOptions {
  clock: Clock
  everyMs: number
  signal: AbortSignal
  /** Called when a turn throws; the loop goes on. */
  onError: (error: ChatError) => void
}
/** Runs `turn` again and again, `everyMs` after the end of the last, until the signal aborts. */
export const repeat = async (
  { clock, everyMs, signal, onError }: RepeatOptions,
  turn: () => Promise<void> | void,
): Promise<void> => {
  while (!signal.aborted) {
    try {
      await turn()
    } catch (error) {
      if (!signal.aborted) onError(asChatError(error))
    }
    await sleep(clock, everyMs, signal)
  }
}

/** Rejects with `code` when `promise` takes longer than `ms`. The work itself goes on. */
export const withDeadline = <T>(
  clock: Clock,
  ms: number,
  promise: Promise<T>,
  code: 'NET_TIMEOUT' | 'TIMEOUT' = 'NET_TIMEOUT',
): Promise<T> =>
  new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(new ChatError(code)))
    promise.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        cancel()
        reject(asChatError(error))
      },
    )
  })
