// How far each of this user's own messages got, from the signed receipts of its recipients: the earliest time of each state,
// read implies received, and nothing ever goes back. A receipt that comes before its message waits for it.
import { fromUtf8, toUtf8 } from '../protocol/bytes.ts'
import type { ReceiptHeader } from '../protocol/records.ts'
import { LruMap } from '../platform/lru-map.ts'
import { mutant } from '../platform/mutants.ts'
import type { Conversations } from './conversations.ts'
import type { EventLog } from './event-log.ts'
import { idOfRecordKey } from './held-records.ts'
import { decodeNumber, encodeNumber, keys, NUMBER_BYTES, type Place } from './keys.ts'
import type { LocalStore } from './local-store.ts'
import { addAll, addRange, common, type SequenceRanges, without } from './sequence-ranges.ts'

/** Milliseconds since 1970 by the cluster's clock; 0 = not yet. */
export interface Times {
  receivedAt: number
  readAt: number
}
type State = 'received' | 'read'
/** User, state, first and last sequence number, acceptedAt of the receipt. */
type EarlyReceipt = [user: string, state: State, from: number, to: number, at: number]
/** More than enough for what can overtake; a flood beyond it is dropped. */
const MAX_EARLY = 1_000
const MAX_HEARD = 2_000

const earliest = (a: number, b: number): number => (a === 0 ? b : b === 0 ? a : Math.min(a, b))

export const withReceipt = (times: Times, state: State, at: number): Times => {
  const readAt = state === 'read' ? earliest(times.readAt, at) : times.readAt
  const implied = state === 'received' || !mutant('read-without-received')
  return { receivedAt: implied ? earliest(times.receivedAt, at) : times.receivedAt, readAt }
}

export interface StatusesOptions {
  store: LocalStore
  conversations: Conversations
  events: EventLog
  me: string
  /** May this user have got messages of the conversation? */
  isRecipient: (conversation: string, user: string) => boolean
  onChange: (id: string) => void
}

interface Heard {
  place: Place
  user: string
  state: State
  at: number
}

export class Statuses {
  readonly #options: StatusesOptions
  /** By place, user and state: of which numbers this process has heard, at that time or earlier. */
  readonly #heard = new LruMap<string, { ranges: SequenceRanges; at: number }>({ max: MAX_HEARD })

  constructor(options: StatusesOptions) {
    this.#options = options
  }

  of(place: Place, seq: number, user: string): Times {
    const value = this.#options.store.get(keys.status(place, seq, user))
    return value
      ? { receivedAt: decodeNumber(value), readAt: decodeNumber(value, NUMBER_BYTES) }
      : { receivedAt: 0, readAt: 0 }
  }

  /**
   * A verified receipt. Only messages that this user's devices really sent are touched, however large its ranges are; and each once, however
   * often it names them or was told before: whoever has a long conversation with somebody could else keep that client busy.
   */
  apply({ conv, from, st, r }: ReceiptHeader, acceptedAt: number): void {
    const ofDevices = new Map<string, SequenceRanges>()
    for (const [device, first, last] of r) {
      const ranges = ofDevices.get(device) ?? []
      addRange(ranges, first, last)
      ofDevices.set(device, ranges)
    }
    for (const [device, claimed] of ofDevices) {
      const place = { conversation: conv, device }
      const coverage = this.#options.conversations.get(conv)?.devices.get(device)
      const known = coverage?.user === this.#options.me ? common(claimed, coverage.held) : []
      for (const [low, high] of this.#unheard(known, { place, user: from, state: st, at: acceptedAt })) {
        for (let seq = low; seq <= high; seq += 1) this.#mark(place, seq, { user: from, state: st, at: acceptedAt })
      }
      if (mutant('receipt-dropped')) continue
      const early = without(claimed, known).map(([low, high]): EarlyReceipt => [from, st, low, high, acceptedAt])
      if (early.length > 0) this.#saveEarly(place, [...this.#early(place), ...early].slice(0, MAX_EARLY))
    }
  }

  /** To be called for each own message when it is known where it stands in its device's sequence. */
  ownMessage(place: Place, seq: number): void {
    const early = this.#early(place)
    if (early.length === 0) return
    const rest: EarlyReceipt[] = []
    for (const receipt of early) {
      const [user, state, from, to, at] = receipt
      if (seq < from || seq > to) {
        rest.push(receipt)
        continue
      }
      this.#mark(place, seq, { user, state, at })
      for (const [low, high] of without([[from, to]], [[seq, seq]])) rest.push([user, state, low, high, at])
    }
    this.#saveEarly(place, rest)
  }

  /** What of these numbers was not told before at the same time or earlier: of a state the earliest time counts. */
  #unheard(ranges: SequenceRanges, { place, user, state, at }: Heard): SequenceRanges {
    if (!this.#options.isRecipient(place.conversation, user)) return []
    const name = `${place.conversation} ${place.device} ${user} ${state}`
    const before = this.#heard.get(name)
    const isLater = before !== undefined && at >= before.at
    const all = before?.ranges ?? []
    const news = isLater ? without(ranges, all) : ranges
    addAll(all, ranges)
    this.#heard.set(name, { ranges: all, at: Math.max(at, before?.at ?? 0) })
    return news
  }

  #mark(place: Place, seq: number, { user, state, at }: { user: string; state: State; at: number }): void {
    const { store, events, isRecipient, onChange } = this.#options
    const key = store.get(keys.sequence(place, seq))
    if (!key || !isRecipient(place.conversation, user)) return // a void; or, of those that came early, a stranger's
    const before = this.of(place, seq, user)
    const after = withReceipt(before, state, at)
    if (after.receivedAt === before.receivedAt && after.readAt === before.readAt) return
    store.put(
      keys.status(place, seq, user),
      Buffer.concat([encodeNumber(after.receivedAt), encodeNumber(after.readAt)]),
    )
    const isNews = state === 'read' ? before.readAt === 0 : before.receivedAt === 0
    const id = idOfRecordKey(key)
    if (isNews) events.receipt({ id, user, status: state, at })
    onChange(id)
  }

  #early(place: Place): EarlyReceipt[] {
    const saved = this.#options.store.get(keys.earlyReceipts(place))
    return saved ? (JSON.parse(fromUtf8(saved)) as EarlyReceipt[]) : [] // written below
  }

  #saveEarly(place: Place, early: EarlyReceipt[]): void {
    const value = early.length > 0 ? toUtf8(JSON.stringify(early)) : undefined
    this.#options.store.put(keys.earlyReceipts(place), value)
  }
}
