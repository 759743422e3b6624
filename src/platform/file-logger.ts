// A log in a file of its own: one JSON object a line, readable by its owner only, bounded. For a program whose terminal is in use.
// What it is given is written at once, so that nothing of a crash is lost. A disk that cannot be written to costs the log alone.
import { appendFileSync, renameSync, statSync } from 'node:fs'
import type { Logger } from './ports.ts'

/** Then it becomes `<path>.old`, in place of the one before. */
const MAX_BYTES = 1024 * 1024

/** Errors as what they say, where they come from and why. */
const plain = (value: unknown): unknown =>
  value instanceof Error
    ? {
        message: value.message,
        stack: value.stack,
        ...(value.cause === undefined ? {} : { cause: plain(value.cause) }),
      }
    : value

const lineOf = (level: string, fields: object, message: string): string => {
  const entries = Object.entries(fields).map(([name, value]) => [name, plain(value)] as const)
  return `${JSON.stringify({ time: new Date().toISOString(), level, message, ...Object.fromEntries(entries) })}\n`
}

export const fileLogger = (path: string): Logger => {
  const write = (level: string, fields: object, message: string): void => {
    try {
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_BYTES) renameSync(path, `${path}.old`)
      appendFileSync(path, lineOf(level, fields, message), { mode: 0o600 })
    } catch {
      // There is no other place to say it.
    }
  }
  return {
    debug() {},
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => write('error', fields, message),
  }
}
