// The client: one connection, one local state, and the Chat interface over both. Knows no sockets, files or processes;
// it runs on the ports it is given, in the simulator on virtual time.
import { openMap, type SignedMap } from '../protocol/cluster-map.ts'
import type { Attachment } from '../protocol/content.ts'
import { isGroupId } from '../protocol/names.ts'
import type {
  AttentionLevel,
  DeviceFingerprint,
  UnverifiedUser,
  ChatEvent,
  ConnectionReport,
  DeviceReport,
  Gap,
  HistoryMessage,
  HistoryOptions,
  LiveEvent,
  LiveOptions,
  InboxEntry,
  OwnerChat,
  ReactionResult,
  ReferenceOptions,
  ReferenceResult,
  SendOptions,
  SendResult,
  StatusReport,
  Transfer,
} from './api.ts'
import { Attachments } from './attachments.ts'
import { ChangeSignal } from './change-signal.ts'
import { ChatState } from './chat-state.ts'
import { ChatViews } from './chat-views.ts'
import { CLOSED, Connection } from './connection.ts'
import { Devices } from './devices.ts'
import type { Identity } from './identity.ts'
import { keys } from './keys.ts'
import { Live } from './live.ts'
import { LocalGroups } from './local-groups.ts'
import { online } from './online.ts'
import type { BlobAccess, ClientPorts } from './ports.ts'
import { markShown } from './reading.ts'
import { Preferences } from './preferences.ts'
import { Referring } from './referring.ts'
import { Sending } from './sending.ts'
import { Verified } from './verified.ts'
import { StatusWaits } from './status-waits.ts'

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

export class LocalChat implements OwnerChat {
  readonly user: string
  readonly device: string
  readonly cluster: string
  readonly group: LocalGroups
  readonly #ports: ClientPorts
  readonly #options: LocalChatOptions
  readonly #changes: ChangeSignal
  readonly #waits: StatusWaits
  readonly #state: ChatState
  readonly #views: ChatViews
  readonly #referring: Referring
  readonly #preferences: Preferences
  readonly #live: Live
  readonly #verified: Verified
  readonly #devices: Devices
  readonly #attachments: Attachments
  readonly #sending: Sending
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
      now: () => this.#now(),
      map: () => this.#map?.map,
      fetchCertificates: (user) => this.#devices.fetchCertificates(user),
      fetchGroup: (group, version) => this.group.fetch(group, version),
      blobAccess: (session) => this.#attachments.access(session),
      onStatus: (id, error) => {
        this.#waits.changed(id, error)
        this.#changed()
      },
      onStored: (id) => this.#options.onStored?.(id),
      onChange: () => this.#changed(),
    })
    this.#preferences = new Preferences({
      store: this.#state.store,
      settings: this.#state.settings,
      outbox: this.#state.outbox,
      device: this.device,
      now: () => this.#now(),
      onChange: () => this.#changed(),
    })
    this.#views = new ChatViews({
      state: this.#state,
      preferences: this.#preferences,
      me: this.user,
      problem: (id) => this.#waits.problem(id),
    })
    this.group = new LocalGroups({
      identity,
      clock: ports.clock,
      state: this.#state,
      now: () => this.#now(),
      session: () => this.#connection?.session,
      until: (holds, timeoutMs) => this.#until(holds, timeoutMs),
    })
    this.#referring = new Referring({
      state: this.#state,
      views: this.#views,
      me: this.user,
      device: this.device,
      now: () => this.#now(),
      until: (id, result, waiting) => this.#untilState(id, result, waiting),
      problem: (id) => this.#waits.problem(id),
      onChange: () => this.#changed(),
    })
    this.#state.onDeleted = (message) => void this.#referring.forgetEdits(message)
    this.#live = new Live({
      clock: ports.clock,
      session: () => this.#connection?.session,
      nameOf: (conversation) => this.#state.nameOf(conversation),
      isBlocked: (user) => this.#state.settings.isBlocked(user),
    })
    this.#verified = new Verified(this.#state)
    this.#devices = new Devices({
      identity,
      verified: this.#verified,
      clock: ports.clock,
      certificates: this.#state.certificates,
      now: () => this.#now(),
      map: () => this.#map?.map,
      session: () => this.#connection?.session,
    })
    this.#attachments = new Attachments({
      ports: ports.attachments,
      state: this.#state,
      views: this.#views,
      session: () => this.#connection?.session,
    })
    this.#sending = new Sending({
      me: this.user,
      state: this.#state,
      views: this.#views,
      attachments: this.#attachments,
      groups: this.group,
      until: (id, result, waiting) => this.#untilState(id, result, waiting),
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
      handlers: { ...this.#state.feed.handlers, ...this.#live.handlers },
      onOnline: (session) => {
        this.#waits.denied(undefined)
        this.#state.online(session)
        this.#live.online()
        this.#options.onGateways?.(this.#connection?.gateways ?? [])
      },
      onOffline: () => this.#state.offline(),
      onDenied: (error) => this.#waits.denied(error),
      onMap: (map) => this.#keepMap(map),
      onCertificate: (sealed) => {
        this.#state.certificates.add(sealed)
        onCertificate?.(sealed)
      },
      onChange: () => this.#changed(),
    })
    this.#connection.start()
  }

  send(to: string, text: string, options: SendOptions = {}): Promise<SendResult> {
    return this.#sending.send(to, text, options)
  }

  forward(id: string, to: string, options: SendOptions = {}): Promise<SendResult> {
    return this.#sending.forward(id, to, options)
  }

  async transfers(): Promise<Transfer[]> {
    return this.#attachments.transfers
  }

  attachments(id: string): Promise<Attachment[]> {
    return this.#attachments.of(id)
  }

  async blobAccess(): Promise<BlobAccess> {
    const session = await online({ clock: this.#ports.clock, session: () => this.#connection?.session })
    return this.#attachments.access(session)
  }

  edit(id: string, text: string, options: ReferenceOptions = {}): Promise<ReferenceResult> {
    return this.#referring.edit(id, text, options)
  }

  delete(id: string, options: ReferenceOptions = {}): Promise<ReferenceResult> {
    return this.#referring.delete(id, options)
  }

  react(id: string, emoji: string, options: ReferenceOptions & { active?: boolean } = {}): Promise<ReactionResult> {
    return this.#referring.react(id, emoji, options)
  }

  history(conversation: string, options?: HistoryOptions): Promise<HistoryMessage[]> {
    return this.#views.history(conversation, options)
  }

  async gaps(conversation: string): Promise<Gap[]> {
    const retentionMs = this.#map?.map.retentionMs ?? Number.POSITIVE_INFINITY
    return this.#views.gaps(conversation, this.#now() - retentionMs)
  }

  inbox(): Promise<InboxEntry[]> {
    return this.#views.inbox()
  }

  status(id: string): Promise<StatusReport> {
    return this.#views.status(id)
  }

  search(words: string, options: { in?: string; limit?: number } = {}): Promise<HistoryMessage[]> {
    return this.#views.search(words, options)
  }

  async markRead(conversation: string, options: { upTo?: string } = {}): Promise<{ marked: number }> {
    const found = this.#state.conversations.get(this.#views.idOf(conversation))
    const upTo = options.upTo === undefined ? undefined : await this.#views.message(options.upTo)
    if (!found) return { marked: 0 }
    const marked = await markShown(this.#state, found, { me: this.user, ...(upTo ? { upTo: upTo.header } : {}) })
    if (!upTo) await this.#preferences.setUnread(found.id, false)
    if (marked === 0) return { marked }
    this.#state.conversations.touch(found)
    await this.#state.store.commit({ sync: true })
    this.#state.receipts.kick(found.id)
    this.#changed()
    return { marked }
  }

  async markUnread(conversation: string): Promise<void> {
    await this.#preferences.setUnread(this.#views.idOf(conversation), true)
  }

  async setLevel(conversation: string, level?: AttentionLevel): Promise<AttentionLevel> {
    return this.#preferences.setLevel(this.#views.idOf(conversation), level)
  }

  block(user: string): Promise<void> {
    return this.#preferences.setBlocked(user, true)
  }

  unblock(user: string): Promise<void> {
    return this.#preferences.setBlocked(user, false)
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

  fingerprints(user: string): Promise<DeviceFingerprint[]> {
    return this.#devices.fingerprints(user)
  }

  verify(user: string): Promise<DeviceFingerprint[]> {
    return this.#devices.accept(user)
  }

  unverified(): Promise<UnverifiedUser[]> {
    return this.#verified.unverified()
  }

  events(options: { after?: number; signal?: AbortSignal } = {}): AsyncIterable<ChatEvent> {
    const signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal
    return this.#views.follow(options.after ?? this.#state.events.position, signal)
  }

  live({ signal: given, ...options }: LiveOptions = {}): AsyncIterable<LiveEvent> {
    const signal = given ? AbortSignal.any([given, this.#closing.signal]) : this.#closing.signal
    return this.#live.read({ ...options, signal })
  }

  async typing(conversation: string, active: boolean): Promise<void> {
    const id = this.#views.idOf(conversation)
    this.#live.typing({ conversation: id, to: isGroupId(id) ? id : conversation }, active)
  }

  async position(): Promise<number> {
    return this.#state.events.position
  }

  async mark(name: string): Promise<number> {
    return this.#state.events.mark(name)
  }

  setMark(name: string, position: number): Promise<void> {
    return this.#state.events.setMark(name, position)
  }

  settled(options: { timeoutMs?: number } = {}): Promise<void> {
    const isFresh = this.#state.feed.refresh()
    return this.#until(() => isFresh() && this.#state.isSettled, options.timeoutMs)
  }

  caughtUp(options: { timeoutMs?: number } = {}): Promise<void> {
    const isFresh = this.#state.feed.refresh()
    return this.#until(() => isFresh() && this.#state.isCaughtUp, options.timeoutMs)
  }

  async connection(): Promise<ConnectionReport> {
    const { outbox, feed, store } = this.#state
    const known = this.#connection?.report() ?? CLOSED
    return { ...known, queued: outbox.size, complete: feed.isComplete, problem: store.problem ?? known.problem }
  }

  onChange(listener: () => void): () => void {
    return this.#changes.add(listener)
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    await this.#connection?.stop()
    this.#live.stop()
    this.#changes.stop()
    await this.#state.close()
  }

  /** What was received and not shown because it does not verify, or came under a used id. */
  get rejected(): { invalid: number; doubled: number } {
    return { ...this.#state.ingest.counts }
  }

  #changed(): void {
    this.#waits.wake()
    this.#changes.changed()
  }

  #keepMap(map: SignedMap): void {
    this.#map = map
    this.#state.store.put(keys.map(), map.sealed)
  }

  /** The time to sign with. */
  #now(): number {
    return this.#connection?.now() ?? this.#ports.clock.now()
  }

  #untilState(id: string, result: () => SendResult, options: SendOptions | ReferenceOptions): Promise<SendResult> {
    return this.#waits.until(id, {
      result,
      wait: options.wait ?? 'stored',
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      signals: [this.#closing.signal, ...(options.signal ? [options.signal] : [])],
      trouble: () => this.#connection?.state.problem ?? undefined,
    })
  }

  #until(holds: () => boolean, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<void> {
    return this.#waits.condition(holds, { timeoutMs, signals: [this.#closing.signal] })
  }
}
