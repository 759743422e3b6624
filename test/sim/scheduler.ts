// Virtual time: a heap of events. After each event every promise that can go on has gone on before the next event begins,
// because Node drains its microtasks between two immediates. Same events in, same order out.

export interface ScheduledEvent {
  time: number
  /** Breaks ties: first scheduled, first run. */
  sequence: number
  call: () => void
  isCancelled: boolean
}

const before = (a: ScheduledEvent, b: ScheduledEvent): boolean =>
  a.time < b.time || (a.time === b.time && a.sequence < b.sequence)

/** Immediates queued at once: a round of the real loop costs five times as much as an event. */
const STEPS_PER_ROUND = 64

export class Scheduler {
  /** Milliseconds since the beginning of the run. */
  now = 0
  /** Changes with every event's time and order; equal runs have equal fingerprints. */
  fingerprint = 0
  eventCount = 0
  readonly #heap: ScheduledEvent[] = []
  #sequence = 0
  readonly #onError: (error: unknown) => void

  /** `onError` gets what an event throws: a defect of whoever scheduled it. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  after(ms: number, call: () => void): ScheduledEvent {
    return this.at(this.now + Math.max(0, ms), call)
  }

  at(time: number, call: () => void): ScheduledEvent {
    const event = { time, sequence: this.#sequence++, call, isCancelled: false }
    this.#push(event)
    return event
  }

  /** Runs what is due until then, or until `isDone` says so between two events; resolves with true if it did. */
  runUntil(time: number, isDone: () => boolean = () => false): Promise<boolean> {
    return new Promise((resolve) => {
      let left = 0
      const step = (): void => {
        left--
        if (left < 0) return
        const over = isDone()
        const event = over ? undefined : this.#popDue(time)
        if (!event) {
          left = -1
          if (!over) this.now = Math.max(this.now, time)
          resolve(over)
          return
        }
        this.#run(event)
        if (left === 0) round()
      }
      const round = (): void => {
        left = STEPS_PER_ROUND
        for (let i = 0; i < STEPS_PER_ROUND; i++) setImmediate(step)
      }
      round()
    })
  }

  #run(event: ScheduledEvent): void {
    this.now = event.time
    this.eventCount++
    this.fingerprint = (Math.imul(this.fingerprint ^ event.sequence, 0x01000193) + Math.floor(event.time * 1000)) | 0
    try {
      event.call()
    } catch (error) {
      this.#onError(error)
    }
  }

  #popDue(time: number): ScheduledEvent | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (!first || first.time > time) return undefined
      this.#pop()
      if (!first.isCancelled) return first
    }
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap
    let i = heap.length
    heap.push(event)
    while (i > 0) {
      const up = (i - 1) >> 1
      const parent = heap[up]
      if (!parent || before(parent, event)) break
      heap[i] = parent
      i = up
    }
    heap[i] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (!last || heap.length === 0) return
    let i = 0
    for (;;) {
      const left = heap[2 * i + 1]
      const right = heap[2 * i + 2]
      if (!left) break
      const down = right && before(right, left) ? right : left
      if (before(last, down)) break
      heap[i] = down
      i = down === left ? 2 * i + 1 : 2 * i + 2
    }
    heap[i] = last
  }
}
