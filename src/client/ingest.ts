// Takes in every record that reaches this device, whichever way: opens, verifies, deduplicates, files. Signatures are checked aside while
// others are filed in the order of their coming, in slices of a few milliseconds, so that the loop stays live while thousands arrive.
// Nothing unverified passes; what is invalid is counted and marked, so that it is neither shown nor asked for again. Owns no cursors:
// feed.ts asks what has been dealt with.
import { fromBase64, toMapKey } from '../protocol/bytes.ts'
import { asChatError } from '../protocol/errors.ts'
import { openBody } from '../protocol/sealed.ts'
import { openRecord, type OpenRecord, recordKey, type RecordKind } from '../protocol/records.ts'
import { referenceOf } from '../protocol/reference.ts'
import { mutant } from '../platform/mutants.ts'
import type { Clock, Logger } from '../platform/ports.ts'
import type { ClusterMap } from '../protocol/cluster-map.ts'
import { CertificateWaits } from './certificate-waits.ts'
import type { Certificates } from './certificates.ts'
import type { Deletions } from './deletions.ts'
import type { Groups } from './groups.ts'
import type { GroupWaits } from './group-waits.ts'
import { contentOf, type HeldRecords } from './held-records.ts'
import type { Standing } from './group-standing.ts'
import type { SealCheck } from './ports.ts'
import type { Received, Timeline } from './timeline.ts'
import type { Settings } from './settings.ts'
import type { Statuses } from './statuses.ts'
import { judge, type Verdict } from './verification.ts'

/** How long the loop may be kept. */
const SLICE_MS = 8

interface Incoming {
  record: OpenRecord
  key: Uint8Array
  mapKey: string
  acceptedAt: number
  /** Whether its author's device signed it; absent until there is a certificate to check it with. */
  signature?: 'checking' | 'good' | 'bad'
}
export interface IngestOptions {
  clock: Clock
  log: Logger
  isSealedBy: SealCheck
  cluster: string
  me: { user: string; device: string }
  map: () => ClusterMap | undefined
  records: HeldRecords
  certificates: Certificates
  timeline: Timeline
  deletions: Deletions
  statuses: Statuses
  settings: Settings
  groups: Groups
  groupWaits: GroupWaits
  /** After each slice, in the same turn: what else belongs into its batch (cursors), then what follows from it. */
  onSlice: (conversations: Set<string>) => void
}
export interface IngestCounts {
  invalid: number
  doubled: number
}

export class Ingest {
  readonly #options: IngestOptions
  readonly #queue: Incoming[] = []
  /** Queued, or waiting for a certificate or a group's version, by record key. */
  readonly #underWay = new Set<string>()
  readonly #certificateWaits: CertificateWaits
  #isWorking = false
  #isStopped = false
  readonly counts: IngestCounts = { invalid: 0, doubled: 0 }

  constructor(options: IngestOptions) {
    this.#options = options
    this.#certificateWaits = new CertificateWaits(options)
  }

  /** [sealed in base64, acceptedAt] as frames carry them. */
  accept(records: readonly (readonly [string, number])[]): void {
    for (const [text, acceptedAt] of records) this.#admit(fromBase64(text), acceptedAt)
  }

  /** True when the record needs no fetching: it was dealt with, or is about to be. */
  has(key: Uint8Array): boolean {
    return this.#underWay.has(toMapKey(key)) || this.#options.records.has(key)
  }

  /** True once it was dealt with, in the database or in the batch of this turn. */
  isSettled(key: Uint8Array): boolean {
    return this.#options.records.has(key)
  }

  get isIdle(): boolean {
    return this.#underWay.size === 0
  }

  stop(): void {
    this.#isStopped = true
    this.#certificateWaits.stop()
  }

  #admit(sealed: Uint8Array, acceptedAt: number): void {
    let record: OpenRecord
    try {
      record = openRecord(sealed)
    } catch (error) {
      this.#countInvalid({ reason: asChatError(error).message })
      return
    }
    const key = recordKey(record.header.id, sealed)
    const mapKey = toMapKey(key)
    if (this.#underWay.has(mapKey)) return
    if (this.#options.records.has(key) && !mutant('no-dedupe-in-client')) return
    this.#underWay.add(mapKey)
    this.#enqueue({ record, key, mapKey, acceptedAt })
  }

  #enqueue(incoming: Incoming): void {
    this.#queue.push(incoming)
    this.#check(incoming)
    this.#workSoon()
  }

  /** As soon as there is a certificate to check it with. */
  #check(incoming: Incoming): void {
    const { isSealedBy, certificates, cluster } = this.#options
    const { sealed, header } = incoming.record
    const certificate = certificates.get(header.from, header.dev)
    if (incoming.signature || !certificate) return
    incoming.signature = 'checking'
    const end = (isSigned: boolean): void => {
      incoming.signature = isSigned ? 'good' : 'bad'
      this.#workSoon()
    }
    isSealedBy(sealed, cluster, certificate.publicKey).then(end, () => end(false))
  }

  /** Unless it will anyway, or the first of the queue waits for its check, whose end comes here again. */
  #workSoon(): void {
    if (this.#isWorking || !isReady(this.#queue[0])) return
    this.#isWorking = true
    this.#options.clock.after(0, () => this.#work())
  }

  #work(): void {
    if (this.#isStopped) return
    const { clock, onSlice } = this.#options
    const started = clock.monotonic()
    const conversations = new Set<string>()
    let done = 0
    for (let next = this.#queue[0]; isReady(next) && clock.monotonic() - started < SLICE_MS; next = this.#queue[done]) {
      this.#process(next, conversations)
      done += 1
    }
    this.#queue.splice(0, done)
    onSlice(conversations)
    this.#isWorking = false
    this.#workSoon()
  }

  #process(incoming: Incoming, conversations: Set<string>): void {
    const { header } = incoming.record
    const { certificates, me, map } = this.#options
    if (!incoming.signature) return this.#awaitCertificate(incoming, { user: header.from, device: header.dev })
    const place = header.k === 'tomb' ? header.of : undefined
    // Whoever names a device in a place must name its user too.
    if (place && !certificates.get(place.from, place.dev)) {
      return this.#awaitCertificate(incoming, { user: place.from, device: place.dev })
    }
    const verdict = judge(incoming.record, { me: me.user, map: map(), isSigned: incoming.signature === 'good' })
    const standing = verdict === 'valid' ? this.#options.groups.standing(incoming.record) : verdict
    if (typeof standing === 'number') return this.#waitForGroup(incoming, standing)
    if (standing === 'valid') this.#file(incoming, conversations)
    else this.#refuse(incoming, standing)
    this.#underWay.delete(incoming.mapKey)
  }

  #awaitCertificate(incoming: Incoming, { user, device }: { user: string; device: string }): void {
    const again = (): void => this.#enqueue(incoming)
    if (this.#options.certificates.get(user, device)) return again()
    this.#certificateWaits.add(user, { device, again, refuse: () => this.#refuseLate(incoming, 'no certificate') })
  }

  /** What was known of the group when it came says nothing about it yet. */
  #waitForGroup(incoming: Incoming, version: number): void {
    const { header, group = header.to } = incoming.record
    this.#options.groupWaits.add(group, {
      version,
      itself: header.k === 'group' && header.v === version ? incoming.key : undefined,
      again: () => this.#enqueue(incoming),
      refuse: () => this.#refuseLate(incoming, 'not a member'),
    })
  }

  /** After it has waited: no slice ends for it. */
  #refuseLate(incoming: Incoming, reason: Standing | 'no certificate'): void {
    this.#refuse(incoming, reason)
    this.#underWay.delete(incoming.mapKey)
    this.#options.onSlice(new Set())
  }

  #refuse({ key, record }: Incoming, reason: Verdict | Standing | 'no certificate'): void {
    this.#options.records.mark(key, 'invalid')
    this.#countInvalid({ reason, from: record.header.from, id: record.header.id })
  }

  #countInvalid(fields: object): void {
    this.counts.invalid += 1
    this.#options.log.warn(fields, 'a record that does not verify is not shown')
  }

  #file({ record, key, acceptedAt }: Incoming, conversations: Set<string>): void {
    const received: Received = { key, acceptedAt }
    const conversation = this.#filing[record.header.k](record, received)
    if (conversation !== undefined) conversations.add(conversation)
  }

  /** What is done with each kind of record; the conversation whose receipts may be due is returned. */
  readonly #filing: Record<RecordKind, (record: OpenRecord, received: Received) => string | undefined> = {
    msg: (record, received) => this.#fileMessage(record, received),
    void: ({ header }, { key }) => {
      this.#options.records.mark(key, 'applied')
      return header.k === 'void' ? this.#options.timeline.receiveVoid(header).id : undefined
    },
    rcpt: ({ header }, { key, acceptedAt }) => {
      this.#options.records.mark(key, 'applied')
      if (header.k === 'rcpt') this.#options.statuses.apply(header, acceptedAt)
      return undefined
    },
    set: ({ header, sealed }, { key }) => {
      this.#options.records.mark(key, 'applied')
      if (header.k === 'set') this.#options.settings.apply(header, openBody(sealed))
      return undefined
    },
    group: ({ header, sealed }, { key, acceptedAt }) => {
      const { records, groups, groupWaits, timeline } = this.#options
      records.mark(key, 'applied')
      if (header.k !== 'group') return undefined
      groups.file(header, sealed, acceptedAt || header.at)
      timeline.receiveChange(header)
      groupWaits.filed(header.to, header.v)
      return header.to
    },
    tomb: ({ header }, { key }) => {
      this.#options.records.mark(key, 'applied')
      if (header.k === 'tomb') this.#options.deletions.bury(header, { isTold: true })
      return undefined
    },
  }

  #fileMessage(record: OpenRecord, received: Received): string | undefined {
    const { records, timeline, deletions, log } = this.#options
    const { header } = record
    if (header.k !== 'msg') return undefined
    if (this.#options.groups.hear(header)) {
      const { to: group, from, gv } = header
      log.warn({ group, from, version: gv }, 'a member names another version of the group than is here')
    }
    const first = records.keyOf(header.id, header.from)
    if (first && toMapKey(first) !== toMapKey(received.key)) {
      this.counts.doubled += 1
      records.mark(received.key, 'doubled')
      log.warn({ id: header.id, from: header.from }, 'two messages under one id; the first is kept')
      return undefined
    }
    if (deletions.isBuried(received.key, header.from)) {
      const isLine = referenceOf(contentOf(record)) === undefined
      return timeline.receiveDeleted(header, received.key, { acceptedAt: received.acceptedAt, isLine }).id
    }
    return timeline.receive(header, record, received).id
  }
}

/** Its turn has come: it was checked, or cannot be before its certificate is here. */
const isReady = (incoming: Incoming | undefined): incoming is Incoming =>
  incoming !== undefined && incoming.signature !== 'checking'
