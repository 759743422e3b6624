// Reads conversations in the order that everybody shares: pages of messages, or of lines, which are messages and, in a group, what was
// changed in it. Leaves out what is held back or blocked. Reads only; timeline.ts says where each stands.
import type { KeyRange } from '../platform/ports.ts'
import type { HeldMessage, HeldRecords } from './held-records.ts'
import { decodeNumber, keys, NUMBER_BYTES, ranges } from './keys.ts'
import type { LocalStore } from './local-store.ts'

const ID_BYTES = 16

/** Where a line stands. */
export interface OrderPlace {
  at: number
  dev: string
  id: string
}
/** A message, or a version of the group. */
export type HeldLine = HeldMessage | { version: number }
type Row = readonly [key: Uint8Array, value: Uint8Array]

export class Pages {
  readonly #store: LocalStore
  readonly #records: HeldRecords
  readonly #isShown: (message: HeldMessage) => boolean

  constructor(options: { store: LocalStore; records: HeldRecords; isShown: (message: HeldMessage) => boolean }) {
    this.#store = options.store
    this.#records = options.records
    this.#isShown = options.isShown
  }

  /** The newest messages before a place (or of all), oldest first. */
  messages(conversation: string, limit: number, before?: OrderPlace): Promise<HeldMessage[]> {
    return this.#newest(limit, before, { conversation, read: this.#messageAt })
  }

  /** The oldest messages after a place, or from a time on (milliseconds since 1970), oldest first. */
  messagesAfter(conversation: string, limit: number, after: OrderPlace | number): Promise<HeldMessage[]> {
    return this.#oldest(limit, after, { conversation, read: this.#messageAt })
  }

  lines(conversation: string, limit: number, before?: OrderPlace): Promise<HeldLine[]> {
    return this.#newest(limit, before, { conversation, read: this.#lineAt })
  }

  linesAfter(conversation: string, limit: number, after: OrderPlace | number): Promise<HeldLine[]> {
    return this.#oldest(limit, after, { conversation, read: this.#lineAt })
  }

  async #newest<Line>(limit: number, before: OrderPlace | undefined, from: Source<Line>): Promise<Line[]> {
    const { gte, lt: end } = ranges.order(from.conversation)
    const lt = before ? keys.order(from.conversation, before) : end
    const found = await this.#collect(limit, from, (last) => ({ gte, lt: last ?? lt, reverse: true }))
    return found.reverse()
  }

  #oldest<Line>(limit: number, after: OrderPlace | number, from: Source<Line>): Promise<Line[]> {
    const { conversation } = from
    const { lt } = ranges.order(conversation)
    const first =
      typeof after === 'number' ? { gte: keys.orderFrom(conversation, after) } : { gt: keys.order(conversation, after) }
    return this.#collect(limit, from, (last) => ({ ...(last ? { gt: last } : first), lt }))
  }

  /** Reads on behind the last key until so many are found. */
  async #collect<Line>(
    limit: number,
    { read }: Source<Line>,
    rangeAfter: (last: Buffer | undefined) => KeyRange,
  ): Promise<Line[]> {
    const found: Line[] = []
    let behind: Buffer | undefined
    while (found.length < limit) {
      const rows = await this.#store.range({ ...rangeAfter(behind), limit })
      for (const row of rows) {
        const line = found.length < limit ? read(row) : undefined
        if (line) found.push(line)
      }
      const last = rows.at(-1)
      if (!last || rows.length < limit) break
      behind = Buffer.from(last[0])
    }
    return found
  }

  readonly #lineAt = (row: Row): HeldLine | undefined => {
    const [, value] = row
    return value.length === NUMBER_BYTES ? { version: decodeNumber(value) } : this.#messageAt(row)
  }

  readonly #messageAt = ([key, digest]: Row): HeldMessage | undefined => {
    if (digest.length === NUMBER_BYTES) return undefined
    const message = this.#records.message(Buffer.concat([key.subarray(-ID_BYTES), digest]))
    return message && this.#isShown(message) ? message : undefined
  }
}

interface Source<Line> {
  conversation: string
  read: (row: Row) => Line | undefined
}
