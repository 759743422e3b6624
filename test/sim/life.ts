// One run of one process, from its start to its death. Everything that calls into a service goes through `run`, so that
// a dead process does nothing any more and a stopped one (SIGSTOP) does it all later, in order.
import type { Clock } from '../../src/platform/ports.ts'
import type { Scheduler } from './scheduler.ts'

/** 2026-01-01: what the wall clock shows when a run begins. */
export const EPOCH_MS = Date.UTC(2026, 0, 1)

/** What outlives a process: the machine's clock is wrong by so much. */
export interface Machine {
  skewMs: number
}

export class Life {
  readonly scheduler: Scheduler
  readonly machine: Machine
  readonly clock: Clock
  readonly #startedAt: number
  #isDead = false
  #isPaused = false
  #hasVanished = false
  #waiting: (() => void)[] = []
  #watchers: (() => void)[] = []

  constructor(scheduler: Scheduler, machine: Machine) {
    this.scheduler = scheduler
    this.machine = machine
    this.#startedAt = scheduler.now
    this.clock = {
      // Whole milliseconds, as Date.now() gives.
      now: () => EPOCH_MS + Math.floor(this.scheduler.now + this.machine.skewMs),
      monotonic: () => this.scheduler.now - this.#startedAt,
      after: (ms, call) => this.after(ms, call),
    }
  }

  get isDead(): boolean {
    return this.#isDead
  }
  get isPaused(): boolean {
    return this.#isPaused
  }
  get hasVanished(): boolean {
    return this.#hasVanished
  }
  /** Can it answer now? */
  get isRunning(): boolean {
    return !this.#isDead && !this.#isPaused
  }

  run(call: () => void): void {
    if (this.#isDead) return
    if (this.#isPaused) this.#waiting.push(call)
    else call()
  }

  after(ms: number, call: () => void): () => void {
    let isCancelled = false
    const event = this.scheduler.after(ms, () =>
      this.run(() => {
        if (!isCancelled) call()
      }),
    )
    return () => {
      isCancelled = true
      event.isCancelled = true
    }
  }

  pause(): void {
    if (!this.#isDead) this.#isPaused = true
    this.#tell()
  }

  /** What waited is handed over one event at a time, so that promises settle in between as they would. */
  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    for (const call of this.#waiting.splice(0)) this.scheduler.after(0, () => this.run(call))
    this.#tell()
  }

  /** `power`: the machine is off, and nobody closes its connections. */
  kill(how: 'process' | 'power' = 'process'): void {
    if (this.#isDead) return
    this.#isDead = true
    this.#hasVanished = how === 'power'
    this.#isPaused = false
    this.#waiting = []
    this.#tell()
    this.#watchers = []
  }

  /** Called when it dies, stops or goes on. */
  onChange(watcher: () => void): void {
    this.#watchers.push(watcher)
  }

  #tell(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }
}
