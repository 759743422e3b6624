// Processes of a local cluster as the kernel knows them: who a pid is, whether it lives, and signals that never hit a stranger.
// A pid is reused sooner or later, so a process is always named by pid and start time together.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { systemClock } from '../../platform/system.ts'
import { sleep } from '../../platform/timing.ts'

export interface ProcessRef {
  pid: number
  /** When the kernel says that it started; opaque. */
  startedAt: string
}
export type Liveness = 'running' | 'paused' | 'gone'

interface KernelView {
  /** One letter as in proc(5): T is stopped, Z has ended and waits for its parent. */
  letter: string
  startedAt: string
}

/** Fields 3 and 22 of /proc/PID/stat; the name before them may hold blanks and brackets. */
const readProc = (pid: number): KernelView | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { letter: fields[0] ?? 'Z', startedAt: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

/** Where there is no /proc. */
const readPs = (pid: number): KernelView | undefined => {
  try {
    const line = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    return { letter: line[0] ?? 'Z', startedAt: line.slice(line.indexOf(' ')).trim() }
  } catch {
    return undefined
  }
}

const kernelView = process.platform === 'linux' ? readProc : readPs

/** Undefined when there is no such process (any more). */
export const processRef = (pid: number): ProcessRef | undefined => {
  const view = kernelView(pid)
  return view && view.letter !== 'Z' ? { pid, startedAt: view.startedAt } : undefined
}

export const livenessOf = (ref: ProcessRef | undefined): Liveness => {
  const view = ref && kernelView(ref.pid)
  if (!view || view.startedAt !== ref.startedAt || view.letter === 'Z' || view.letter === 'X') return 'gone'
  return view.letter === 'T' || view.letter === 't' ? 'paused' : 'running'
}

/** True if the signal was sent; false when that process is gone. */
export const signalProcess = (ref: ProcessRef | undefined, signal: NodeJS.Signals): boolean => {
  if (!ref || livenessOf(ref) === 'gone') return false
  try {
    return process.kill(ref.pid, signal)
  } catch {
    return false
  }
}

const POLL_MS = 20

/** Waits until it is so; false when it is not within `timeoutMs`. */
export const waitForLiveness = async (ref: ProcessRef, wanted: Liveness, timeoutMs: number): Promise<boolean> => {
  const deadline = systemClock.monotonic() + timeoutMs
  while (livenessOf(ref) !== wanted) {
    if (systemClock.monotonic() >= deadline) return false
    await sleep(systemClock, POLL_MS)
  }
  return true
}

/** SIGTERM, woken first if it was paused, and SIGKILL when it has not ended in time. True if it ended by itself. */
export const endProcess = async (ref: ProcessRef | undefined, graceMs: number): Promise<boolean> => {
  if (!ref || livenessOf(ref) === 'gone') return true
  // The signal waits while the process is stopped, so it is there when it wakes up.
  signalProcess(ref, 'SIGTERM')
  signalProcess(ref, 'SIGCONT')
  if (await waitForLiveness(ref, 'gone', graceMs)) return true
  await killProcess(ref)
  return false
}

const KILL_MS = 5_000
export const killProcess = async (ref: ProcessRef | undefined): Promise<void> => {
  if (!ref || !signalProcess(ref, 'SIGKILL')) return
  await waitForLiveness(ref, 'gone', KILL_MS)
}
