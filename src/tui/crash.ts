// What nobody expected: it is logged, the client ends as it does otherwise, and whoever started it is told where the log is.
import type { Logger } from '../platform/ports.ts'
import { asChatError, ChatError } from '../protocol/errors.ts'

/** For what ends after a crash; it may be broken too. */
const CLOSING_MS = 5_000
const EXIT_CRASHED = 1

export interface Crashes {
  /** Rejects with the first one. */
  crashed: Promise<never>
  /** The same of what is known to have failed: with the place of the log in its text. */
  told: (error: unknown) => ChatError
  release: () => void
}

/** `logPath`: undefined when there is no log. */
export const watchCrashes = ({ log, logPath }: { log: Logger; logPath: string | undefined }): Crashes => {
  const { promise: crashed, reject } = Promise.withResolvers<never>()
  crashed.catch(() => {}) // whoever races it hears of it
  const told = (error: unknown): ChatError => {
    log.error({ error }, 'the terminal client failed')
    const { code, message, outcome } = asChatError(error)
    const place = logPath === undefined ? '' : `; what happened is in ${logPath}`
    return new ChatError(code, { message: `The terminal client ended: ${message}${place}`, outcome, cause: error })
  }
  let isFirst = true
  const crash = (error: unknown): void => {
    if (!isFirst) return log.error({ error }, 'and while it ended')
    isFirst = false
    reject(error)
    setTimeout(() => process.exit(EXIT_CRASHED), CLOSING_MS).unref()
  }
  const events = ['uncaughtException', 'unhandledRejection'] as const
  for (const event of events) process.on(event, crash)
  const release = (): void => {
    for (const event of events) process.off(event, crash)
  }
  return { crashed, told, release }
}
