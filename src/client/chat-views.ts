// What is shown of the local state: conversations, messages with how far they got, gaps, events. Reads only.
import { ChatError } from '../protocol/errors.ts'
import { decodeContent } from '../protocol/content.ts'
import { conversationOf, isGroupId, isGroupName, isUserName } from '../protocol/names.ts'
import { isRecordId } from '../protocol/records.ts'
import { type Reference, referenceOf } from '../protocol/reference.ts'
import type {
  Gap,
  HistoryChange,
  HistoryLine,
  HistoryMessage,
  HistoryOptions,
  InboxEntry,
  SendResult,
  StatusReport,
} from './api.ts'
import type { ChatState } from './chat-state.ts'
import { gapsOf } from './gaps.ts'
import type { HeldMessage } from './held-records.ts'
import { clampTimes, type NameOf, queuedResult, showDraft, showMessage, statusOf, withQueued } from './message-view.ts'
import { Inbox, type InboxOptions } from './inbox.ts'
import { unreadOf } from './reading.ts'
import type { Preferences } from './preferences.ts'
import { showChange } from './group-view.ts'
import type { GroupVersion } from './groups.ts'
import { SearchIndex } from './search-index.ts'
import { similarTo } from './similar.ts'
import type { HeldLine, OrderPlace } from './pages.ts'

const DEFAULT_LIMIT = 50

/** How lines of a kind are read from a conversation (by its id), and shown. */
interface LineReader<Held, Line> {
  placeOf: (id: string, conversation: string) => Promise<OrderPlace>
  before: (conversation: string, limit: number, place: OrderPlace | undefined) => Promise<Held[]>
  after: (conversation: string, limit: number, place: OrderPlace | number) => Promise<Held[]>
  show: (line: Held, conversation: string) => Line | undefined
}

const timeOf = (since: string | undefined): number | undefined => {
  if (since === undefined) return undefined
  const at = Date.parse(since)
  if (Number.isNaN(at) || at < 0) throw new ChatError('USAGE', { message: 'A time is like 2026-11-23T12:00:00Z' })
  return at
}

export interface ChatViewsOptions {
  state: ChatState
  preferences: Preferences
  me: string
}

export class ChatViews {
  readonly #state: ChatState
  readonly #inbox: Inbox
  readonly #me: string
  readonly #search: SearchIndex
  readonly #nameOf: NameOf

  constructor({ state, preferences, me }: ChatViewsOptions) {
    this.#state = state
    this.#me = me
    this.#search = new SearchIndex(state)
    const lastOf: InboxOptions['lastOf'] = (conversation, held) => this.#lastOf(conversation, held)
    this.#inbox = new Inbox({ state, preferences, me, lastOf })
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

  /** The same of a conversation that there is on this device: CONVERSATION_UNKNOWN, GROUP_UNKNOWN with names that may have been meant. */
  knownIdOf(name: string): string {
    const { conversations, groups } = this.#state
    const isNoGroup = isGroupName(name) && groups.idOf(name) === undefined
    const id = isNoGroup ? undefined : this.idOf(name)
    if (id !== undefined && (conversations.get(id) ?? groups.newest(id))) return id
    const ids = new Set([...conversations.all().map((known) => known.id), ...groups.mine().map(({ group }) => group)])
    const near = similarTo(name, [...ids].map(this.#nameOf))
    const hint = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '; chat inbox lists those that there are'
    const message = `There is no conversation with ${name} on this device${hint}`
    throw new ChatError(isNoGroup ? 'GROUP_UNKNOWN' : 'CONVERSATION_UNKNOWN', { message })
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

  history(conversation: string, options?: HistoryOptions): Promise<HistoryMessage[]> {
    const { pages } = this.#state
    return this.#read(conversation, options, {
      placeOf: async (id, group) => (await this.#messageIn(group, id)).header,
      before: (id, limit, place) => pages.messages(id, limit, place),
      after: (id, limit, place) => pages.messagesAfter(id, limit, place),
      show: (message) => this.#shown(message),
    })
  }

  lines(conversation: string, options?: HistoryOptions): Promise<HistoryLine[]> {
    const { pages } = this.#state
    return this.#read<HeldLine, HistoryLine>(conversation, options, {
      placeOf: async (id, group) => this.#changeOf(group, id)?.header ?? (await this.#messageIn(group, id)).header,
      before: (id, limit, place) => pages.lines(id, limit, place),
      after: (id, limit, place) => pages.linesAfter(id, limit, place),
      show: (line, group) => ('version' in line ? this.#shownChange(group, line.version) : this.#shown(line)),
    })
  }

  async #read<Held, Line extends HistoryLine>(
    conversation: string,
    { limit = DEFAULT_LIMIT, before, after, since }: HistoryOptions = {},
    { placeOf, ...pages }: LineReader<Held, Line>,
  ): Promise<(Line | HistoryMessage)[]> {
    const id = this.idOf(conversation)
    const from = after === undefined ? timeOf(since) : await placeOf(after, id)
    const until = before === undefined ? undefined : await placeOf(before, id)
    const isForward = from !== undefined
    const held = isForward ? await pages.after(id, limit, from) : await pages.before(id, limit, until)
    const { lines, references } = this.#queued(id)
    const all = [...held.flatMap((line) => pages.show(line, id) ?? []), ...(until ? [] : lines)]
    const page = isForward ? all.slice(0, limit) : all.slice(-limit)
    if (references.length === 0) return page
    return page.map((line) => (line.type === 'message' ? withQueued(line, references, this.#me) : line))
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
      missing: (coverage, hole) =>
        isGroupId(found.id) ? this.#state.absences.missing(found.id, coverage, hole) : hole,
    })
  }

  inbox(): Promise<InboxEntry[]> {
    return this.#inbox.entries()
  }

  async status(id: string): Promise<StatusReport> {
    const result = this.result(id)
    if (result) {
      const refused = result.status === 'refused' ? { refused: true as const } : {}
      return { id, storedAt: result.storedAt, recipients: this.#recipientsOf(result), ...refused }
    }
    const { acceptedAt } = await this.message(id)
    const { storedAt } = clampTimes(acceptedAt, { receivedAt: 0, readAt: 0 })
    return { id, storedAt, recipients: [{ user: this.#me, receivedAt: null, readAt: null }] }
  }

  async search(words: string, options: { in?: string; limit?: number } = {}): Promise<HistoryMessage[]> {
    const inside = options.in === undefined ? {} : { inside: this.knownIdOf(options.in) }
    const found = await this.#search.find(words, { limit: options.limit ?? DEFAULT_LIMIT, ...inside })
    return found.map((message) => this.#shown(message))
  }

  /** Of this device, what has not left yet: messages, and what is about others. */
  #queued(id: string): { lines: HistoryMessage[]; references: Reference[] } {
    const lines: HistoryMessage[] = []
    const references: Reference[] = []
    for (const entry of this.#state.outbox.drafts(id)) {
      const reference = referenceOf(decodeContent(entry.bytes))
      if (reference) references.push(reference)
      else lines.push(showDraft(entry, { me: this.#me, nameOf: this.#nameOf }))
    }
    return { lines, references }
  }

  #changeOf(group: string, id: string): GroupVersion | undefined {
    const version = isRecordId(id) ? this.#state.groups.versionOf(group, id) : undefined
    return version === undefined ? undefined : this.#state.groups.changeAt(group, version)
  }

  #shownChange(group: string, version: number): HistoryChange | undefined {
    const change = this.#state.groups.changeAt(group, version)
    return change && showChange(change, this.#nameOf)
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
    const problem = status === 'refused' ? this.#state.records.refusalOf(message.key) : undefined
    return { ...shown, status, ...(problem === undefined ? {} : { problem }) }
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

  #lastOf(conversation: string, held: HeldMessage | undefined): HistoryMessage | undefined {
    const { lines, references } = this.#queued(conversation)
    const last = lines.at(-1) ?? (held && this.#shown(held))
    return last && withQueued(last, references, this.#me)
  }
}
