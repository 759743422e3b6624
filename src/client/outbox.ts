// What this device has to say and nobody has acknowledged yet. On disk before anything else; in each lane everything leaves in
// order, many under way at once; what was not answered leaves again, the same bytes under the same id. A message that is refused
// for good is replaced, in one batch, by a void of the same sequence number; the last waits for the next message to go first.
import { toBase64 } from '../protocol/bytes.ts'
import { asChatError, ChatError } from '../protocol/errors.ts'
import { recordKey } from '../protocol/records.ts'
import { mutant } from '../platform/mutants.ts'
import { type Deleted, type Fate, fateOf, fresh, isReady, noteGone, type OutboxEntry, voidFor } from './outbox-entry.ts'
import { OutboxLanes } from './outbox-lanes.ts'
import type { OutboxOptions } from './outbox-options.ts'
import { OutboxSealing } from './outbox-sealing.ts'
import type { OutgoingFile } from './outgoing-file.ts'
import type { Session } from './session.ts'

const MAX_UNDER_WAY = 256
/** Past it the socket gets nothing more until it has drained. */
const MAX_BUFFERED_BYTES = 1024 * 1024
const SETTINGS = 'settings'
const DELETIONS = 'deletions'

interface NewMessage {
  id: string
  to: string
  lane: string
  content: Uint8Array
  files?: OutgoingFile[]
}

export class Outbox {
  readonly #options: OutboxOptions
  readonly #lanes: OutboxLanes
  readonly #sealing: OutboxSealing
  readonly #leaving = new Set<OutboxEntry>()
  /** Sealed, and every attempt so far was refused: before the next leaves, the disk must say that it may have had an effect. */
  readonly #certain = new Set<OutboxEntry>()
  #session: Session | undefined

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#lanes = new OutboxLanes(options.store)
    this.#sealing = new OutboxSealing(options, this.#lanes)
  }

  async load(): Promise<void> {
    const entries = await this.#lanes.read()
    for (const entry of entries) this.#insert(entry)
    for (const entry of entries) if (entry.refusedWith) this.#refuse(entry, new ChatError(entry.refusedWith))
  }

  get(id: string): OutboxEntry | undefined {
    return this.#lanes.get(id)
  }

  /** How many wait to be stored. */
  get size(): number {
    return this.#lanes.size
  }

  /** Messages, edits and reactions of all conversations that wait. */
  messages(): OutboxEntry[] {
    return this.#lanes.messages()
  }

  /** Messages of a conversation that have not left yet, in order. */
  drafts(conversation: string): OutboxEntry[] {
    return this.#lanes.drafts(conversation)
  }

  /** Resolves once it is on disk. */
  async addMessage({ id, to, lane, content, files = [] }: NewMessage): Promise<void> {
    const conversation = this.#options.conversations.of(lane)
    const place = conversation.nextSeq
    conversation.nextSeq += 1
    this.#options.conversations.touch(conversation)
    for (const parked of this.#lanes.lane(lane)?.entries ?? []) this.#unpark(parked)
    const draft = { ...fresh(this.#options.clock.now()), id, lane, place, to, bytes: content }
    await this.#add({ ...draft, kind: 'msg', ...(files.length > 0 ? { files } : {}) })
  }

  /** Its upload is further; whoever took it back meanwhile does not get it again. */
  filesMoved(entry: OutboxEntry): void {
    if (this.#lanes.has(entry)) this.#lanes.save(entry)
  }

  /** Its files are in the cluster. */
  filesStored(entry: OutboxEntry): void {
    if (this.#lanes.has(entry)) this.#pump()
  }

  /** Its files cannot be sent: it is refused, unless an earlier attempt may have had an effect. */
  filesFailed(entry: OutboxEntry, error: ChatError): void {
    if (!this.#lanes.has(entry)) return
    if (entry.isUncertain) return this.#options.onProblem(entry, error)
    if (!entry.isSealed) this.#sealing.seal(entry)
    this.#leaving.add(entry)
    void this.#keepRefusal(entry, error).then(() => {
      this.#leaving.delete(entry)
      this.#refuse(entry, error)
      this.#pump()
    })
  }

  async addSetting(setting: string, bytes: Uint8Array): Promise<void> {
    const { makeId, identity } = this.#options
    await this.#addAside({ kind: 'set', id: makeId(), lane: SETTINGS, to: identity.user, setting, bytes })
  }

  /** Resolves with the tombstone's id once it is on disk. */
  async addTombstone({ to, ...deletes }: Deleted & { to: string }): Promise<string> {
    const id = this.#options.makeId()
    const bytes = new Uint8Array(0)
    await this.#addAside({ kind: 'tomb', id, lane: DELETIONS, to, deletes, bytes })
    return id
  }

  /** Another content for a message that has not left yet; false when it has, or is not there. */
  async redraft(id: string, content: Uint8Array): Promise<boolean> {
    const entry = this.#lanes.draft(id)
    if (!entry) return false
    entry.bytes = content
    this.#lanes.save(entry)
    await this.#changed()
    return true
  }

  /** A message that has not left yet never will; false when it has, or is not there. */
  async takeBack(id: string): Promise<boolean> {
    const entry = this.#lanes.draft(id)
    if (!entry) return false
    this.#substitute(entry)
    await this.#changed()
    return true
  }

  online(session: Session): void {
    this.#session = session
    for (const lane of this.#lanes.all()) {
      lane.failures = 0
      lane.cancelRetry?.()
      lane.cancelRetry = undefined
    }
    this.#pump()
  }

  offline(): void {
    this.#session = undefined
  }

  stop(): void {
    this.offline()
    for (const lane of this.#lanes.all()) lane.cancelRetry?.()
  }

  async #add(entry: OutboxEntry): Promise<void> {
    this.#insert(entry)
    this.#lanes.save(entry)
    this.#pump()
    await this.#changed()
  }

  /** Of no conversation: it only has a place in its lane. */
  async #addAside(entry: Omit<OutboxEntry, 'place' | keyof ReturnType<typeof fresh>>): Promise<void> {
    const place = this.#lanes.nextPlace(entry.lane)
    await this.#add({ ...fresh(this.#options.clock.now()), ...entry, place })
  }

  #changed(): Promise<void> {
    this.#options.onChange()
    return this.#options.store.commit({ sync: true })
  }

  #insert(entry: OutboxEntry): void {
    this.#lanes.insert(entry)
    if (entry.isSealed && !entry.isUncertain) this.#certain.add(entry)
    if (!isReady(entry)) this.#options.onFiles(entry)
  }

  #unpark(entry: OutboxEntry): void {
    if (!entry.isParked) return
    entry.isParked = false
    this.#lanes.save(entry)
  }

  /** Lets everything leave that may. What leaves for the first time is sealed and on disk before. */
  #pump(): void {
    const session = this.#session
    if (!session) return
    const ready: OutboxEntry[] = []
    let hasNew = false
    for (const lane of this.#lanes.all()) {
      if (lane.cancelRetry || session.bufferedBytes > MAX_BUFFERED_BYTES) continue
      for (const entry of lane.entries) {
        if (entry.isParked || this.#leaving.has(entry)) continue
        if (this.#leaving.size >= MAX_UNDER_WAY || !isReady(entry)) break
        this.#leaving.add(entry)
        if (this.#isWrittenToLeave(entry)) hasNew = true
        ready.push(entry)
      }
    }
    if (ready.length === 0) return
    if (!hasNew) return this.#sendAll(ready, session)
    void this.#options.store.commit({ sync: true }).then(() => this.#sendAll(ready, session))
  }

  /** Seals what leaves for the first time; true when the disk has to hear of it before. */
  #isWrittenToLeave(entry: OutboxEntry): boolean {
    const isCertain = this.#certain.delete(entry)
    if (!entry.isSealed) this.#sealing.seal(entry)
    else if (isCertain) this.#lanes.save({ ...entry, isUncertain: true })
    else return false
    return true
  }

  #sendAll(ready: OutboxEntry[], session: Session): void {
    for (const entry of ready) void this.#attempt(entry, session)
  }

  async #attempt(entry: OutboxEntry, session: Session): Promise<void> {
    try {
      if (mutant('new-id-on-resend') && entry.isUncertain) this.#sealing.sealAgain(entry)
      const { at } = await session.request('record.put', { record: toBase64(entry.bytes) }, 'record.stored')
      this.#leaving.delete(entry)
      this.#stored(entry, at)
    } catch (cause) {
      const error = asChatError(cause)
      const now = this.#options.clock.now()
      noteGone(entry, error, now)
      const fate = fateOf(entry, error, now)
      if (fate === 'final') await this.#keepRefusal(entry, error)
      this.#leaving.delete(entry)
      this.#failed(entry, error, fate)
    }
    this.#pump()
    this.#options.onChange()
  }

  #stored(entry: OutboxEntry, at: number): void {
    this.#lanes.remove(entry)
    const lane = this.#lanes.lane(entry.lane)
    if (lane) lane.failures = 0
    if (entry.kind === 'msg') this.#options.timeline.stored(recordKey(entry.id, entry.bytes), at)
    this.#options.onStored(entry, at)
  }

  #failed(entry: OutboxEntry, error: ChatError, fate: Fate): void {
    if (fate === 'final') return this.#refuse(entry, error)
    if (fate === 'files') return this.#sendFilesAgain(entry, error)
    if (fate === 'again-uncertain') entry.isUncertain = true
    else if (!entry.isUncertain) this.#reconsider(entry, error)
    else this.#lanes.save(entry)
    this.#options.onProblem(entry, error)
    this.#retryLater(entry)
  }

  /** The cluster has lost them, or collected them while the message could not leave. */
  #sendFilesAgain(entry: OutboxEntry, error: ChatError): void {
    for (const file of entry.files ?? []) file.isStored = false
    this.#lanes.save(entry)
    this.#options.onProblem(entry, error)
    this.#options.onFiles(entry)
    this.#retryLater(entry)
  }

  /** Refused, and so without any effect ever: a new time may be signed where the old one was the reason. */
  #reconsider(entry: OutboxEntry, error: ChatError): void {
    if (error.code === 'MESSAGE_TIME' && entry.kind === 'msg') this.#sealing.reopen(entry)
    this.#lanes.save(entry)
    if (entry.isSealed) this.#certain.add(entry)
  }

  /** On disk before anybody hears of it: whoever is told that it was refused may rely on it, also after a power cut. */
  #keepRefusal(entry: OutboxEntry, { code }: ChatError): Promise<void> {
    entry.refusedWith = code
    this.#lanes.save(entry)
    return this.#options.store.commit({ sync: true })
  }

  #retryLater(entry: OutboxEntry): void {
    if (this.#session) this.#lanes.retryLater(entry.lane, this.#options, () => this.#pump())
  }

  /** Its number is taken by a void, in the same batch; a void that nobody takes waits for the next message. */
  #refuse(entry: OutboxEntry, error: ChatError): void {
    if (entry.kind === 'msg') this.#options.timeline.refused(recordKey(entry.id, entry.bytes), error.message)
    if (entry.kind === 'set' || entry.kind === 'tomb') this.#lanes.remove(entry)
    else this.#substitute(entry)
    this.#options.onRefused(entry, error)
  }

  #substitute(entry: OutboxEntry): void {
    const { makeId, clock, conversations } = this.#options
    const isParked = entry.kind === 'void' || this.#lanes.isLast(entry, conversations.of(entry.lane).nextSeq)
    this.#lanes.replace(entry, voidFor(entry, { id: makeId(), now: clock.now(), isParked }))
    if (entry.files) this.#options.onFilesDropped(entry)
  }
}
