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
  HistoryLine,
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
import { ChangeSignal } from './change-signal.ts'
import { type ChatParts, makeParts } from './chat-parts.ts'
import { ChatState } from './chat-state.ts'
import { CLOSED, Connection } from './connection.ts'
import type { Identity } from './identity.ts'
import { keys } from './keys.ts'
import { online } from './online.ts'
import type { LocalGroups } from './local-groups.ts'
import type { BlobAccess, ClientPorts } from './ports.ts'
import { markShown } from './reading.ts'
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
  readonly #parts: ChatParts
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
      fetchCertificates: (user) => this.#parts.devices.fetchCertificates(user),
      fetchGroup: (group, version) => this.group.fetch(group, version),
      blobAccess: (session) => this.#parts.attachments.access(session),
      onStatus: (id, error) => {
        this.#waits.changed(id, error)
        this.#changed()
      },
      onStored: (id) => this.#options.onStored?.(id),
      onChange: () => this.#changed(),
    })
    this.#parts = makeParts({
      ports,
      identity,
      state: this.#state,
      now: () => this.#now(),
      map: () => this.#map?.map,
      session: () => this.#connection?.session,
      until: (holds, timeoutMs) => this.#until(holds, timeoutMs),
      untilState: (id, result, waiting) => this.#untilState(id, result, waiting),
      problem: (id) => this.#waits.problem(id),
      onChange: () => this.#changed(),
    })
    this.group = this.#parts.group
    this.#state.onDeleted = (message) => void this.#parts.referring.forgetEdits(message)
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
      handlers: { ...this.#state.feed.handlers, ...this.#parts.live.handlers },
      onOnline: (session) => {
        this.#waits.denied(undefined)
        this.#state.online(session)
        this.#parts.live.online()
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
    return this.#parts.sending.send(to, text, options)
  }

  forward(id: string, to: string, options: SendOptions = {}): Promise<SendResult> {
    return this.#parts.sending.forward(id, to, options)
  }

  async transfers(): Promise<Transfer[]> {
    return this.#parts.attachments.transfers
  }

  attachments(id: string): Promise<Attachment[]> {
    return this.#parts.attachments.of(id)
  }

  async blobAccess(): Promise<BlobAccess> {
    const session = await online({ clock: this.#ports.clock, session: () => this.#connection?.session })
    return this.#parts.attachments.access(session)
  }

  edit(id: string, text: string, options: ReferenceOptions = {}): Promise<ReferenceResult> {
    return this.#parts.referring.edit(id, text, options)
  }

  delete(id: string, options: ReferenceOptions = {}): Promise<ReferenceResult> {
    return this.#parts.referring.delete(id, options)
  }

  react(id: string, emoji: string, options: ReferenceOptions & { active?: boolean } = {}): Promise<ReactionResult> {
    return this.#parts.referring.react(id, emoji, options)
  }

  history(conversation: string, options?: HistoryOptions): Promise<HistoryMessage[]> {
    return this.#parts.views.history(conversation, options)
  }

  lines(conversation: string, options?: HistoryOptions): Promise<HistoryLine[]> {
    return this.#parts.views.lines(conversation, options)
  }

  async gaps(conversation: string): Promise<Gap[]> {
    const retentionMs = this.#map?.map.retentionMs ?? Number.POSITIVE_INFINITY
    return this.#parts.views.gaps(conversation, this.#now() - retentionMs)
  }

  inbox(): Promise<InboxEntry[]> {
    return this.#parts.views.inbox()
  }

  status(id: string): Promise<StatusReport> {
    return this.#parts.views.status(id)
  }

  search(words: string, options: { in?: string; limit?: number } = {}): Promise<HistoryMessage[]> {
    return this.#parts.views.search(words, options)
  }

  async markRead(conversation: string, options: { upTo?: string } = {}): Promise<{ marked: number }> {
    const { views, preferences } = this.#parts
    const id = views.idOf(conversation)
    const upTo = options.upTo === undefined ? undefined : (await views.message(options.upTo)).header
    await preferences.setUnread(id, false)
    const marked = await markShown(this.#state, id, { me: this.user, ...(upTo ? { upTo } : {}) })
    if (marked > 0) this.#changed()
    return { marked }
  }

  async markUnread(conversation: string): Promise<void> {
    await this.#parts.preferences.setUnread(this.#parts.views.idOf(conversation), true)
  }

  async setLevel(conversation: string, level?: AttentionLevel): Promise<AttentionLevel> {
    return this.#parts.preferences.setLevel(this.#parts.views.idOf(conversation), level)
  }

  block(user: string): Promise<void> {
    return this.#parts.preferences.setBlocked(user, true)
  }

  unblock(user: string): Promise<void> {
    return this.#parts.preferences.setBlocked(user, false)
  }

  async blocked(): Promise<string[]> {
    return this.#state.settings.blocked()
  }

  devices(): Promise<DeviceReport[]> {
    return this.#parts.devices.list()
  }

  revoke(device: string): Promise<void> {
    return this.#parts.devices.revoke(device)
  }

  approveLink(code: string): Promise<{ device: string }> {
    return this.#parts.devices.approve(code)
  }

  fingerprints(user: string): Promise<DeviceFingerprint[]> {
    return this.#parts.devices.fingerprints(user)
  }

  verify(user: string): Promise<DeviceFingerprint[]> {
    return this.#parts.devices.accept(user)
  }

  unverified(): Promise<UnverifiedUser[]> {
    return this.#parts.verified.unverified()
  }

  events(options: { after?: number; signal?: AbortSignal } = {}): AsyncIterable<ChatEvent> {
    const signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal
    return this.#parts.events.follow(options.after ?? this.#state.events.position, signal)
  }

  live({ signal: given, ...options }: LiveOptions = {}): AsyncIterable<LiveEvent> {
    const signal = given ? AbortSignal.any([given, this.#closing.signal]) : this.#closing.signal
    return this.#parts.live.read({ ...options, signal })
  }

  async typing(conversation: string, active: boolean): Promise<void> {
    const id = this.#parts.views.idOf(conversation)
    this.#parts.live.typing({ conversation: id, to: isGroupId(id) ? id : conversation }, active)
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
    this.#parts.live.stop()
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
