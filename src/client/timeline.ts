// The messages of all conversations on this device: where each stands in the order everybody shares, which are held back,
// and what a listener is told. Everything that gets here is verified, or this device's own.
import type { GroupHeader, MessageHeader, OpenRecord, VoidHeader } from '../protocol/records.ts'
import { type Reference, referenceOf } from '../protocol/reference.ts'
import { mutant } from '../platform/mutants.ts'
import type { Conversation, Conversations } from './conversations.ts'
import type { EventLog } from './event-log.ts'
import { contentOf, type HeldRecords, idOfRecordKey } from './held-records.ts'
import type { Holds } from './holds.ts'
import { decodeNumber, encodeNumber, keys, type Place, ranges } from './keys.ts'
import type { LocalStore } from './local-store.ts'
import type { OrderPlace } from './pages.ts'
import type { References } from './references.ts'
import { addNamed } from './named-versions.ts'
import { addRange, includes } from './sequence-ranges.ts'
import type { Statuses } from './statuses.ts'

export interface TimelineOptions {
  store: LocalStore
  records: HeldRecords
  conversations: Conversations
  holds: Holds
  references: References
  events: EventLog
  statuses: Statuses
  me: { user: string; device: string }
  isBlocked: (user: string) => boolean
  /** Does the message name this user? */
  isMention: (header: MessageHeader, sealed: Uint8Array) => boolean
  /** Something came to its place in that conversation, left it, or waits there no more. */
  onOrder: (conversation: string) => void
  /** The device's clock; only a mutant asks. */
  now: () => number
}
export interface Received {
  key: Uint8Array
  acceptedAt: number
}

export class Timeline {
  readonly #options: TimelineOptions

  constructor(options: TimelineOptions) {
    this.#options = options
  }

  /** A message from another device, verified and new. */
  receive(header: MessageHeader, record: OpenRecord, { key, acceptedAt }: Received): Conversation {
    const { records, me, isMention } = this.#options
    const conversation = this.#options.conversations.of(header.conv)
    records.keep(key, record.sealed, { acceptedAt })
    const reference = this.#file(header, key, record.sealed)
    if (!reference && isMention(header, record.sealed)) {
      const coverage = this.#options.conversations.coverage(conversation, header.dev, header.from)
      addRange((coverage.mentions ??= []), header.seq, header.seq)
    }
    this.#noteVersion(header, conversation)
    this.#cover(header, conversation, key)
    // What this very device once wrote nobody waits for: it lost its database.
    if (reference && header.dev === me.device) this.#refer(key, reference, { isTold: true })
    return conversation
  }

  /** A void takes its number and shows nothing. */
  receiveVoid(header: VoidHeader): Conversation {
    const conversation = this.#options.conversations.of(header.conv)
    this.#cover(header, conversation, undefined)
    this.settle(header)
    return conversation
  }

  /** A message whose body nobody has any more, or shall not have: its place and its number stay. */
  receiveDeleted(
    header: MessageHeader,
    key: Uint8Array,
    { acceptedAt, isLine }: { acceptedAt: number; isLine: boolean },
  ): Conversation {
    const { records, conversations } = this.#options
    if (isLine) {
      records.keepDeleted(key, header, acceptedAt)
      this.#place(header, key)
    } else records.mark(key, 'deleted', acceptedAt)
    const conversation = conversations.of(header.conv)
    this.#cover(header, conversation, undefined)
    this.settle(header)
    return conversation
  }

  /** Nobody is told what became of this number, on any device. */
  settle({ conv, dev, from, seq }: MessageHeader | VoidHeader): void {
    const { conversations } = this.#options
    const conversation = conversations.of(conv)
    const coverage = conversations.coverage(conversation, dev, from)
    for (const set of [coverage.read, coverage.toldReceived, coverage.toldRead, coverage.syncedRead]) {
      addRange(set, seq, seq)
    }
    conversations.touch(conversation)
  }

  /** It cannot be read any more: not unread, and nobody is told that it was, unless it was. */
  readUntold({ conv, dev, from, seq }: MessageHeader): void {
    const { conversations } = this.#options
    const conversation = conversations.of(conv)
    const { read, toldRead, syncedRead } = conversations.coverage(conversation, dev, from)
    if (includes(read, seq)) return
    for (const set of [read, toldRead, syncedRead]) addRange(set, seq, seq)
    conversations.touch(conversation)
  }

  /** A version of a group: what changed has its place among what is said. */
  receiveChange(header: GroupHeader): void {
    const { store, conversations, onOrder } = this.#options
    const conversation = conversations.of(header.to)
    store.put(keys.order(header.to, this.#orderOf(header)), encodeNumber(header.v))
    conversation.maxAt = Math.max(conversation.maxAt, header.at)
    conversations.touch(conversation)
    onOrder(header.to)
  }

  /** This device's own message as it leaves for the first time. */
  addOwn(header: MessageHeader, sealed: Uint8Array, key: Uint8Array): void {
    const { records, conversations } = this.#options
    const conversation = conversations.of(header.conv)
    records.keep(key, sealed, { acceptedAt: 0 })
    const reference = this.#file(header, key, sealed)
    this.#noteVersion(header, conversation)
    this.#note(header, conversation)
    if (reference) this.#refer(key, reference, { isTold: false })
  }

  /** Own message: it is on W homes of both mailboxes. */
  stored(key: Uint8Array, acceptedAt: number): void {
    const { records } = this.#options
    const message = records.message(key)
    if (!message || message.acceptedAt !== 0) return
    if (message.isDeleted) records.keepDeleted(key, message.header, acceptedAt)
    else records.keep(key, message.sealed, { acceptedAt })
  }

  /** Own message: refused for good. It stays on show, with that state. */
  refused(key: Uint8Array, reason: string): void {
    const { records, references } = this.#options
    const message = records.message(key)
    if (!message || message.isDeleted) return
    references.withdraw(message)
    records.keepRefused(key, message.sealed, reason)
  }

  /** Takes an own message back out that never left in this form. */
  withdraw(header: MessageHeader, key: Uint8Array): void {
    const { store, records, references } = this.#options
    const message = records.message(key)
    if (message) references.withdraw(message)
    records.mark(key, 'deleted')
    records.forgetId(header.id, header.from)
    store.put(keys.order(header.conv, this.#orderOf(header)), undefined)
    this.#options.onOrder(header.conv)
    void this.#lowerMaxAt(this.#options.conversations.of(header.conv)).catch(() => {}) // closing; it is tried with the next
  }

  /** The time of what was withdrawn binds nobody: a clock that was wrong for a moment must not hold up what follows. */
  async #lowerMaxAt(conversation: Conversation): Promise<void> {
    const before = conversation.maxAt
    const whole = ranges.order(conversation.id)
    const [last] = await this.#options.store.range({ ...whole, reverse: true, limit: 1 })
    if (conversation.maxAt !== before) return
    conversation.maxAt = last ? decodeNumber(last[0], whole.gte.length) : 0
    this.#options.conversations.touch(conversation)
  }

  /** What waited long enough, or waits no more: listeners are told. */
  show(key: Uint8Array): void {
    const { records, references, events, isBlocked } = this.#options
    const message = records.message(key)
    if (message) this.#options.onOrder(message.header.conv)
    if (!message || message.isDeleted) return
    const reference = referenceOf(contentOf(message))
    if (reference) return references.apply(message, reference, { isTold: true })
    if (isBlocked(message.header.from)) return
    events.message(key)
    references.shown(message)
  }

  /** The id of the held message with this number. */
  idAt(place: Place, seq: number): string | undefined {
    const key = this.#options.store.get(keys.sequence(place, seq))
    return key && idOfRecordKey(key)
  }

  #orderOf(header: OrderPlace): OrderPlace {
    return mutant('order-by-arrival-clock') ? { ...header, at: this.#options.now() } : header
  }

  /** An own message, or one that was received, where it belongs: a line in the order, or only its number. */
  #file(header: MessageHeader, key: Uint8Array, sealed: Uint8Array): Reference | undefined {
    const { records, statuses, me } = this.#options
    const reference = referenceOf(contentOf({ sealed }))
    if (reference) {
      records.claimId(header.id, header.from, key)
      this.settle(header)
      return reference
    }
    this.#place(header, key)
    if (header.from === me.user) statuses.ownMessage({ conversation: header.conv, device: header.dev }, header.seq)
    return undefined
  }

  #refer(key: Uint8Array, reference: Reference, options: { isTold: boolean }): void {
    const message = this.#options.records.message(key)
    if (message) this.#options.references.apply(message, reference, options)
  }

  #place(header: MessageHeader, key: Uint8Array): void {
    this.#options.records.claimId(header.id, header.from, key)
    this.#options.store.put(keys.order(header.conv, this.#orderOf(header)), key.subarray(16))
    this.#options.onOrder(header.conv)
    this.#options.store.put(keys.sequence({ conversation: header.conv, device: header.dev }, header.seq), key)
  }

  #noteVersion({ gv, seq, gs = seq, dev, from }: MessageHeader, conversation: Conversation): void {
    if (gv === undefined) return
    const coverage = this.#options.conversations.coverage(conversation, dev, from)
    addNamed((coverage.named ??= []), [gs, seq, gv])
  }

  #note(header: MessageHeader | VoidHeader, conversation: Conversation): void {
    const coverage = this.#options.conversations.coverage(conversation, header.dev, header.from)
    addRange(coverage.held, header.seq, header.seq)
    conversation.maxAt = Math.max(conversation.maxAt, header.at)
    // A device that lost its database finds its own numbers in what it once sent.
    if (header.dev === this.#options.me.device) conversation.nextSeq = Math.max(conversation.nextSeq, header.seq + 1)
    this.#options.conversations.touch(conversation)
  }

  #cover(header: MessageHeader | VoidHeader, conversation: Conversation, key: Uint8Array | undefined): void {
    const { conversations, holds, isBlocked, me } = this.#options
    this.#note(header, conversation)
    const coverage = conversations.coverage(conversation, header.dev, header.from)
    if (isBlocked(header.from)) {
      // Told nothing now and nothing later: unblocking must not reveal when it arrived.
      addRange(coverage.toldReceived, header.seq, header.seq)
      addRange(coverage.toldRead, header.seq, header.seq)
      addRange(coverage.read, header.seq, header.seq)
    }
    if (header.dev === me.device) return
    holds.arrived({ conversation, device: header.dev, coverage, seq: header.seq }, key)
  }
}
