// The client: one connection, one local state, and the Chat interface over both. Knows no sockets, files or processes;
// it runs on the ports it is given, in the simulator on virtual time.
import { asChatError, ChatError, hasCode } from '../protocol/errors.ts'
import { isGroupId } from '../protocol/names.ts'
import type {
  ChatEvent,
  ConnectionReport,
  Gap,
  LiveEvent,
  LiveOptions,
  OwnerChat,
  Refusal,
  ReferenceOptions,
  SendOptions,
  SendResult,
} from './api.ts'
import { ChangeSignal } from './change-signal.ts'
import { type ChatParts, makeParts } from './chat-parts.ts'
import { ChatState } from './chat-state.ts'
import { ClusterLink, type ClusterLinkOptions } from './cluster-link.ts'
import type { Identity } from './identity.ts'
import { type Offline, online } from './online.ts'
import type { LocalGroups } from './local-groups.ts'
import type { OutboxEntry } from './outbox-entry.ts'
import type { BlobAccess, ClientPorts } from './ports.ts'
import { markShown } from './reading.ts'
import type { Session } from './session.ts'
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
  readonly #link: ClusterLink

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
      now: () => this.#link.now(),
      map: () => this.#link.map,
      fetchCertificates: (user) => this.#parts.devices.fetchCertificates(user),
      fetchGroup: (group, version) => this.group.fetch(group, version),
      blobAccess: (session) => this.#parts.attachments.access(session),
      onStatus: (id, error) => {
        this.#waits.changed(id, error)
        this.#changed()
      },
      onGroupVersion: () => this.#waits.wakeAll(),
      onStored: (id) => this.#options.onStored?.(id),
      onChange: () => this.#changed(),
    })
    this.#parts = makeParts({
      ports,
      identity,
      state: this.#state,
      now: () => this.#link.now(),
      map: () => this.#link.map,
      session: () => this.#link.session,
      online: (deadline) => this.#online(deadline),
      until: (holds, timeoutMs) => this.#until(holds, timeoutMs),
      untilState: (id, result, waiting) => this.#untilState(id, result, waiting),
      problem: (id) => this.#waits.problem(id),
      onChange: () => this.#changed(),
    })
    this.group = this.#parts.group
    this.#link = new ClusterLink(ports, this.#linkOptions())
    this.#state.onDeleted = (message) => void this.#parts.referring.forgetEdits(message)
  }

  #linkOptions(): ClusterLinkOptions {
    const { identity, gateways, onCertificate, onGateways } = this.#options
    return {
      identity,
      gateways,
      store: this.#state.store,
      handlers: () => ({ ...this.#state.feed.handlers, ...this.#parts.live.handlers }),
      onOnline: (session, known) => {
        this.#waits.denied(undefined)
        this.#state.online(session)
        this.#parts.live.online()
        onGateways?.(known)
      },
      onOffline: () => this.#state.offline(),
      onDenied: (error) => this.#waits.denied(error),
      onCertificate: (sealed) => {
        this.#state.certificates.add(sealed)
        onCertificate?.(sealed)
      },
      onChange: () => this.#changed(),
    }
  }

  /** Reads what is on disk, then connects in the background. */
  async open(): Promise<void> {
    await this.#state.load()
    this.#state.certificates.add(this.#options.identity.certificate.sealed)
    this.#link.open()
  }

  readonly send: OwnerChat['send'] = (to, text, options = {}) => this.#parts.sending.send(to, text, options)
  readonly forward: OwnerChat['forward'] = (id, to, options = {}) => this.#parts.sending.forward(id, to, options)
  readonly transfers: OwnerChat['transfers'] = async () => this.#parts.attachments.transfers
  readonly attachments: OwnerChat['attachments'] = (id) => this.#parts.attachments.of(id)

  async blobAccess(): Promise<BlobAccess> {
    return this.#parts.attachments.access(await this.#online())
  }

  readonly edit: OwnerChat['edit'] = (id, text, options = {}) => this.#parts.referring.edit(id, text, options)
  readonly delete: OwnerChat['delete'] = (id, options = {}) => this.#parts.referring.delete(id, options)
  readonly react: OwnerChat['react'] = (id, emoji, options = {}) => this.#parts.referring.react(id, emoji, options)
  readonly history: OwnerChat['history'] = (conversation, options) => this.#parts.views.history(conversation, options)
  readonly lines: OwnerChat['lines'] = (conversation, options) => this.#parts.views.lines(conversation, options)

  async gaps(conversation: string): Promise<Gap[]> {
    const retentionMs = this.#link.map?.retentionMs ?? Number.POSITIVE_INFINITY
    return this.#parts.views.gaps(conversation, this.#link.now() - retentionMs)
  }

  readonly inbox: OwnerChat['inbox'] = () => this.#parts.views.inbox()
  readonly status: OwnerChat['status'] = (id) => this.#parts.views.status(id)
  readonly search: OwnerChat['search'] = (words, options = {}) => this.#parts.views.search(words, options)

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
    await this.#parts.preferences.setUnread(this.#parts.views.knownIdOf(conversation), true)
  }

  readonly setLevel: OwnerChat['setLevel'] = async (conversation, level, { begun = false } = {}) => {
    const { views, preferences } = this.#parts
    const id = begun ? views.idOf(conversation) : views.knownIdOf(conversation)
    return preferences.setLevel(id, level ?? undefined) // null where it came over the profile's socket
  }
  readonly block: OwnerChat['block'] = (user) => this.#parts.preferences.setBlocked(user, true)
  readonly unblock: OwnerChat['unblock'] = (user) => this.#parts.preferences.setBlocked(user, false)
  readonly blocked: OwnerChat['blocked'] = async () => this.#state.settings.blocked()
  readonly devices: OwnerChat['devices'] = () => this.#parts.devices.list()
  readonly revoke: OwnerChat['revoke'] = (device) => this.#parts.devices.revoke(device)
  readonly approveLink: OwnerChat['approveLink'] = (code) => this.#parts.devices.approve(code)
  readonly fingerprints: OwnerChat['fingerprints'] = (user) => this.#parts.devices.fingerprints(user)
  readonly verify: OwnerChat['verify'] = (user) => this.#parts.devices.accept(user)
  readonly unverified: OwnerChat['unverified'] = () => this.#parts.verified.unverified()

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

  readonly position: OwnerChat['position'] = async () => this.#state.events.position
  readonly mark: OwnerChat['mark'] = async (name) => this.#state.events.mark(name)
  readonly setMark: OwnerChat['setMark'] = (name, position) => this.#state.events.setMark(name, position)

  async settled(options: { timeoutMs?: number } = {}): Promise<{ refused: Refusal[] }> {
    const waiting = this.#state.outbox.messages()
    const isFresh = this.#state.feed.refresh()
    try {
      await this.#until(() => isFresh() && this.#state.isSettled, options.timeoutMs)
    } catch (error) {
      const refused = this.#refusedOf(waiting)
      if (!hasCode(error, 'TIMEOUT') || refused.length === 0) throw error
      throw new ChatError('TIMEOUT', { details: { ...asChatError(error).details, refused }, cause: error })
    }
    return { refused: this.#refusedOf(waiting) }
  }

  #refusedOf(entries: OutboxEntry[]): Refusal[] {
    return entries.flatMap(({ id, lane }) => {
      const problem = this.#state.outbox.get(id) ? undefined : this.#waits.problem(id)
      return problem ? [{ id, conversation: this.#state.nameOf(lane), error: problem.toWire() }] : []
    })
  }

  caughtUp(options: { timeoutMs?: number } = {}): Promise<void> {
    const isFresh = this.#state.feed.refresh()
    return this.#until(() => isFresh() && this.#state.isCaughtUp, options.timeoutMs)
  }

  async connection(): Promise<ConnectionReport> {
    const { outbox, feed, store } = this.#state
    const { denial, problem } = this.#offline()
    const denied = denial ? { code: denial.code, message: denial.message } : null
    const known = { ...this.#link.report(), problem: store.problem ?? problem }
    return { ...known, denied, queued: outbox.size, complete: feed.isComplete }
  }

  onChange(listener: () => void): () => void {
    return this.#changes.add(listener)
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    await this.#link.close()
    this.#parts.live.stop()
    this.#changes.stop()
    await this.#state.close()
  }

  /** What was received and not shown because it does not verify, or came under a used id. */
  get rejected(): { invalid: number; doubled: number } {
    return { ...this.#state.ingest.counts }
  }

  #online(deadline?: number): Promise<Session> {
    const { clock } = this.#ports
    return online({ clock, session: () => this.#link.session, offline: () => this.#offline() }, deadline)
  }

  #offline(): Offline {
    return { denial: this.#waits.denial, problem: this.#link.report().problem }
  }

  #changed(): void {
    this.#waits.wake()
    this.#changes.changed()
  }

  #untilState(id: string, result: () => SendResult, options: SendOptions | ReferenceOptions): Promise<SendResult> {
    return this.#waits.until(id, {
      result,
      wait: options.wait ?? 'stored',
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      signals: [this.#closing.signal, ...(options.signal ? [options.signal] : [])],
      trouble: () => this.#link.report().problem ?? undefined,
    })
  }

  #until(holds: () => boolean, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<void> {
    return this.#waits.condition(holds, { timeoutMs, signals: [this.#closing.signal] })
  }
}
