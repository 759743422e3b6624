// The log of a node, on stderr: JSON lines, or for people on a terminal. stdout belongs to data.
import pino from 'pino'
import pretty from 'pino-pretty'
import type { Logger } from '../../platform/ports.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export interface LogOptions {
  /** JSON even on a terminal. */
  json?: boolean
  level?: LogLevel
  /** Fields of every line, e.g. the node's name. */
  fields?: Record<string, string>
}

const STDERR = 2

export const createLogger = ({ json = false, level = 'info', fields = {} }: LogOptions = {}): Logger => {
  const options = { level, base: fields, timestamp: pino.stdTimeFunctions.isoTime }
  // Synchronous: what a node says last before it dies is what matters most.
  if (json || !process.stderr.isTTY) return pino(options, pino.destination({ dest: STDERR, sync: true }))
  const ignore = ['pid', 'hostname', ...Object.keys(fields)].join(',')
  return pino(options, pretty({ destination: STDERR, sync: true, ignore, translateTime: 'SYS:HH:MM:ss.l' }))
}
