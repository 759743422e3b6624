// Deleting on this device: who may, what is left (a place without a text), and tombstones that come before what they delete.
// A tombstone beats a body whichever comes first; it was verified before it gets here.
import { fromHex } from '../protocol/bytes.ts'
import { CONTENT_TYPE } from '../protocol/content.ts'
import { conversationName } from '../protocol/names.ts'
import { type DeletedPlace, idFromBytes, type MessageHeader, type TombstoneHeader } from '../protocol/records.ts'
import { referenceOf } from '../protocol/reference.ts'
import { mutant } from '../platform/mutants.ts'
import type { EventLog } from './event-log.ts'
import { contentOf, type HeldMessage, type HeldRecords } from './held-records.ts'
import { keys } from './keys.ts'
import type { LocalStore } from './local-store.ts'
import type { References } from './references.ts'
import type { Timeline } from './timeline.ts'

export interface DeletionsOptions {
  store: LocalStore
  records: HeldRecords
  references: References
  timeline: Timeline
  events: EventLog
  me: string
  isBlocked: (user: string) => boolean
  isHeld: (key: Uint8Array) => boolean
  /** What is shown of this message has changed. */
  onChanged: (key: Uint8Array) => void
  /** A message that was there is deleted. */
  onDeleted: (message: HeldMessage) => void
}

export class Deletions {
  readonly #options: DeletionsOptions

  constructor(options: DeletionsOptions) {
    this.#options = options
  }

  /**
   * The author of a message, or the owner of this mailbox, deleted it; of anybody else it says nothing. Listeners hear of what others
   * and other devices do.
   */
  bury(header: Pick<TombstoneHeader, 'target' | 'of' | 'from' | 'at'>, { isTold }: { isTold: boolean }): void {
    const { records, references, timeline, events, isBlocked, isHeld, onChanged, onDeleted } = this.#options
    const key = fromHex(header.target)
    const message = records.message(key)
    if (!message) return this.#await(header, key)
    if (message.isDeleted || !this.#mayDelete(header.from, message.header.from)) return
    const isLine = referenceOf(contentOf(message)) === undefined
    if (!isLine) references.withdraw(message)
    records.keepDeleted(key, message.header, message.acceptedAt)
    timeline.readUntold(message.header)
    if (!isLine) return
    onChanged(key)
    onDeleted(message)
    const { id, conv } = message.header
    if (isTold && !isHeld(key) && !isBlocked(header.from)) events.deletion({ id, conv, by: header.from, at: header.at })
  }

  /** True when a tombstone of someone with the right to it was there before its message. */
  isBuried(key: Uint8Array, author: string): boolean {
    if (mutant('body-beats-tombstone')) return false
    const { store, me } = this.#options
    return store.has(keys.tombstone(key, author)) || store.has(keys.tombstone(key, me))
  }

  #mayDelete(user: string, author: string): boolean {
    return user === author || user === this.#options.me
  }

  /** The body may still come, or is gone for good: where it stood is known either way. */
  #await({ of, from }: Pick<TombstoneHeader, 'of' | 'from'>, key: Buffer): void {
    const { store, records, timeline } = this.#options
    store.put(keys.tombstone(key, from), Buffer.of(1))
    const id = idFromBytes(key)
    if (!of || !this.#mayDelete(from, of.from) || records.has(key) || mutant('body-beats-tombstone')) return
    if (records.keyOf(id, of.from)) return // another message under this id came first
    timeline.receiveDeleted(headerFrom(of, id), key, { acceptedAt: of.at, isLine: of.ref !== true })
  }
}

/** As far as a tombstone tells what the header of its target was. */
const headerFrom = ({ conv, from, dev, seq, at }: DeletedPlace, id: string): MessageHeader => {
  const isGroup = conv.startsWith('#')
  const to = isGroup ? conv : conversationName(conv, from)
  return { k: 'msg', id, from, dev, to, at, conv, seq, ct: CONTENT_TYPE, ...(isGroup ? { gv: 1 } : {}) }
}
