// Tells senders what this device has received and its user has read. What is still to be told is derived from the conversation's
// coverage, which is on disk; so nothing is forgotten by a crash, and receipts need no outbox of their own. One record under way
// per conversation: what comes meanwhile joins the next.
import { toBase64 } from '../protocol/bytes.ts'
import { asChatError, type ChatError } from '../protocol/errors.ts'
import { limits } from '../protocol/limits.ts'
import { conversationName } from '../protocol/names.ts'
import type { ReceiptHeader, SettingHeader } from '../protocol/records.ts'
import { sleep } from '../platform/timing.ts'
import type { Clock, Logger } from '../platform/ports.ts'
import type { Conversation, Conversations, DeviceCoverage } from './conversations.ts'
import type { Identity } from './identity.ts'
import { addAll, common, type SequenceRanges, without } from './sequence-ranges.ts'
import type { Session } from './session.ts'
import { encodeReadRanges, readKey } from './settings.ts'

const RETRY_MS = 1_000

type Due = [device: string, ranges: SequenceRanges][]
interface Telling {
  sealed: Uint8Array
  /** Marks as told what the record says. */
  done: () => void
}

export interface ReceiptSenderOptions {
  clock: Clock
  log: Logger
  identity: Identity
  conversations: Conversations
  makeId: () => string
  now: () => number
  onProgress: () => void
}

export class ReceiptSender {
  readonly #options: ReceiptSenderOptions
  readonly #running = new Set<string>()
  #session: Session | undefined

  constructor(options: ReceiptSenderOptions) {
    this.#options = options
  }

  online(session: Session): void {
    this.#session = session
    for (const { id } of this.#options.conversations.all()) this.kick(id)
  }

  offline(): void {
    this.#session = undefined
  }

  get isIdle(): boolean {
    return this.#running.size === 0
  }

  /** Something may be due in this conversation, and is on disk. */
  kick(id: string): void {
    const session = this.#session
    const conversation = this.#options.conversations.get(id)
    if (!session || session.isOver || !conversation || this.#running.has(id)) return
    this.#running.add(id)
    void this.#run(conversation, session).finally(() => {
      this.#running.delete(id)
      // Something may have come due between the last look and now, or on a newer session.
      if (this.#session && this.#next(conversation)) this.kick(id)
      else this.#options.onProgress()
    })
  }

  async #run(conversation: Conversation, session: Session): Promise<void> {
    for (let next = this.#next(conversation); next; next = this.#next(conversation)) {
      if (!(await this.#tell(next, session))) return
      next.done()
      this.#options.conversations.touch(conversation)
    }
  }

  /** True when it is stored, or will never be taken; false when the session is over. */
  async #tell({ sealed }: Telling, session: Session): Promise<boolean> {
    const record = toBase64(sealed)
    while (session === this.#session && !session.isOver) {
      try {
        await session.request('record.put', { record }, 'record.stored')
        return true
      } catch (error) {
        const reason = asChatError(error)
        if (isFinal(reason)) {
          this.#options.log.warn({ code: reason.code }, 'a receipt was refused for good')
          return true
        }
        await sleep(this.#options.clock, RETRY_MS)
      }
    }
    return false
  }

  /** Received first, then read, then the user's other devices: they may take for told what they hear of as read. */
  #next(conversation: Conversation): Telling | undefined {
    return (
      this.#receipt(conversation, 'received', (c) => ({
        due: without(c.held, c.toldReceived),
        told: [c.toldReceived],
      })) ??
      this.#receipt(conversation, 'read', (c) => ({
        due: without(common(c.read, c.held), c.toldRead),
        told: [c.toldRead],
      })) ??
      this.#readPositions(conversation)
    )
  }

  #receipt(
    conversation: Conversation,
    state: 'received' | 'read',
    look: (coverage: DeviceCoverage) => { due: SequenceRanges; told: SequenceRanges[] },
  ): Telling | undefined {
    const { identity, makeId, now } = this.#options
    const to = this.#recipientOf(conversation)
    if (to === undefined) return undefined
    const due = this.#collect(conversation, (coverage) => look(coverage).due)
    if (due.length === 0) return undefined
    const r = due.flatMap(([device, ranges]) => ranges.map(([a, b]): [string, number, number] => [device, a, b]))
    const author = { id: makeId(), from: identity.user, dev: identity.device, to, at: now() }
    const header: ReceiptHeader = { k: 'rcpt', ...author, conv: conversation.id, st: state, r }
    return {
      sealed: identity.seal(header),
      done: () => this.#mark(conversation, due, (coverage) => look(coverage).told),
    }
  }

  #readPositions(conversation: Conversation): Telling | undefined {
    const { identity, makeId, now } = this.#options
    const due = this.#collect(conversation, (c) => without(common(c.read, c.held), c.syncedRead))
    if (due.length === 0) return undefined
    const r = due.flatMap(([device, ranges]) => ranges.map(([a, b]): [string, number, number] => [device, a, b]))
    const author = { id: makeId(), from: identity.user, dev: identity.device, to: identity.user, at: now() }
    const header: SettingHeader = { k: 'set', ...author, key: readKey(conversation.id) }
    return {
      sealed: identity.seal(header, encodeReadRanges(r)),
      done: () => this.#mark(conversation, due, (coverage) => [coverage.syncedRead]),
    }
  }

  /** Who sent in a direct conversation what is not from this user; groups come with their own receipts. */
  #recipientOf({ id }: Conversation): string | undefined {
    const name = conversationName(id, this.#options.identity.user)
    return name.startsWith('#') || name === this.#options.identity.user ? undefined : name
  }

  #collect(conversation: Conversation, due: (coverage: DeviceCoverage) => SequenceRanges): Due {
    const found: Due = []
    let room: number = limits.maxReceiptRanges
    for (const [device, coverage] of conversation.devices) {
      if (coverage.user === this.#options.identity.user || room === 0) continue
      const ranges = due(coverage).slice(0, room)
      room -= ranges.length
      if (ranges.length > 0) found.push([device, ranges])
    }
    return found
  }

  #mark(conversation: Conversation, due: Due, sets: (coverage: DeviceCoverage) => SequenceRanges[]): void {
    for (const [device, ranges] of due) {
      const coverage = conversation.devices.get(device)
      for (const set of coverage ? sets(coverage) : []) addAll(set, ranges)
    }
  }
}

const isFinal = (error: ChatError): boolean => error.outcome === 'refused' && !error.retryable && error.exitCode !== 5
