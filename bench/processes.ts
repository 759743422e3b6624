// Starts the server processes that are measured and reads their CPU time and memory from the kernel.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const CLOCK_TICKS_PER_SECOND = 100

/** User and system seconds of one process so far; children not included. */
export const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND
}
/** Resident memory in bytes. */
export const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
export const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0)

export interface Server {
  name: string
  url: string
  pids: number[]
  stop(): Promise<void>
}

/** Spawns this Node on a program and resolves with the first line of stdout that is JSON. */
export const startProgram = async (args: string[]): Promise<{ child: ChildProcess; line: Record<string, unknown> }> => {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const text of createInterface({ input: child.stdout })) {
    if (text.startsWith('{')) return { child, line: JSON.parse(text) as Record<string, unknown> } // its own ready line
  }
  throw new Error(`${args.join(' ')} ended before it was ready`)
}

export const endChild = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), 8_000).unref()
  })
