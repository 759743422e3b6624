// A Chat of one process without a network: what the terminal client is tested against. Tests play the others through its methods.
// It keeps the promises of src/client/api.ts that a screen can see: order, unread, states, one onChange per change.
import type {
  AttentionLevel,
  DeviceFingerprint,
  UnverifiedUser,
  Chat,
  ChatEvent,
  ConnectionReport,
  DeviceReport,
  FetchedAttachment,
  Gap,
  HistoryLine,
  HistoryMessage,
  HistoryOptions,
  InboxEntry,
  LiveEvent,
  LiveOptions,
  MessageStatus,
  ReactionResult,
  ReferenceResult,
  SendOptions,
  SendResult,
  StatusReport,
  Transfer,
} from '../src/client/api.ts'
import type { BlobAccess } from '../src/client/ports.ts'
import type { Attachment } from '../src/protocol/content.ts'
import { ChatError } from '../src/protocol/errors.ts'
import { FakeGroups } from './fake-groups.ts'

const online: ConnectionReport = {
  state: 'online',
  gateway: 'ws://127.0.0.1:7400',
  retryInMs: null,
  queued: 0,
  complete: true,
  lagMs: 3,
  problem: null,
}

const pageOf = <Line extends { id: string; at: string }>(
  lines: readonly Line[],
  { limit = 50, before, after, since }: HistoryOptions,
): Line[] => {
  const placeOf = (id: string): number => {
    const index = lines.findLastIndex((line) => line.id === id)
    if (index < 0) throw new ChatError('MESSAGE_UNKNOWN')
    return index
  }
  const sinceIndex = since === undefined ? -1 : lines.findIndex(({ at }) => at >= since)
  const from = after === undefined ? sinceIndex : placeOf(after) + 1
  const end = before === undefined ? lines.length : placeOf(before)
  const isForward = after !== undefined || since !== undefined
  const first = isForward ? from : Math.max(0, end - limit)
  return first < 0 ? [] : lines.slice(first, isForward ? first + limit : end)
}

export class FakeChat implements Chat {
  readonly user: string
  readonly device = 'd0'
  /** Beside this one; ended when true. */
  readonly otherDevices = new Map<string, boolean>()
  readonly cluster = 'c0'
  readonly group: FakeGroups
  report: ConnectionReport = online
  gapsOf: Record<string, Gap[]> = {}
  /** Names that send() refuses; everybody else exists. */
  readonly strangers = new Set<string>()
  readonly marked: { conversation: string; upTo: string | undefined }[] = []
  /** What status() says of every message. */
  recipients: StatusReport['recipients'] = []
  readonly #messages = new Map<string, HistoryMessage[]>()
  readonly #read = new Map<string, number>()
  readonly verified = new Set<string>()
  unverifiedUsers: UnverifiedUser[] = []
  readonly #unread = new Set<string>()
  readonly #levels = new Map<string, AttentionLevel>()
  readonly #blocked = new Set<string>()
  readonly #listeners = new Set<() => void>()
  readonly typed: { conversation: string; active: boolean }[] = []
  readonly #live = new Set<(event: LiveEvent) => void>()
  readonly #events = new Set<(event: ChatEvent) => void>()
  /** With what the next event breaks every stream off. */
  eventsError: Error | undefined
  #count = 0
  #atMs: number

  constructor(user = 'alice', options: { atMs?: number } = {}) {
    this.user = user
    this.#atMs = options.atMs ?? Date.now() - 3_600_000
    this.group = new FakeGroups(user, () => (this.#atMs += 1_000))
  }

  changed(): void {
    for (const listener of this.#listeners) listener()
  }

  connect(report: Partial<ConnectionReport>): void {
    this.report = { ...this.report, ...report }
    this.changed()
  }

  /** Somebody writes. */
  receive(from: string, text: string, options: { atMs?: number; reply?: string } = {}): HistoryMessage {
    const message = this.#add(from, { from, to: this.user, text, ...options })
    for (const tell of this.#events) tell({ ...message, position: this.#count })
    this.changed()
    return message
  }

  /** Somebody writes to a group. */
  receiveIn(group: string, from: string, text: string, options: { atMs?: number } = {}): HistoryMessage {
    const message = this.#add(group, { from, to: group, text, ...options })
    for (const tell of this.#events) tell({ ...message, position: this.#count })
    this.changed()
    return message
  }

  setStatus(id: string, status: MessageStatus, problem?: string): void {
    for (const messages of this.#messages.values()) {
      const index = messages.findIndex((message) => message.id === id)
      const message = messages[index]
      if (message) messages[index] = { ...message, status, ...(problem === undefined ? {} : { problem }) }
    }
    this.changed()
  }

  #add(
    conversation: string,
    { id, atMs, ...rest }: { from: string; to: string; text: string; id?: string; reply?: string; atMs?: number },
  ): HistoryMessage {
    this.#count += 1
    this.#atMs = atMs ?? this.#atMs + 1_000
    const message: HistoryMessage = {
      type: 'message',
      id: id ?? `m${this.#count}`,
      conversation,
      at: new Date(this.#atMs).toISOString(),
      attachments: [],
      status: rest.from === this.user ? 'stored' : 'received',
      ...rest,
    }
    const messages = this.#messages.get(conversation) ?? []
    messages.push(message)
    this.#messages.set(conversation, messages)
    return message
  }

  readonly transferring: Transfer[] = []

  async transfers(): Promise<Transfer[]> {
    return this.transferring
  }

  async attachments(): Promise<Attachment[]> {
    return []
  }

  async blobAccess(): Promise<BlobAccess> {
    throw new ChatError('NET_UNAVAILABLE')
  }

  async fetchAttachments(): Promise<FetchedAttachment[]> {
    throw new ChatError('FILE_UNKNOWN')
  }

  readAttachment(): AsyncIterable<Uint8Array> {
    throw new ChatError('FILE_UNKNOWN')
  }

  async forward(id: string, to: string, options: SendOptions = {}): Promise<SendResult> {
    const message = [...this.#messages.values()].flat().find((each) => each.id === id)
    if (!message) throw new ChatError('MESSAGE_UNKNOWN')
    return this.send(to, message.text, options)
  }

  async send(to: string, text: string, options: SendOptions = {}): Promise<SendResult> {
    await Promise.resolve()
    if (this.strangers.has(to)) throw new ChatError('USER_UNKNOWN')
    const message = this.#add(to, {
      from: this.user,
      to,
      text,
      ...(options.id ? { id: options.id } : {}),
      ...(options.reply ? { reply: options.reply } : {}),
    })
    this.changed()
    const { id, at, status } = message
    return { id, to, conversation: to, status, storedAt: at, receivedAt: null, readAt: null }
  }

  #change(id: string, make: (message: HistoryMessage) => Partial<HistoryMessage>): ReferenceResult {
    for (const [conversation, messages] of this.#messages) {
      const index = messages.findIndex((message) => message.id === id)
      const message = messages[index]
      if (!message) continue
      messages[index] = { ...message, ...make(message) }
      this.changed()
      return { id, conversation, status: 'stored' }
    }
    throw new ChatError('MESSAGE_UNKNOWN')
  }

  async edit(id: string, text: string): Promise<ReferenceResult> {
    return this.#change(id, ({ from }) => {
      if (from !== this.user) throw new ChatError('MESSAGE_DENIED')
      return { text, edited: true }
    })
  }

  async delete(id: string): Promise<ReferenceResult> {
    return this.#change(id, () => ({ text: '', attachments: [], deleted: true }))
  }

  async react(id: string, emoji: string): Promise<ReactionResult> {
    let isOn = false
    const result = this.#change(id, ({ reactions = [] }) => {
      isOn = reactions.some((reaction) => reaction.emoji === emoji && reaction.users.includes(this.user))
      const others = reactions.filter((reaction) => reaction.emoji !== emoji)
      return { reactions: isOn ? others : [...others, { emoji, users: [this.user] }] }
    })
    return { ...result, emoji, active: !isOn }
  }

  async history(conversation: string, options: HistoryOptions = {}) {
    const messages = this.#messages.get(conversation) ?? []
    return pageOf(messages, options).map((message) => this.#shown(message))
  }

  async lines(conversation: string, options: HistoryOptions = {}): Promise<HistoryLine[]> {
    const messages: HistoryLine[] = this.#messages.get(conversation) ?? []
    const changes = this.group.changesOf(conversation)
    const all = changes.length === 0 ? messages : [...messages, ...changes].sort((a, b) => (a.at < b.at ? -1 : 1))
    return pageOf(all, options).map((line) => (line.type === 'message' ? this.#shown(line) : line))
  }

  #shown(message: HistoryMessage): HistoryMessage {
    const { from, conversation } = message
    const isRead = (this.#messages.get(conversation)?.lastIndexOf(message) ?? 0) < (this.#read.get(conversation) ?? 0)
    return from !== this.user && isRead ? { ...message, status: 'read' } : message
  }

  async gaps(conversation: string): Promise<Gap[]> {
    return this.gapsOf[conversation] ?? []
  }

  async inbox(): Promise<InboxEntry[]> {
    return [...this.#messages].map(([conversation, messages]) => {
      const others = messages.slice(this.#read.get(conversation) ?? 0).filter(({ from }) => from !== this.user)
      const [unread, firstUnread] = [others.length, others[0]?.id ?? null]
      const level = this.#levels.get(conversation) ?? (conversation.startsWith('#') ? 'mentions' : 'all')
      const marked = this.#unread.has(conversation)
      const last = messages.at(-1) ?? null
      const topic = this.group.topicOf(conversation)
      const about = topic === undefined ? {} : { topic }
      return {
        conversation,
        ...about,
        unread,
        firstUnread,
        marked,
        mentions: 0,
        level,
        activeAt: last?.at ?? null,
        last,
      }
    })
  }

  async markRead(conversation: string, { upTo }: { upTo?: string } = {}): Promise<{ marked: number }> {
    const messages = this.#messages.get(conversation) ?? []
    const end = upTo === undefined ? messages.length : messages.findIndex(({ id }) => id === upTo) + 1
    const before = this.#read.get(conversation) ?? 0
    this.marked.push({ conversation, upTo })
    this.#unread.delete(conversation)
    this.#read.set(conversation, Math.max(before, end))
    this.changed()
    return { marked: Math.max(0, end - before) }
  }

  async status(id: string): Promise<StatusReport> {
    return { id, storedAt: '2026-11-23T12:00:00.000Z', recipients: this.recipients }
  }

  async search(words: string): Promise<HistoryMessage[]> {
    return [...this.#messages.values()].flat().filter(({ text }) => text.includes(words))
  }

  async block(user: string): Promise<void> {
    this.#blocked.add(user)
  }

  async unblock(user: string): Promise<void> {
    this.#blocked.delete(user)
  }

  async blocked(): Promise<string[]> {
    return [...this.#blocked]
  }

  async devices(): Promise<DeviceReport[]> {
    const [since, expires] = ['2026-11-01T00:00:00.000Z', '2027-02-01T00:00:00.000Z']
    return [[this.device, false] as const, ...this.otherDevices].map(([device, revoked]) => ({
      device,
      current: device === this.device,
      since,
      expires,
      revoked,
    }))
  }

  async revoke(device: string): Promise<void> {
    this.otherDevices.set(device, true)
  }

  async approveLink(code: string): Promise<{ device: string }> {
    if (code !== 'GOOD') throw new ChatError('LINK_UNKNOWN')
    return { device: 'd1' }
  }

  async *events({ signal }: { signal?: AbortSignal } = {}): AsyncIterable<ChatEvent> {
    const waiting: ChatEvent[] = []
    let wake: () => void = () => {}
    const tell = (event: ChatEvent): void => {
      waiting.push(event)
      wake()
    }
    this.#events.add(tell)
    signal?.addEventListener('abort', () => wake(), { once: true })
    while (!signal?.aborted) {
      const event = waiting.shift()
      const error = event && this.eventsError
      this.eventsError = undefined
      if (error) throw error
      if (event) yield event
      else await new Promise<void>((resolve) => (wake = resolve))
    }
    this.#events.delete(tell)
  }

  /** Somebody types, comes or goes. */
  tellLive(event: LiveEvent): void {
    for (const tell of this.#live) tell(event)
  }

  async *live({ signal }: LiveOptions = {}): AsyncIterable<LiveEvent> {
    const waiting: LiveEvent[] = []
    let wake: () => void = () => {}
    const tell = (event: LiveEvent): void => {
      waiting.push(event)
      wake()
    }
    this.#live.add(tell)
    signal?.addEventListener('abort', () => wake(), { once: true })
    while (!signal?.aborted) {
      const event = waiting.shift()
      if (event) yield event
      else await new Promise<void>((resolve) => (wake = resolve))
    }
    this.#live.delete(tell)
  }

  async typing(conversation: string, active: boolean): Promise<void> {
    this.typed.push({ conversation, active })
  }

  async settled(): Promise<{ refused: [] }> {
    return { refused: [] }
  }

  async caughtUp(): Promise<void> {}

  async position(): Promise<number> {
    return this.#count
  }

  async mark(): Promise<number> {
    return 0
  }

  async setMark(): Promise<void> {}

  async fingerprints(user: string): Promise<DeviceFingerprint[]> {
    if (this.strangers.has(user)) throw new ChatError('USER_UNKNOWN')
    return [
      {
        device: `${user}-device`,
        fingerprint: '0123 4567 89ab cdef 0123 4567 89ab cdef',
        verified: this.verified.has(user),
      },
    ]
  }

  async verify(user: string): Promise<DeviceFingerprint[]> {
    this.verified.add(user)
    this.changed()
    return this.fingerprints(user)
  }

  async unverified(): Promise<UnverifiedUser[]> {
    return this.unverifiedUsers
  }

  async markUnread(conversation: string): Promise<void> {
    this.#unread.add(conversation)
    this.changed()
  }

  async setLevel(conversation: string, level?: AttentionLevel, { begun = false } = {}): Promise<AttentionLevel> {
    if (!begun && !this.#messages.has(conversation)) throw new ChatError('CONVERSATION_UNKNOWN')
    if (level) this.#levels.set(conversation, level)
    else this.#levels.delete(conversation)
    this.changed()
    return level ?? (conversation.startsWith('#') ? 'mentions' : 'all')
  }

  async connection(): Promise<ConnectionReport> {
    return this.report
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {}
}
