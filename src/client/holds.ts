// A message whose predecessor of the same device lacks waits for it, two seconds as a rule, then is shown after a gap. What is waiting
// survives a restart. Owns the waiting only; when something may be shown it calls `show`, in order of sequence.
import { fromMapKey, toMapKey } from '../protocol/bytes.ts'
import { mutant } from '../platform/mutants.ts'
import type { Clock } from '../platform/ports.ts'
import type { Conversation, Conversations, DeviceCoverage } from './conversations.ts'
import { decodeNumber, keys, NUMBER_BYTES, ranges, textOfKey } from './keys.ts'
import type { LocalStore } from './local-store.ts'
import { rangeAround } from './sequence-ranges.ts'

interface Hold {
  key: Uint8Array
  dueAt: number
}
interface Line {
  conversation: Conversation
  device: string
  coverage: DeviceCoverage
  waiting: Map<number, Hold>
  cancel: (() => void) | undefined
}
export interface Arrival {
  conversation: Conversation
  device: string
  coverage: DeviceCoverage
  seq: number
}

/** Nothing that belongs before it can still come, or one no longer waits for it. */
const isDue = (coverage: DeviceCoverage, seq: number): boolean =>
  seq < coverage.floor || (rangeAround(coverage.held, seq)?.[0] ?? 0) <= coverage.floor

export class Holds {
  readonly #store: LocalStore
  readonly #clock: Clock
  readonly #conversations: Conversations
  readonly #holdMs: (arrival: Arrival) => number
  readonly #show: (key: Uint8Array) => void
  readonly #onReleased: () => void
  readonly #lines = new Map<string, Line>()
  readonly #held = new Set<string>()

  constructor(options: {
    store: LocalStore
    clock: Clock
    conversations: Conversations
    /** How long a message waits for those before it. */
    holdMs: (arrival: Arrival) => number
    show: (key: Uint8Array) => void
    /** Some of what waited waits no more. */
    onReleased: () => void
  }) {
    this.#store = options.store
    this.#clock = options.clock
    this.#conversations = options.conversations
    this.#holdMs = options.holdMs
    this.#show = options.show
    this.#onReleased = options.onReleased
  }

  /** What waited when the process ended waits once more. */
  async load(): Promise<void> {
    for (const [key, recordKey] of await this.#store.range(ranges.holds())) {
      const conversation = this.#conversations.get(textOfKey(key))
      const device = Buffer.from(key.slice(-NUMBER_BYTES - 8, -NUMBER_BYTES)).toString('hex')
      const coverage = conversation?.devices.get(device)
      if (!conversation || !coverage) continue
      this.#hold({ conversation, device, coverage, seq: decodeNumber(key, key.length - NUMBER_BYTES) }, recordKey)
    }
  }

  /** To be called once `coverage.held` includes `seq`; `key` is undefined for what is not shown (a void). */
  arrived(arrival: Arrival, key: Uint8Array | undefined): void {
    if (!isDue(arrival.coverage, arrival.seq) && !mutant('hold-skipped')) {
      if (key) this.#hold(arrival, key)
      return
    }
    if (key) this.#show(key)
    const line = this.#lines.get(lineKey(arrival))
    if (line) this.#release(line)
  }

  /** Nothing waits for one before it. */
  get isIdle(): boolean {
    return this.#held.size === 0
  }

  isHeld(key: Uint8Array): boolean {
    return this.#held.size > 0 && this.#held.has(toMapKey(key))
  }

  stop(): void {
    for (const line of this.#lines.values()) line.cancel?.()
  }

  #hold(arrival: Arrival, key: Uint8Array): void {
    const { conversation, device, coverage, seq } = arrival
    const line = this.#lines.get(lineKey(arrival)) ?? {
      conversation,
      device,
      coverage,
      waiting: new Map(),
      cancel: undefined,
    }
    this.#lines.set(lineKey(arrival), line)
    line.waiting.set(seq, { key, dueAt: this.#clock.monotonic() + this.#holdMs(arrival) })
    this.#held.add(toMapKey(key))
    this.#store.put(keys.hold({ conversation: conversation.id, device }, seq), key)
    this.#arm(line)
  }

  #arm(line: Line): void {
    if (line.cancel) return
    let dueAt = Number.POSITIVE_INFINITY
    for (const hold of line.waiting.values()) dueAt = Math.min(dueAt, hold.dueAt)
    line.cancel = this.#clock.after(Math.max(1, dueAt - this.#clock.monotonic()), () => {
      line.cancel = undefined
      this.#expire(line)
    })
  }

  /** The wait is over: whatever lacks before them is a gap from now on. */
  #expire(line: Line): void {
    const now = this.#clock.monotonic()
    for (const [seq, { dueAt }] of line.waiting) {
      const start = rangeAround(line.coverage.held, seq)?.[0] ?? seq
      if (dueAt <= now) line.coverage.floor = Math.max(line.coverage.floor, start)
    }
    this.#conversations.touch(line.conversation)
    this.#release(line)
  }

  #release(line: Line): void {
    const due = [...line.waiting].filter(([seq]) => isDue(line.coverage, seq)).sort(([a], [b]) => a - b)
    for (const [seq, { key }] of due) {
      line.waiting.delete(seq)
      this.#held.delete(toMapKey(key))
      this.#store.put(keys.hold({ conversation: line.conversation.id, device: line.device }, seq), undefined)
      this.#show(fromMapKey(toMapKey(key)))
    }
    if (due.length > 0) this.#onReleased()
    if (line.waiting.size > 0) return this.#arm(line)
    line.cancel?.()
    this.#lines.delete(lineKey({ conversation: line.conversation, device: line.device }))
  }
}

const lineKey = ({ conversation, device }: Pick<Arrival, 'conversation' | 'device'>): string =>
  `${conversation.id} ${device}`
