// Tells senders what this device has received and its user has read. What is still to be told is derived from the conversation's
// coverage, which is on disk; so nothing is forgotten by a crash, and receipts need no outbox of their own. One record under way
// per conversation and author: what comes meanwhile joins the next.
import { toBase64 } from '../protocol/bytes.ts'
import { asChatError, type ChatError } from '../protocol/errors.ts'
import { limits } from '../protocol/limits.ts'
import { isGroupId } from '../protocol/names.ts'
import type { ReceiptHeader, SettingHeader } from '../protocol/records.ts'
import { sleep } from '../platform/timing.ts'
import type { Clock, Logger } from '../platform/ports.ts'
import type { Conversation, Conversations, DeviceCoverage } from './conversations.ts'
import type { Identity } from './identity.ts'
import { addAll, common, type SequenceRanges, without } from './sequence-ranges.ts'
import type { Session } from './session.ts'
import { encodeReadRanges, type ReadRange, readKey } from './settings.ts'

const RETRY_MS = 1_000

/** In a group what comes within this time is told together. */
const GROUP_TURN_MS = 250
/** The first that comes is told at once; what comes while it is told, and within this time, is told together. */
const BURST_TURN_MS = 100

type Ranges = [device: string, ranges: SequenceRanges][]
interface Due {
  /** Whom it concerns: the author, or this user's other devices. */
  to: string
  kind: 'received' | 'read' | 'position'
  ranges: Ranges
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
  /** `conversation author` of each record under way. */
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
    if (!session || session.isOver || !conversation) return
    for (const { to } of this.#due(conversation)) {
      const line = `${id} ${to}`
      if (this.#running.has(line)) continue
      this.#running.add(line)
      void this.#run(conversation, to, session).finally(() => {
        this.#running.delete(line)
        // Something may have come due since the last look, or on a newer session.
        this.kick(id)
        if (this.isIdle) this.#options.onProgress()
      })
    }
  }

  async #run(conversation: Conversation, to: string, session: Session): Promise<void> {
    const { clock } = this.#options
    for (let last: Due | undefined; ; ) {
      if (isGroupId(conversation.id)) await sleep(clock, GROUP_TURN_MS)
      else if (last && this.#due(conversation, to)[0]?.kind === last.kind) await sleep(clock, BURST_TURN_MS)
      const [due] = this.#due(conversation, to)
      if (!due || !(await this.#tell(this.#seal(conversation, due), session))) return
      this.#mark(conversation, due)
      last = due
    }
  }

  /** True when it is stored, or will never be taken; false when the session is over. */
  async #tell(sealed: Uint8Array, session: Session): Promise<boolean> {
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

  /**
   * What is to be told, to everybody or to one: received first, then read. The user's other devices hear last of what was read:
   * they may take for told what they hear of.
   */
  #due(conversation: Conversation, only?: string): Due[] {
    const { user: me } = this.#options.identity
    const readOf = (c: DeviceCoverage): SequenceRanges => common(c.read, c.held)
    // Read implies received: a group is told only the further of the two.
    const heldOf = (c: DeviceCoverage): SequenceRanges =>
      isGroupId(conversation.id) ? without(c.held, c.read) : c.held
    const due: Due[] = []
    const add = (kind: Due['kind'], rangesOf: (coverage: DeviceCoverage) => SequenceRanges): void => {
      const found = this.#collect(conversation, rangesOf, only)
      for (const [to, ranges] of found) due.push({ to, kind, ranges })
    }
    if (only !== me) {
      add('received', (c) => without(heldOf(c), c.toldReceived))
      add('read', (c) => without(readOf(c), c.toldRead))
    }
    if (only === undefined || only === me) {
      const found = this.#collect(conversation, (c) => without(common(readOf(c), c.toldRead), c.syncedRead))
      const ranges = atMost(limits.maxReceiptRanges, [...found.values()].flat())
      if (ranges.length > 0) due.push({ to: me, kind: 'position', ranges })
    }
    return due
  }

  /** By author: what of each device is due, in records no larger than may be. */
  #collect(
    conversation: Conversation,
    due: (coverage: DeviceCoverage) => SequenceRanges,
    only?: string,
  ): Map<string, Ranges> {
    const found = new Map<string, Ranges>()
    const room = new Map<string, number>()
    for (const [device, coverage] of conversation.devices) {
      const { user } = coverage
      const left = room.get(user) ?? limits.maxReceiptRanges
      if (user === this.#options.identity.user || left === 0 || (only !== undefined && user !== only)) continue
      const ranges = due(coverage).slice(0, left)
      room.set(user, left - ranges.length)
      if (ranges.length > 0) found.set(user, [...(found.get(user) ?? []), [device, ranges]])
    }
    return found
  }

  #seal(conversation: Conversation, { to, kind, ranges }: Due): Uint8Array {
    const { identity, makeId, now } = this.#options
    const author = { id: makeId(), from: identity.user, dev: identity.device, to, at: now() }
    const conv = conversation.id
    if (kind !== 'position') {
      const r = ranges.flatMap(([device, list]) => list.map(([a, b]): [string, number, number] => [device, a, b]))
      return identity.seal({ k: 'rcpt', ...author, conv, st: kind, r } satisfies ReceiptHeader)
    }
    const authorOf = (device: string): string => conversation.devices.get(device)?.user ?? ''
    const read = ranges.flatMap(([device, list]) =>
      list.map(([a, b]): ReadRange => (isGroupId(conv) ? [device, a, b, authorOf(device)] : [device, a, b])),
    )
    return identity.seal({ k: 'set', ...author, key: readKey(conv) } satisfies SettingHeader, encodeReadRanges(read))
  }

  /** What was told is not told again. */
  #mark(conversation: Conversation, { kind, ranges }: Due): void {
    for (const [device, list] of ranges) {
      const coverage = conversation.devices.get(device)
      for (const set of coverage ? told[kind](coverage) : []) addAll(set, list)
    }
    this.#options.conversations.touch(conversation)
  }
}

/** So many ranges, whosever they are. */
const atMost = (count: number, ranges: Ranges): Ranges => {
  let room = count
  return ranges.flatMap(([device, list]): Ranges => {
    const taken = list.slice(0, room)
    room -= taken.length
    return taken.length > 0 ? [[device, taken]] : []
  })
}

const told: Record<Due['kind'], (coverage: DeviceCoverage) => SequenceRanges[]> = {
  received: (c) => [c.toldReceived],
  read: (c) => [c.toldReceived, c.toldRead],
  position: (c) => [c.syncedRead],
}

const isFinal = (error: ChatError): boolean => error.outcome === 'refused' && !error.retryable && error.exitCode !== 5
