// The client: one connection, one local state, and the Chat interface over both. Knows no sockets, files or processes;
// it runs on the ports it is given, in the simulator on virtual time.
import { toUtf8 } from '../protocol/bytes.ts'
import { openMap, type SignedMap } from '../protocol/cluster-map.ts'
import { encodeContent } from '../protocol/content.ts'
import { ChatError } from '../protocol/errors.ts'
import { conversationName, conversationOf, isGroupName, isUserName } from '../protocol/names.ts'
import { isRecordId } from '../protocol/records.ts'
import type {
  Chat,
  ChatEvent,
  ConnectionReport,
  DeviceReport,
  Gap,
  HistoryMessage,
  InboxEntry,
  SendOptions,
  SendResult,
  StatusReport,
} from './api.ts'
import { ChangeSignal } from './change-signal.ts'
import { ChatState } from './chat-state.ts'
import { Connection } from './connection.ts'
import { Devices } from './devices.ts'
import { gapsOf } from './gaps.ts'
import type { HeldMessage } from './held-records.ts'
import type { Identity } from './identity.ts'
import { decodeNumber, encodeNumber, keys } from './keys.ts'
import { clampTimes, queuedResult, showDraft, showMessage, statusOf } from './message-view.ts'
import type { ClientPorts } from './ports.ts'
import { markShown, unreadOf } from './reading.ts'
import { SearchIndex } from './search-index.ts'
import { blockKey } from './settings.ts'
import { StatusWaits } from './status-waits.ts'

const PAGE = 500
const DEFAULT_LIMIT = 50
const DEFAULT_TIMEOUT_MS = 30_000

export interface LocalChatOptions {
  identity: Identity
  /** Known gateways; more are learned. */
  gateways: string[]
  /** The gateways known now, the configured ones first. */
  onGateways?: (urls: string[]) => void
  /** A renewed certificate, to be kept beside the key. */
  onCertificate?: (sealed: Uint8Array) => void
  /** An own message is stored, says the cluster. */
  onStored?: (id: string) => void
}

export class LocalChat implements Chat {
  readonly user: string
  readonly device: string
  readonly cluster: string
  readonly #ports: ClientPorts
  readonly #options: LocalChatOptions
  readonly #changes: ChangeSignal
  readonly #waits: StatusWaits
  readonly #state: ChatState
  readonly #search: SearchIndex
  readonly #devices: Devices
  readonly #closing = new AbortController()
  #connection: Connection | undefined
  #map: SignedMap | undefined

  constructor(ports: ClientPorts, options: LocalChatOptions) {
    const { identity } = options
    this.#ports = ports
    this.#options = options
    this.user = identity.user
    this.device = identity.device
    this.cluster = identity.cluster
    this.#changes = new ChangeSignal(ports.clock)
    this.#waits = new StatusWaits(ports.clock)
    this.#state = new ChatState(ports, {
      identity,
      now: () => this.#connection?.now() ?? ports.clock.now(),
      map: () => this.#map?.map,
      fetchCertificates: (user) => this.#devices.fetchCertificates(user),
      onStatus: (id, error) => {
        this.#waits.changed(id, error)
        this.#changed()
      },
      onStored: (id) => this.#options.onStored?.(id),
      onChange: () => this.#changed(),
    })
    this.#search = new SearchIndex(this.#state)
    this.#devices = new Devices({
      identity,
      clock: ports.clock,
      certificates: this.#state.certificates,
      now: () => this.#connection?.now() ?? ports.clock.now(),
      map: () => this.#map?.map,
      session: () => this.#connection?.session,
    })
  }

  /** Reads what is on disk, then connects in the background. */
  async open(): Promise<void> {
    await this.#state.load()
    const { identity, gateways, onCertificate } = this.#options
    const saved = this.#state.store.get(keys.map())
    this.#map = saved && openMap(saved, identity.cluster)
    this.#state.certificates.add(identity.certificate.sealed)
    this.#connection = new Connection(this.#ports, {
      identity,
      gateways,
      known: this.#map,
      handlers: this.#state.feed.handlers,
      onOnline: (session) => {
        this.#state.online(session)
        this.#options.onGateways?.(this.#connection?.gateways ?? [])
      },
      onOffline: () => this.#state.offline(),
      onMap: (map) => this.#keepMap(map),
      onCertificate: (sealed) => {
        this.#state.certificates.add(sealed)
        onCertificate?.(sealed)
      },
      onChange: () => this.#changed(),
    })
    this.#connection.start()
  }

  async send(to: string, text: string, options: SendOptions = {}): Promise<SendResult> {
    checkRecipient(to)
    if (options.files && options.files.length > 0) {
      throw new ChatError('USAGE', { message: 'Attachments are not supported yet; send the text without --file' })
    }
    if (options.id !== undefined && !isRecordId(options.id)) {
      throw new ChatError('USAGE', { message: 'The id of a message is a UUID of version 7' })
    }
    const id = options.id ?? this.#state.makeId()
    const content = encodeContent({ text, ...(options.reply === undefined ? {} : { reply: options.reply }) })
    if (!this.#result(id)) {
      await this.#state.outbox.addMessage({ id, to, lane: this.#idOf(to), content })
    }
    return this.#waits.until(id, {
      result: () => this.#result(id) ?? queuedResult({ id, to }),
      wait: options.wait ?? 'stored',
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      signals: [this.#closing.signal, ...(options.signal ? [options.signal] : [])],
    })
  }

  async history(conversation: string, options: { limit?: number; before?: string } = {}): Promise<HistoryMessage[]> {
    const { limit = DEFAULT_LIMIT, before } = options
    const id = this.#idOf(conversation)
    const anchor = before === undefined ? undefined : await this.#message(before)
    if (anchor && anchor.header.conv !== id) throw new ChatError('MESSAGE_UNKNOWN')
    const held = await this.#state.timeline.page(id, limit, anchor?.header)
    const drafts = anchor ? [] : this.#state.outbox.drafts(id).map((entry) => showDraft(entry, this.user))
    return [...held.map((message) => this.#shown(message)), ...drafts].slice(-limit)
  }

  async gaps(conversation: string): Promise<Gap[]> {
    const found = this.#state.conversations.get(this.#idOf(conversation))
    const since = this.#ports.clock.now() - (this.#map?.map.retentionMs ?? Number.POSITIVE_INFINITY)
    if (!found) return []
    return gapsOf(found, {
      isYoung: (user, device) => (this.#state.certificates.get(user, device)?.at ?? 0) > since,
      idAt: (device, seq) => this.#state.timeline.idAt({ conversation: found.id, device }, seq),
    })
  }

  async inbox(): Promise<InboxEntry[]> {
    const entries = await Promise.all(this.#state.conversations.all().map(({ id }) => this.#inboxEntry(id)))
    return entries
      .filter((entry) => entry.last !== null || entry.unread > 0)
      .sort((a, b) => (b.last?.at ?? '').localeCompare(a.last?.at ?? ''))
  }

  async markRead(conversation: string, options: { upTo?: string } = {}): Promise<{ marked: number }> {
    const found = this.#state.conversations.get(this.#idOf(conversation))
    const upTo = options.upTo === undefined ? undefined : await this.#message(options.upTo)
    if (!found) return { marked: 0 }
    const marked = await markShown(this.#state, found, { me: this.user, ...(upTo ? { upTo: upTo.header } : {}) })
    if (marked === 0) return { marked }
    this.#state.conversations.touch(found)
    await this.#state.store.commit({ sync: true })
    this.#state.receipts.kick(found.id)
    this.#changed()
    return { marked }
  }

  async status(id: string): Promise<StatusReport> {
    const draft = this.#state.outbox.get(id)
    if (draft && !draft.isSealed) return reportOf(queuedResult(draft))
    const message = await this.#message(id)
    const result = this.#result(id)
    if (result) return reportOf(result)
    const { storedAt } = clampTimes(message.acceptedAt, { receivedAt: 0, readAt: 0 })
    return { id, storedAt, recipients: [{ user: this.user, receivedAt: null, readAt: null }] }
  }

  async search(words: string, options: { in?: string; limit?: number } = {}): Promise<HistoryMessage[]> {
    const inside = options.in === undefined ? undefined : this.#idOf(options.in)
    const found = await this.#search.find(words, {
      limit: options.limit ?? DEFAULT_LIMIT,
      ...(inside ? { inside } : {}),
    })
    return found.map((message) => this.#shown(message))
  }

  block(user: string): Promise<void> {
    return this.#setBlocked(user, true)
  }

  unblock(user: string): Promise<void> {
    return this.#setBlocked(user, false)
  }

  async blocked(): Promise<string[]> {
    return this.#state.settings.blocked()
  }

  devices(): Promise<DeviceReport[]> {
    return this.#devices.list()
  }

  revoke(device: string): Promise<void> {
    return this.#devices.revoke(device)
  }

  approveLink(code: string): Promise<{ device: string }> {
    return this.#devices.approve(code)
  }

  fingerprints(user: string): Promise<{ device: string; fingerprint: string }[]> {
    return this.#devices.fingerprints(user)
  }

  async *events(options: { after?: number; signal?: AbortSignal } = {}): AsyncGenerator<ChatEvent, void, undefined> {
    const signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal
    let after = options.after ?? this.#state.events.position
    while (!signal.aborted) {
      const logged = await this.#state.events.read(after, PAGE)
      for (const entry of logged) {
        if (signal.aborted) return
        after = entry.position
        const event = this.#event(entry)
        if (event) yield event
      }
      if (logged.length === 0) await this.#state.events.next(after, signal)
    }
  }

  async position(): Promise<number> {
    return this.#state.events.position
  }

  async mark(name: string): Promise<number> {
    const saved = this.#state.store.get(keys.mark(name))
    return saved ? decodeNumber(saved) : 0
  }

  async setMark(name: string, position: number): Promise<void> {
    this.#state.store.put(keys.mark(name), encodeNumber(position))
    await this.#state.store.commit({ sync: false })
  }

  settled(options: { timeoutMs?: number } = {}): Promise<void> {
    return this.#until(() => this.#state.isSettled, options.timeoutMs)
  }

  caughtUp(options: { timeoutMs?: number } = {}): Promise<void> {
    return this.#until(() => this.#state.feed.isCaughtUp, options.timeoutMs)
  }

  async connection(): Promise<ConnectionReport> {
    const known = this.#connection?.state
    const retryAt = known?.retryAt ?? null
    const now = this.#ports.clock.monotonic()
    return {
      state: known?.state ?? 'connecting',
      gateway: known?.gateway ?? null,
      retryInMs: retryAt === null ? null : Math.max(0, Math.round(retryAt - now)),
      queued: this.#state.outbox.size,
      complete: this.#state.feed.isComplete,
      lagMs: known?.lagMs ?? null,
      problem: this.#state.store.problem ?? known?.problem ?? null,
    }
  }

  onChange(listener: () => void): () => void {
    return this.#changes.add(listener)
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    await this.#connection?.stop()
    this.#changes.stop()
    await this.#state.close()
  }

  /** What was received and not shown because it does not verify, or came under a used id. */
  get rejected(): { invalid: number; doubled: number } {
    return { ...this.#state.ingest.counts }
  }

  #idOf(name: string): string {
    checkRecipient(name)
    return conversationOf(this.user, name)
  }

  #changed(): void {
    this.#waits.wake()
    this.#changes.changed()
  }

  #keepMap(map: SignedMap): void {
    this.#map = map
    this.#state.store.put(keys.map(), map.sealed)
  }

  async #message(id: string): Promise<HeldMessage> {
    const found = isRecordId(id) ? await this.#state.records.messageById(id, this.user) : undefined
    if (!found) throw new ChatError('MESSAGE_UNKNOWN')
    return found
  }

  /** Of an own message; undefined when this user never sent it. */
  #result(id: string): SendResult | undefined {
    const entry = this.#state.outbox.get(id)
    if (entry && !entry.isSealed) return queuedResult(entry)
    const key = this.#state.records.keyOf(id, this.user)
    const message = key && this.#state.records.message(key)
    return message && this.#resultOf(message)
  }

  #resultOf({ header, acceptedAt, isRefused }: HeldMessage): SendResult {
    const place = { conversation: header.conv, device: header.dev }
    const isToSelf = header.to === this.user
    const times = isToSelf
      ? { receivedAt: acceptedAt, readAt: acceptedAt }
      : this.#state.statuses.of(place, header.seq, header.to)
    const shown = clampTimes(acceptedAt, times)
    return {
      id: header.id,
      to: header.to,
      conversation: conversationName(header.conv, this.user),
      status: isRefused ? 'refused' : statusOf(shown),
      ...shown,
    }
  }

  #shown(message: HeldMessage): HistoryMessage {
    const shown = showMessage(message, this.user)
    if (message.header.from !== this.user) return { ...shown, status: this.#statusOfReceived(message) }
    const { status } = this.#resultOf(message)
    const problem = status === 'refused' ? this.#waits.problem(message.header.id) : undefined
    return { ...shown, status, ...(problem ? { problem: problem.message } : {}) }
  }

  #statusOfReceived({ header }: HeldMessage): 'received' | 'read' {
    const coverage = this.#state.conversations.get(header.conv)?.devices.get(header.dev)
    return coverage && unreadOf(coverage, header.seq) ? 'received' : 'read'
  }

  async #inboxEntry(id: string): Promise<InboxEntry> {
    const name = conversationName(id, this.user)
    const conversation = this.#state.conversations.of(id)
    const [last] = await this.history(name, { limit: 1 })
    let unread = 0
    for (const coverage of conversation.devices.values()) {
      if (coverage.user !== this.user) unread += unreadOf(coverage)
    }
    return { conversation: name, unread, mentions: 0, last: last ?? null }
  }

  async #setBlocked(user: string, isBlocked: boolean): Promise<void> {
    if (!isUserName(user)) throw new ChatError('AUTH_NAME_ILLEGAL')
    const key = blockKey(user)
    const body = toUtf8(JSON.stringify({ blocked: isBlocked }))
    const at = this.#connection?.now() ?? this.#ports.clock.now()
    this.#state.settings.apply({ key, at, dev: this.device }, body)
    await this.#state.outbox.addSetting(key, body)
    this.#changed()
  }

  #event(entry: Awaited<ReturnType<ChatState['events']['read']>>[number]): ChatEvent | undefined {
    if ('receipt' in entry) {
      const { at, ...receipt } = entry.receipt
      return { type: 'receipt', ...receipt, at: new Date(at).toISOString(), position: entry.position }
    }
    const message = this.#state.records.message(entry.message)
    if (!message || this.#state.settings.isBlocked(message.header.from)) return undefined
    return { ...showMessage(message, this.user), position: entry.position }
  }

  #until(holds: () => boolean, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<void> {
    return this.#waits.condition(holds, { timeoutMs, signals: [this.#closing.signal] })
  }
}

const checkRecipient = (name: string): void => {
  if (isGroupName(name)) throw new ChatError('GROUP_UNKNOWN')
  if (!isUserName(name)) throw new ChatError('AUTH_NAME_ILLEGAL')
}

const reportOf = ({ id, to, storedAt, receivedAt, readAt }: SendResult): StatusReport => ({
  id,
  storedAt,
  recipients: [{ user: to, receivedAt, readAt }],
})
