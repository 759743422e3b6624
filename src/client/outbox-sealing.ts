// Seals what leaves the outbox for the first time: its place in the order, its signature, its line in the timeline, in one batch with the
// mark on disk that the attempt may have had an effect. And opens it again where a refusal leaves it as if it had never left.
import { openBody } from '../protocol/sealed.ts'
import { openRecord, recordKey } from '../protocol/records.ts'
import type { Conversations, Naming } from './conversations.ts'
import type { Identity } from './identity.ts'
import { headerFor, type OutboxEntry, withFiles } from './outbox-entry.ts'
import type { OutboxLanes } from './outbox-lanes.ts'
import type { Timeline } from './timeline.ts'

/** Changes of one setting within the same millisecond are told apart by so much at most; past it the clock was set back. */
const CLOSE_MS = 1_000

export interface SealingOptions {
  identity: Identity
  conversations: Conversations
  timeline: Timeline
  /** The version of a group that a message to it names. */
  groupVersion: (group: string) => Omit<Naming, 'from'> | undefined
  /** Somebody came into a group after one version, up to another. */
  hasNewcomers: (group: string, since: number, version: number) => boolean
  makeId: () => string
  /** The time to sign with. */
  now: () => number
}

export class OutboxSealing {
  readonly #options: SealingOptions
  readonly #lanes: OutboxLanes
  /** Of the last setting or deletion. */
  #lastAsideAt = 0

  constructor(options: SealingOptions, lanes: OutboxLanes) {
    this.#options = options
    this.#lanes = lanes
  }

  seal(entry: OutboxEntry): void {
    const { identity, timeline } = this.#options
    const author = { user: identity.user, device: identity.device }
    const isAside = entry.kind === 'set' || entry.kind === 'tomb'
    const at = isAside ? this.#asideAt() : this.#inConversationAt(entry)
    // Here and not when they were there: what an entry says of its files and what it says itself are one write.
    if (entry.kind === 'msg') entry.bytes = withFiles(entry)
    const naming = entry.kind === 'msg' ? this.#naming(entry) : undefined
    const header = headerFor(entry, author, { at, naming })
    entry.bytes = identity.seal(header, entry.kind === 'void' ? undefined : entry.bytes)
    entry.isSealed = true
    // On disk the attempt may have had an effect, whatever this process lives to see.
    this.#lanes.save({ ...entry, isUncertain: true })
    if (header.k === 'msg') timeline.addOwn(header, entry.bytes, recordKey(entry.id, entry.bytes))
  }

  /** Above everything seen in the conversation, whatever this device's clock says. */
  #inConversationAt({ lane }: OutboxEntry): number {
    return Math.max(this.#options.now(), this.#options.conversations.of(lane).maxAt + 1)
  }

  /**
   * What it names, and since when it, or one since which nobody came in: to each reader that is the same. What is sealed anew is later
   * than what was sealed after it.
   */
  #naming({ lane, to, place }: OutboxEntry): Naming | undefined {
    const { conversations, groupVersion, hasNewcomers, identity } = this.#options
    const named = groupVersion(to)
    if (!named) return undefined
    const conversation = conversations.of(lane)
    const before = conversation.naming
    if (before?.version !== named.version) {
      const goesOn = before && before.version < named.version && !hasNewcomers(to, before.version, named.version)
      const sealed = conversation.devices.get(identity.device)?.held.at(-1)?.[1] ?? 0
      conversation.naming = { ...named, from: goesOn ? before.from : Math.max(place, sealed + 1) }
      conversations.touch(conversation)
    }
    return conversation.naming
  }

  /** Later than the one before: of two changes of a setting the later wins, and two of the same time would not be told apart. */
  #asideAt(): number {
    const now = this.#options.now()
    const isClose = this.#lastAsideAt - now < CLOSE_MS
    this.#lastAsideAt = isClose ? Math.max(now, this.#lastAsideAt + 1) : now
    return this.#lastAsideAt
  }

  /** A message, to be sealed anew. */
  reopen(entry: OutboxEntry): void {
    const { header, sealed } = openRecord(entry.bytes)
    if (header.k !== 'msg') return
    this.#options.timeline.withdraw(header, recordKey(entry.id, sealed))
    entry.bytes = openBody(sealed)
    entry.isSealed = false
  }

  /** Only a mutant does this: a resend must keep id and bytes. */
  sealAgain(entry: OutboxEntry): void {
    if (entry.kind !== 'msg') return
    this.#lanes.rename(entry, this.#options.makeId())
    entry.bytes = openBody(entry.bytes)
    this.seal(entry)
  }
}
