// The parts that make up a client's local state, wired once: what is on disk, what is verified, what waits to be told.
// Knows no connection: whoever has one calls online() and offline().
import { toBase64 } from '../protocol/bytes.ts'
import { conversationName, isGroupId } from '../protocol/names.ts'
import type { ClusterMap } from '../protocol/cluster-map.ts'
import type { ChatError } from '../protocol/errors.ts'
import { openRecord } from '../protocol/records.ts'
import { Absences } from './absences.ts'
import { Certificates, type FetchedCertificates } from './certificates.ts'
import { Conversations } from './conversations.ts'
import { Deletions } from './deletions.ts'
import { EventLog } from './event-log.ts'
import { Feed } from './feed.ts'
import { GroupWaits } from './group-waits.ts'
import { Groups } from './groups.ts'
import { type HeldMessage, HeldRecords } from './held-records.ts'
import { Holds } from './holds.ts'
import { idMaker } from './ids.ts'
import type { Identity } from './identity.ts'
import { Ingest } from './ingest.ts'
import { LocalStore } from './local-store.ts'
import { Outbox } from './outbox.ts'
import { isMention } from './mentions.ts'
import type { OutboxEntry } from './outbox-entry.ts'
import { Newest } from './newest.ts'
import { Pages } from './pages.ts'
import type { BlobAccess, ClientPorts } from './ports.ts'
import { Recipients } from './recipients.ts'
import { ReceiptSender } from './receipt-sender.ts'
import { References } from './references.ts'
import type { Session } from './session.ts'
import { Settings } from './settings.ts'
import { Statuses } from './statuses.ts'
import { Timeline } from './timeline.ts'
import { Uploads } from './uploads.ts'

export interface ChatStateOptions {
  identity: Identity
  /** The time to sign with. */
  now: () => number
  map: () => ClusterMap | undefined
  fetchCertificates: (user: string) => Promise<FetchedCertificates>
  /** The sealed version of a group, the newest when none is named. GROUP_DENIED, GROUP_UNKNOWN. */
  fetchGroup: (group: string, version: number | undefined) => Promise<Uint8Array>
  blobAccess: (session: Session) => Promise<BlobAccess>
  /** The state of an own message changed; with the reason when it was refused, or could not be stored yet. */
  onStatus: (id: string, error?: ChatError) => void
  /** A group changed: own messages wait no more for those who left it. */
  onGroupVersion: () => void
  /** The cluster said that an own message is stored; before onStatus. */
  onStored: (id: string) => void
  onChange: () => void
}

export class ChatState {
  readonly store: LocalStore
  readonly records: HeldRecords
  readonly conversations: Conversations
  readonly events: EventLog
  readonly certificates: Certificates
  readonly settings: Settings
  readonly groups: Groups
  readonly absences: Absences
  readonly recipients: Recipients
  readonly statuses: Statuses
  readonly references: References
  readonly timeline: Timeline
  readonly pages: Pages
  readonly newest: Newest
  readonly deletions: Deletions
  readonly ingest: Ingest
  readonly feed: Feed
  readonly outbox: Outbox
  readonly receipts: ReceiptSender
  /** Absent: this client sends no files. */
  readonly uploads: Uploads | undefined
  readonly makeId: () => string
  readonly #me: string
  readonly #groupWaits: GroupWaits
  /** Called when the text or the reactions of a message that was shown before have changed. */
  onLineChanged: (key: Uint8Array) => void = () => {}
  /** Called when a message that was there is deleted. */
  onDeleted: (message: HeldMessage) => void = () => {}
  readonly #holds: Holds
  readonly #onChange: () => void
  readonly #onStatus: ChatStateOptions['onStatus']
  readonly #blobAccess: ChatStateOptions['blobAccess']

  constructor(ports: ClientPorts, options: ChatStateOptions) {
    const { clock, random, database, log } = ports
    const { identity, now, map, onStatus, onStored, onChange } = options
    const me = { user: identity.user, device: identity.device }
    const store = new LocalStore({ database, clock, log })
    this.#me = me.user
    this.store = store
    this.makeId = idMaker(clock, random)
    this.#onChange = onChange
    this.#onStatus = onStatus
    this.#blobAccess = options.blobAccess
    this.records = new HeldRecords(store)
    this.conversations = new Conversations(store)
    store.beforeWrite = () => this.conversations.save()
    this.events = new EventLog(store)
    this.certificates = new Certificates({ store, cluster: identity.cluster, log, fetch: options.fetchCertificates })
    const { records, conversations, events } = this
    const isWithheld: GroupWaits['isWithheld'] = (group, version) => this.#groupWaits.isWithheld(group, version)
    const isTold: GroupWaits['isTold'] = (record, header) => this.#groupWaits.isTold(record, header)
    this.groups = new Groups({ store, events, me: me.user, isWithheld, isTold, onVersion: options.onGroupVersion })
    const { groups } = this
    this.#groupWaits = new GroupWaits({
      clock,
      log,
      fetch: async (group, version) => this.takeGroup(await options.fetchGroup(group, version)),
    })
    this.absences = new Absences({ groups, me: me.user })
    this.settings = new Settings({
      store,
      conversations,
      otherOf: (id) => conversationName(id, me.user),
      onBlocks: () => this.newest.clear(),
    })
    this.statuses = new Statuses({
      store,
      conversations,
      events,
      me: me.user,
      isRecipient: (conversation, user) => !isGroupId(conversation) || groups.wasMember(conversation, user),
      onChange: (id) => {
        this.recipients.changed(id)
        onStatus(id)
      },
    })
    this.recipients = new Recipients({ groups, statuses: this.statuses, me: me.user })
    this.#holds = new Holds({
      store,
      clock,
      conversations,
      holdMs: (arrival) => this.absences.holdMs(arrival),
      show: (key) => this.timeline.show(key),
      onReleased: onChange,
    })
    const showing = {
      store,
      records,
      events,
      isBlocked: (user: string) => this.settings.isBlocked(user),
      isHeld: (key: Uint8Array) => this.#holds.isHeld(key),
      onChanged: (key: Uint8Array) => this.onLineChanged(key),
    }
    this.references = new References(showing)
    const { references } = this
    this.timeline = new Timeline({
      ...showing,
      conversations,
      holds: this.#holds,
      references,
      statuses: this.statuses,
      me,
      onOrder: (conversation) => this.newest.changed(conversation),
      isMention: (header, sealed) => isMention(header, sealed, { me: me.user, groups }),
      now: () => clock.now(),
    })
    this.pages = new Pages({
      store,
      records,
      isShown: ({ key, header }) => !showing.isHeld(key) && !showing.isBlocked(header.from),
    })
    this.newest = new Newest({ pages: this.pages, records, groups })
    const onDeleted = (message: HeldMessage): void => this.onDeleted(message)
    this.deletions = new Deletions({ ...showing, references, timeline: this.timeline, me: me.user, onDeleted })
    this.ingest = new Ingest({
      clock,
      log,
      isSealedBy: ports.isSealedBy,
      cluster: identity.cluster,
      me,
      map,
      records,
      certificates: this.certificates,
      timeline: this.timeline,
      deletions: this.deletions,
      statuses: this.statuses,
      settings: this.settings,
      groups,
      groupWaits: this.#groupWaits,
      onSlice: (touched) => this.#afterSlice(touched),
    })
    this.feed = new Feed({ store, clock, log, ingest: this.ingest, onChange })
    const sending = { clock, log, identity, conversations, makeId: this.makeId, now }
    this.outbox = new Outbox({
      ...sending,
      store,
      random,
      timeline: this.timeline,
      groupVersion: (group) => groups.ownVersion(group),
      hasNewcomers: (group, since, version) => groups.hasNewcomers(group, since, version),
      onStored: (entry) => {
        if (entry.kind === 'msg') onStored(entry.id)
        this.#answered(entry)
      },
      onRefused: (entry, error) => this.#answered(entry, error),
      onProblem: (entry, error) => onStatus(entry.id, error),
      onFiles: (entry) => this.uploads?.add(entry),
      onFilesDropped: (entry) => this.uploads?.drop(entry),
      onChange,
    })
    this.uploads =
      ports.attachments &&
      new Uploads({
        clock,
        random,
        log,
        attachments: ports.attachments,
        onMoved: (entry) => this.outbox.filesMoved(entry),
        onStored: (entry) => this.outbox.filesStored(entry),
        onFailed: (entry, error) => this.outbox.filesFailed(entry, error),
        onProblem: (entry, error) => onStatus(entry.id, error),
        onChange,
      })
    this.receipts = new ReceiptSender({ ...sending, onProgress: onChange })
  }

  async load(): Promise<void> {
    await this.conversations.load()
    await this.groups.load()
    await this.settings.load()
    await this.events.load()
    await this.feed.load()
    await this.outbox.load()
    await this.#holds.load()
  }

  /** What a conversation is called: the other user, or the current name of the group. */
  nameOf(conversation: string): string {
    return isGroupId(conversation) ? this.groups.nameOf(conversation) : conversationName(conversation, this.#me)
  }

  /** A version of a group that was asked for: verified and filed like one that came by itself. */
  takeGroup(sealed: Uint8Array): void {
    const { header } = openRecord(sealed)
    if (header.k === 'group') this.#groupWaits.told(sealed, header)
    this.ingest.accept([[toBase64(sealed), 0]])
  }

  online(session: Session): void {
    this.outbox.online(session)
    this.receipts.online(session)
    this.uploads?.online(() => this.#blobAccess(session))
    void this.feed.open(session)
  }

  offline(): void {
    this.outbox.offline()
    this.receipts.offline()
    this.uploads?.offline()
    this.feed.closed()
  }

  /** The feed was read to its head, and of each message it is known whether it is shown: none waits for one before it. */
  get isCaughtUp(): boolean {
    return this.feed.isCaughtUp && this.#holds.isIdle
  }

  /** Nothing waits to be stored, fetched or told. */
  get isSettled(): boolean {
    return this.outbox.size === 0 && this.feed.isCaughtUp && this.receipts.isIdle
  }

  async close(): Promise<void> {
    this.offline()
    this.outbox.stop()
    this.ingest.stop()
    this.#groupWaits.stop()
    this.#holds.stop()
    await this.store.close()
  }

  /** The cursors join the slice's batch; receipts follow once it is written. */
  #afterSlice(touched: Set<string>): void {
    this.feed.advance()
    void this.store.commit({ sync: false }).then(() => {
      for (const id of touched) this.receipts.kick(id)
      this.#onChange()
    })
  }

  #answered(entry: OutboxEntry, error?: ChatError): void {
    if (entry.kind === 'msg' || entry.kind === 'tomb') this.#onStatus(entry.id, error)
    else this.#onChange()
  }
}
