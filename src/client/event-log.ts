// Everything a listener is told, numbered and on disk, so that each listener goes on where it stopped.
// An entry only points to its record: 'm' (message) or 'a' (about one: edit, reaction) and the record key. Receipts, deletions and
// changes of groups are written out: 'r', 'd' or 'g' and JSON.
import { fromUtf8, toUtf8 } from '../protocol/bytes.ts'
import type { GroupRole } from '../protocol/group.ts'
import type { GroupChangeName } from '../protocol/records.ts'
import { decodeNumber, encodeNumber, keys, ranges } from './keys.ts'
import type { LocalStore } from './local-store.ts'

const MESSAGE = 0x6d
const REFERENCE = 0x61
const RECEIPT = 0x72
const GROUP = 0x67
const DELETION = 0x64

export interface LoggedReceipt {
  id: string
  user: string
  status: 'received' | 'read'
  /** Milliseconds since 1970 by the cluster's clock. */
  at: number
}
export interface LoggedGroupChange {
  /** Its id. */
  group: string
  version: number
  by: string
  change: GroupChangeName
  user?: string
  role?: GroupRole
  topic?: string
  /** Milliseconds since 1970. */
  at: number
}
export interface LoggedDeletion {
  /** Of the message. */
  id: string
  /** The conversation's internal id. */
  conv: string
  by: string
  /** Milliseconds since 1970 by the deleting device's clock. */
  at: number
}
export type LoggedEvent = { position: number } & (
  | { message: Uint8Array }
  | { reference: Uint8Array }
  | { receipt: LoggedReceipt }
  | { deletion: LoggedDeletion }
  | { group: LoggedGroupChange }
)

export class EventLog {
  readonly #store: LocalStore
  readonly #waiting = new Set<() => void>()
  #last = 0

  constructor(store: LocalStore) {
    this.#store = store
  }

  async load(): Promise<void> {
    const [newest] = await this.#store.range({ ...ranges.events(0), reverse: true, limit: 1 })
    this.#last = newest ? decodeNumber(newest[0], 1) : 0
  }

  /** The position of the newest event. */
  get position(): number {
    return this.#last
  }

  message(key: Uint8Array): void {
    this.#append(Buffer.concat([Buffer.of(MESSAGE), key]))
  }

  /** An edit or a reaction. */
  reference(key: Uint8Array): void {
    this.#append(Buffer.concat([Buffer.of(REFERENCE), key]))
  }

  deletion(deletion: LoggedDeletion): void {
    this.#append(Buffer.concat([Buffer.of(DELETION), toUtf8(JSON.stringify(deletion))]))
  }

  receipt(receipt: LoggedReceipt): void {
    this.#append(Buffer.concat([Buffer.of(RECEIPT), toUtf8(JSON.stringify(receipt))]))
  }

  groupChange(change: LoggedGroupChange): void {
    this.#append(Buffer.concat([Buffer.of(GROUP), toUtf8(JSON.stringify(change))]))
  }

  /** Written events after a position, oldest first. */
  async read(after: number, limit: number): Promise<LoggedEvent[]> {
    const rows = await this.#store.range({ ...ranges.events(after), limit })
    return rows.map(([key, value]) => {
      const position = decodeNumber(key, 1)
      const rest = value.subarray(1)
      if (value[0] === MESSAGE) return { position, message: rest }
      if (value[0] === REFERENCE) return { position, reference: rest }
      const written: unknown = JSON.parse(fromUtf8(rest))
      // The casts: written by the methods above.
      if (value[0] === DELETION) return { position, deletion: written as LoggedDeletion }
      if (value[0] === GROUP) return { position, group: written as LoggedGroupChange }
      return { position, receipt: written as LoggedReceipt }
    })
  }

  /** Resolves when there may be an event after the position, or the signal aborts. */
  next(after: number, signal: AbortSignal): Promise<void> {
    if (this.#last > after || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#waiting.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }

  /** How far the reader of that name got; 0 at first. */
  mark(name: string): number {
    const saved = this.#store.get(keys.mark(name))
    return saved ? decodeNumber(saved) : 0
  }

  async setMark(name: string, position: number): Promise<void> {
    this.#store.put(keys.mark(name), encodeNumber(position))
    await this.#store.commit({ sync: false })
  }

  #append(value: Buffer): void {
    this.#last += 1
    this.#store.put(keys.event(this.#last), value)
    for (const wake of this.#waiting) wake()
  }
}
