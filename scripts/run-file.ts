// Runs one program in a process group of its own, with a deadline, and keeps its output.
// Nothing that it started in its group outlives it. It must not know what a test is.

import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'

export type Run = { output: string; exitCode: number | null; hung: boolean; durationMs: number }
export type RunOptions = { args: string[]; cwd: string; deadlineMs: number; env?: NodeJS.ProcessEnv }

/** Enough for any honest failure; what is cut is the beginning, for the counts stand at the end. */
const MAX_OUTPUT_CHARS = 4 * 1024 * 1024
/** How long a hung program may take to print its handles; a blocked loop never will. */
const LAST_WORDS_MS = 1_000
/** How long we wait for the pipes of a program that ended, should something outside its group hold them. */
const PIPES_MS = 2_000

const running = new Set<ChildProcess>()

/** Runs `node ...args`. On the deadline the program gets SIGUSR2, then its whole group SIGKILL. */
export async function runNode({ args, cwd, deadlineMs, env = process.env }: RunOptions): Promise<Run> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  const collect = (chunk: string): void => {
    output += chunk
    if (output.length > 2 * MAX_OUTPUT_CHARS) output = output.slice(-MAX_OUTPUT_CHARS)
  }
  child.stdout.setEncoding('utf8').on('data', collect)
  child.stderr.setEncoding('utf8').on('data', collect)

  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code))
    child.once('error', (error) => {
      collect(`${error.message}\n`)
      resolve(null)
    })
  })
  const hung = await isLate(exited, deadlineMs)
  if (hung) {
    child.kill('SIGUSR2')
    await isLate(exited, LAST_WORDS_MS)
  }
  killGroup(child)
  const exitCode = await exited
  await isLate(closed, PIPES_MS)
  child.stdout.destroy()
  child.stderr.destroy()
  running.delete(child)
  return { output, exitCode, hung, durationMs: performance.now() - startedAt }
}

/** For the owner's own end: the groups do not get the terminal's Ctrl-C. */
export function killAll(): void {
  for (const child of running) killGroup(child)
}

async function isLate(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const stop = new AbortController()
  const late = delay(timeoutMs, true, { signal: stop.signal }).catch(() => false)
  const result = await Promise.race([promise.then(() => false), late])
  stop.abort()
  return result
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // ESRCH: the whole group has ended already.
  }
}
