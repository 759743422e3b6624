// When attention is drawn: what arrives within a moment is one notification, and the next waits a while.
import type { Clock } from '../platform/ports.ts'
import { sleep } from '../platform/timing.ts'
import { type Arrival, type Notification, notificationOf } from './attention.ts'

const COLLECT_MS = 200
const PAUSE_MS = 2_000

export interface NotifierPorts {
  clock: Clock
  signal: AbortSignal
  notify: (notification: Notification) => void
}

export class Notifier {
  readonly #ports: NotifierPorts
  #arrivals: Arrival[] = []
  #isRunning = false

  constructor(ports: NotifierPorts) {
    this.#ports = ports
  }

  add(arrival: Arrival): void {
    this.#arrivals.push(arrival)
    if (!this.#isRunning) void this.#run()
  }

  /** Whoever came back to the terminal sees it there. */
  drop(): void {
    this.#arrivals = []
  }

  async #run(): Promise<void> {
    const { clock, signal, notify } = this.#ports
    this.#isRunning = true
    while (this.#arrivals.length > 0 && !signal.aborted) {
      await sleep(clock, COLLECT_MS, signal)
      if (this.#arrivals.length > 0 && !signal.aborted) notify(notificationOf(this.#arrivals))
      this.drop()
      await sleep(clock, PAUSE_MS, signal)
    }
    this.#isRunning = false
  }
}
