// Waits for the line with which a process says that it serves, in the file that holds its output.
import { openSync, readSync, closeSync, fstatSync } from 'node:fs'
import { systemClock } from '../../platform/system.ts'
import { sleep } from '../../platform/timing.ts'
import { ChatError } from '../../protocol/errors.ts'
import { livenessOf } from './process-identity.ts'
import type { Detached } from './program.ts'

const POLL_MS = 25
const LAST_LINES = 5

const readFrom = (path: string, from: number): string => {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - from))
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, from))
  } finally {
    closeSync(file)
  }
}

const eventOf = (line: string): Record<string, unknown> | undefined => {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line) as Record<string, unknown> // it begins with a brace, so it is an object
  } catch {
    return undefined
  }
}

export interface ReadyOptions {
  /** For messages. */
  name: string
  output: string
  detached: Detached
  timeoutMs: number
}

/** The object of its `{"event":"ready",…}` line. An error of the process itself is passed on with its code. */
export const waitReady = async ({
  name,
  output,
  detached,
  timeoutMs,
}: ReadyOptions): Promise<Record<string, unknown>> => {
  const deadline = systemClock.monotonic() + timeoutMs
  for (;;) {
    // Asked before the file is read, so that last words are not missed.
    const liveness = livenessOf(detached.process)
    const lines = readFrom(output, detached.outputFrom).split('\n')
    const ready = lines.map(eventOf).find((event) => event?.event === 'ready')
    if (ready) return ready
    if (liveness === 'gone') throw endedEarly(name, output, lines)
    if (systemClock.monotonic() > deadline) {
      throw new ChatError('TIMEOUT', {
        message: `${name} did not serve within ${timeoutMs / 1000} s; its output is in ${output}`,
      })
    }
    await sleep(systemClock, POLL_MS)
  }
}

const endedEarly = (name: string, output: string, lines: string[]): ChatError => {
  const said = lines.map(eventOf).findLast((event) => typeof event?.error === 'object')?.error
  const last = lines
    .filter((line) => line !== '')
    .slice(-LAST_LINES)
    .join('\n')
  const inner = said ? ChatError.fromWire(said) : undefined
  return new ChatError(inner?.code ?? 'CLUSTER_STATE', {
    message: `${name} ended before it served: ${inner?.message ?? last} (all of its output is in ${output})`,
  })
}
