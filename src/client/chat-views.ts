// What is shown of the local state: conversations, messages with how far they got, gaps, events. Reads only.
import { ChatError } from '../protocol/errors.ts'
import { decodeContent } from '../protocol/content.ts'
import { conversationOf, isGroupId, isGroupName, isUserName } from '../protocol/names.ts'
import { isRecordId } from '../protocol/records.ts'
import { type Reference, referenceOf } from '../protocol/reference.ts'
import type { ChatEvent, Gap, HistoryMessage, HistoryOptions, InboxEntry, SendResult, StatusReport } from './api.ts'
import type { ChatState } from './chat-state.ts'
import type { LoggedEvent } from './event-log.ts'
import { gapsOf } from './gaps.ts'
import { contentOf, type HeldMessage } from './held-records.ts'
import {
  clampTimes,
  type NameOf,
  queuedResult,
  showDraft,
  showMessage,
  statusOf,
  timestamp,
  withQueued,
} from './message-view.ts'
import { mentionsOf, unreadOf } from './reading.ts'
import type { Preferences } from './preferences.ts'
import { SearchIndex } from './search-index.ts'

const DEFAULT_LIMIT = 50
const EVENTS_PAGE = 500

export interface ChatViewsOptions {
  state: ChatState
  preferences: Preferences
  me: string
  /** Why an own message was refused, while it is known. */
  problem: (id: string) => ChatError | undefined
}

export class ChatViews {
  readonly #state: ChatState
  readonly #preferences: Preferences
  readonly #me: string
  readonly #problem: (id: string) => ChatError | undefined
  readonly #search: SearchIndex
  readonly #nameOf: NameOf

  constructor({ state, preferences, me, problem }: ChatViewsOptions) {
    this.#state = state
    this.#preferences = preferences
    this.#me = me
    this.#problem = problem
    this.#search = new SearchIndex(state)
    this.#nameOf = (conversation) => state.nameOf(conversation)
  }

  /** What a conversation of this name is called inside: `alice:bob`, or the id of the group. AUTH_NAME_ILLEGAL, GROUP_UNKNOWN. */
  idOf(name: string): string {
    if (isGroupId(name)) return name
    if (isGroupName(name)) {
      const id = this.#state.groups.idOf(name)
      if (id === undefined) throw new ChatError('GROUP_UNKNOWN')
      return id
    }
    if (!isUserName(name))
      throw new ChatError(String(name).startsWith('#') ? 'GROUP_NAME_ILLEGAL' : 'AUTH_NAME_ILLEGAL')
    return conversationOf(this.#me, name)
  }

  /** MESSAGE_UNKNOWN. */
  async message(id: string): Promise<HeldMessage> {
    const found = isRecordId(id) ? await this.#state.records.messageById(id, this.#me) : undefined
    if (!found) throw new ChatError('MESSAGE_UNKNOWN')
    return found
  }

  /** Of an own message; undefined when this user never sent it. */
  result(id: string): SendResult | undefined {
    const entry = this.#state.outbox.get(id)
    if (entry && !entry.isSealed) return queuedResult({ id, to: this.#nameOf(entry.lane) })
    const key = this.#state.records.keyOf(id, this.#me)
    const message = key && this.#state.records.message(key)
    return message && this.#resultOf(message)
  }

  async history(conversation: string, options: HistoryOptions = {}): Promise<HistoryMessage[]> {
    const { limit = DEFAULT_LIMIT, before, after, since } = options
    const id = this.idOf(conversation)
    const from = await this.#place(id, after, since)
    const anchor = before === undefined ? undefined : await this.#messageIn(id, before)
    const { timeline } = this.#state
    const isForward = from !== undefined
    const held = isForward ? await timeline.pageAfter(id, limit, from) : await timeline.page(id, limit, anchor?.header)
    const { lines, references } = this.#queued(id)
    const all = [...held.map((message) => this.#shown(message)), ...(anchor ? [] : lines)]
    const page = isForward ? all.slice(0, limit) : all.slice(-limit)
    return references.length > 0 ? page.map((line) => withQueued(line, references, this.#me)) : page
  }

  /** One message as history() shows it. */
  line(id: string, { from, conv }: { from: string; conv: string }): HistoryMessage | undefined {
    const { lines, references } = this.#queued(conv)
    const key = this.#state.records.keyOf(id, from)
    const held = key && this.#state.records.message(key)
    const shown = held ? this.#shown(held) : lines.find((line) => line.id === id)
    return shown && withQueued(shown, references, this.#me)
  }

  /** `since`: what was made before may have expired, in milliseconds since 1970. */
  gaps(conversation: string, since: number): Gap[] {
    const found = this.#state.conversations.get(this.idOf(conversation))
    if (!found) return []
    return gapsOf(found, {
      isYoung: (user, device) => (this.#state.certificates.get(user, device)?.at ?? 0) > since,
      idAt: (device, seq) => this.#state.timeline.idAt({ conversation: found.id, device }, seq),
      isAbsence: (device, range) => this.#state.absences.explain({ conversation: found.id, device }, range),
    })
  }

  async inbox(): Promise<InboxEntry[]> {
    const { conversations, groups } = this.#state
    const groupIds = groups.mine().map(({ group }) => group)
    const ids = new Set([...conversations.all().map(({ id }) => id), ...groupIds])
    const entries = await Promise.all([...ids].map((id) => this.#inboxEntry(id)))
    return entries
      .filter((entry) => entry.last !== null || entry.unread > 0 || groups.isMember(this.idOf(entry.conversation)))
      .sort((a, b) => (b.last?.at ?? '').localeCompare(a.last?.at ?? ''))
  }

  async status(id: string): Promise<StatusReport> {
    const result = this.result(id)
    if (result) return { id, storedAt: result.storedAt, recipients: this.#recipientsOf(result) }
    const { acceptedAt } = await this.message(id)
    const { storedAt } = clampTimes(acceptedAt, { receivedAt: 0, readAt: 0 })
    return { id, storedAt, recipients: [{ user: this.#me, receivedAt: null, readAt: null }] }
  }

  async search(words: string, options: { in?: string; limit?: number } = {}): Promise<HistoryMessage[]> {
    const inside = options.in === undefined ? {} : { inside: this.idOf(options.in) }
    const found = await this.#search.find(words, { limit: options.limit ?? DEFAULT_LIMIT, ...inside })
    return found.map((message) => this.#shown(message))
  }

  async *follow(from: number, signal: AbortSignal): AsyncGenerator<ChatEvent, void, undefined> {
    let after = from
    while (!signal.aborted) {
      const logged = await this.#state.events.read(after, EVENTS_PAGE)
      for (const entry of logged) {
        if (signal.aborted) return
        after = entry.position
        const event = this.#event(entry)
        if (event) yield event
      }
      if (logged.length === 0) await this.#state.events.next(after, signal)
    }
  }

  /** undefined for what is not shown any more. */
  #event(entry: LoggedEvent): ChatEvent | undefined {
    const { position } = entry
    if ('receipt' in entry) return { type: 'receipt', ...entry.receipt, at: timestamp(entry.receipt.at), position }
    if ('group' in entry) {
      const { group, at, ...change } = entry.group
      return { type: 'group', group: this.#nameOf(group), ...change, at: timestamp(at), position }
    }
    if ('deletion' in entry) {
      const { id, conv, by, at } = entry.deletion
      return { type: 'delete', id, conversation: this.#nameOf(conv), by, at: timestamp(at), position }
    }
    const isReference = 'reference' in entry
    const message = this.#state.records.message(isReference ? entry.reference : entry.message)
    if (!message || message.isDeleted || this.#state.settings.isBlocked(message.header.from)) return undefined
    return isReference ? this.#referenceEvent(message, position) : { ...showMessage(message, this.#nameOf), position }
  }

  /** undefined when what it was about is deleted. */
  #referenceEvent(message: HeldMessage, position: number): ChatEvent | undefined {
    const { records } = this.#state
    const { from, conv, at } = message.header
    const reference = referenceOf(contentOf(message))
    if (!reference || reference.kind === 'none') return undefined
    const { id } = reference
    const target = records.keyOf(id, reference.kind === 'edit' ? from : reference.author)
    if (!target || records.message(target)?.isDeleted !== false) return undefined
    const conversation = this.#nameOf(conv)
    const about = { id, conversation, from, at: timestamp(message.acceptedAt || at), position }
    if (reference.kind === 'edit') return { type: 'edit', ...about, text: reference.text }
    return { type: 'reaction', ...about, emoji: reference.emoji, active: reference.isActive }
  }

  /** Of this device, what has not left yet: messages, and what is about others. */
  #queued(id: string): { lines: HistoryMessage[]; references: Reference[] } {
    const lines: HistoryMessage[] = []
    const references: Reference[] = []
    for (const entry of this.#state.outbox.drafts(id)) {
      const content = decodeContent(entry.bytes)
      const reference = referenceOf(content)
      if (reference) references.push(reference)
      else lines.push(showDraft(entry, content, { me: this.#me, nameOf: this.#nameOf }))
    }
    return { lines, references }
  }

  /** Where a page that reads on begins; undefined when it reads back from the end or a message. */
  async #place(id: string, after: string | undefined, since: string | undefined) {
    if (after !== undefined) return (await this.#messageIn(id, after)).header
    if (since === undefined) return undefined
    const at = Date.parse(since)
    if (Number.isNaN(at) || at < 0) throw new ChatError('USAGE', { message: 'A time is like 2026-11-23T12:00:00Z' })
    return at
  }

  async #messageIn(conversation: string, id: string): Promise<HeldMessage> {
    const message = await this.message(id)
    if (message.header.conv !== conversation) throw new ChatError('MESSAGE_UNKNOWN')
    return message
  }

  #resultOf(message: HeldMessage): SendResult {
    const { header, isRefused } = message
    const { recipients } = this.#state
    const shown = clampTimes(recipients.storedAt(message), recipients.slowest(message))
    const conversation = this.#nameOf(header.conv)
    const status = isRefused ? 'refused' : statusOf(shown)
    return { id: header.id, to: conversation, conversation, status, ...shown }
  }

  /** Each by itself; to oneself there is one, who has it. */
  #recipientsOf({ id, to, receivedAt, readAt }: SendResult): StatusReport['recipients'] {
    const key = this.#state.records.keyOf(id, this.#me)
    const message = key && this.#state.records.message(key)
    if (!message || message.header.gv === undefined) return [{ user: to, receivedAt, readAt }]
    const { recipients } = this.#state
    const storedAt = recipients.storedAt(message)
    return recipients.of(message.header).map((user) => {
      const times = clampTimes(storedAt, recipients.timesOf(message.header, user))
      return { user, receivedAt: times.receivedAt, readAt: times.readAt }
    })
  }

  #shown(message: HeldMessage): HistoryMessage {
    const shown = { ...showMessage(message, this.#nameOf), ...this.#changes(message) }
    if (message.header.from !== this.#me) return { ...shown, status: this.#statusOfReceived(message) }
    const { status } = this.#resultOf(message)
    const problem = status === 'refused' ? this.#problem(message.header.id) : undefined
    return { ...shown, status, ...(problem ? { problem: problem.message } : {}) }
  }

  #changes(message: HeldMessage): Pick<HistoryMessage, 'edited' | 'deleted' | 'reactions'> & { text?: string } {
    if (message.isDeleted) return { deleted: true }
    const { text, reactions } = this.#state.references.of(message)
    return { ...(text === undefined ? {} : { text, edited: true }), ...(reactions.length > 0 ? { reactions } : {}) }
  }

  #statusOfReceived({ header }: HeldMessage): 'received' | 'read' {
    const coverage = this.#state.conversations.get(header.conv)?.devices.get(header.dev)
    return coverage && unreadOf(coverage, header.seq) ? 'received' : 'read'
  }

  async #inboxEntry(id: string): Promise<InboxEntry> {
    const name = this.#nameOf(id)
    const [last] = await this.history(name, { limit: 1 })
    let unread = 0
    let mentions = 0
    for (const coverage of this.#state.conversations.get(id)?.devices.values() ?? []) {
      if (coverage.user === this.#me) continue
      unread += unreadOf(coverage)
      mentions += mentionsOf(coverage)
    }
    const marked = this.#state.settings.isMarkedUnread(id)
    return { conversation: name, unread, marked, mentions, level: this.#preferences.levelOf(id), last: last ?? null }
  }
}
