// One connection between two processes as TCP gives it: bytes in order, each way on several streams; it can be stalled one way or
// both, and is given up by both sides when it stays so. Knows nothing of what is carried. Peers and clients' sockets both use it.
import type { Life } from './life.ts'
import type { SeededRandom } from './random.ts'
import type { ScheduledEvent, Scheduler } from './scheduler.ts'

export type Side = 0 | 1
const otherSide = (side: Side): Side => (side === 0 ? 1 : 0)

interface LinkEnd {
  life: Life
  /** A message arrived, in the order of its stream. */
  receive(data: Uint8Array | string): void
  /** The connection is over, as this side sees it; nothing is received after. */
  closed(): void
}

export interface LinkTimes {
  /** One way, typical. */
  delayMs: number
  worstMs: number
  /** After so long without an answer to pings both sides give the connection up. */
  keepaliveMs: number
}

interface Direction {
  /** By stream: when its last message arrives; none overtakes it. */
  lastAt: Map<number, number>
  isCut: boolean
  /** What the kernel goes on sending until it gets through. */
  stalled: (() => void)[]
  /** Closed towards the receiver: nothing more arrives. */
  isOver: boolean
}
const newDirection = (): Direction => ({ lastAt: new Map(), isCut: false, stalled: [], isOver: false })

export interface LinkOptions {
  scheduler: Scheduler
  random: SeededRandom
  times: LinkTimes
  ends: [LinkEnd, LinkEnd]
  /** Both sides know, or are dead. */
  onOver: () => void
}

export class Link {
  readonly #options: LinkOptions
  readonly #directions: [Direction, Direction] = [newDirection(), newDirection()]
  readonly #knowsClosed: [boolean, boolean] = [false, false]
  #keepalive: ScheduledEvent | undefined

  constructor(options: LinkOptions) {
    this.#options = options
    for (const side of [0, 1] as const) {
      const { life } = options.ends[side]
      life.onChange(() => (life.isDead ? this.#processDied(side) : this.#watchHealth()))
    }
  }

  /** False once this side knows that it is over. */
  isOpen(side: Side): boolean {
    return !this.#knowsClosed[side] && this.#options.ends[side].life.isDead === false
  }

  send(from: Side, data: Uint8Array | string, stream = 0): void {
    if (!this.isOpen(from)) return
    this.#deliver(from, stream, () => this.#options.ends[otherSide(from)].receive(data))
  }

  /** Outside the order of the stream: a duplicate that a broken middle sends. */
  sendStray(from: Side, data: Uint8Array | string): void {
    const { scheduler, random, times, ends } = this.#options
    const to = otherSide(from)
    scheduler.after(random.latency(times.delayMs * 3, times.worstMs), () => {
      if (!this.#directions[from].isCut && this.isOpen(to)) ends[to].life.run(() => ends[to].receive(data))
    })
  }

  /** What was sent before still arrives; this side hears nothing more, not even `closed`. */
  close(side: Side): void {
    if (this.#knowsClosed[side]) return
    this.#knowsClosed[side] = true
    this.#endDirection(side)
    this.#over()
  }

  /** Breaks at once, for both; what is under way is lost. */
  reset(): void {
    const { scheduler, random, times } = this.#options
    for (const side of [0, 1] as const) {
      this.#directions[side].isOver = true
      this.#directions[side].stalled = []
      scheduler.after(random.latency(times.delayMs, times.worstMs), () => this.#tellClosed(side))
    }
  }

  /** Bytes from `from` no longer get through, or do again. */
  setCut(from: Side, isCut: boolean): void {
    const direction = this.#directions[from]
    direction.isCut = isCut
    if (!isCut) for (const go of direction.stalled.splice(0)) this.#options.scheduler.after(0, go)
    this.#watchHealth()
  }

  #deliver(from: Side, stream: number, call: () => void): void {
    const { scheduler, random, times, ends } = this.#options
    const direction = this.#directions[from]
    const to = otherSide(from)
    const at = Math.max(direction.lastAt.get(stream) ?? 0, scheduler.now + random.latency(times.delayMs, times.worstMs))
    direction.lastAt.set(stream, at)
    const arrive = (): void => {
      if (direction.isOver) return
      // Behind something stalled, or itself stopped: it waits its turn.
      if (direction.isCut) direction.stalled.push(arrive)
      else ends[to].life.run(() => (this.isOpen(to) ? call() : undefined))
    }
    scheduler.at(at, arrive)
  }

  /** The end of a stream travels behind all that was sent. */
  #endDirection(from: Side): void {
    const { lastAt } = this.#directions[from]
    const last = Math.max(0, ...lastAt.values())
    lastAt.set(-1, last)
    this.#deliver(from, -1, () => {
      this.#directions[from].isOver = true
      this.#tellClosed(otherSide(from))
    })
    this.#watchHealth()
  }

  /** The kernel closes the connections of a dead process in order; a machine without power closes nothing. */
  #processDied(side: Side): void {
    this.#knowsClosed[side] = true
    if (this.#knowsClosed[otherSide(side)]) this.#over()
    else if (this.#options.ends[side].life.hasVanished) this.#watchHealth()
    else this.#endDirection(side)
  }

  #tellClosed(side: Side): void {
    if (this.#knowsClosed[side]) return
    this.#knowsClosed[side] = true
    const { ends } = this.#options
    ends[side].life.run(() => ends[side].closed())
    this.#over()
  }

  #over(): void {
    if (!this.#knowsClosed[0] || !this.#knowsClosed[1]) return
    if (this.#keepalive) this.#keepalive.isCancelled = true
    this.#options.onOver()
  }

  #isStuck(): boolean {
    return (
      this.#directions.some((direction) => direction.isCut) || this.#options.ends.some(({ life }) => !life.isRunning)
    )
  }

  #watchHealth(): void {
    const isOver = this.#knowsClosed[0] && this.#knowsClosed[1]
    if (!isOver && this.#isStuck()) {
      if (this.#keepalive) return
      const { scheduler, random, times } = this.#options
      this.#keepalive = scheduler.after(times.keepaliveMs * (0.5 + random.float()), () => this.reset())
    } else if (this.#keepalive) {
      this.#keepalive.isCancelled = true
      this.#keepalive = undefined
    }
  }
}
