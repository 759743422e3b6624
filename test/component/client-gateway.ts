// The gateway of client-world.ts: what chat.v1 asks of a gateway, over mailboxes in memory.
import type { GatewayLink, GatewayLinkHandlers } from '../../src/client/ports.ts'
import type { Clock } from '../../src/platform/ports.ts'
import { fromBase64, toBase64 } from '../../src/protocol/bytes.ts'
import { type Certificate, openCapability, openCertificate } from '../../src/protocol/certificate.ts'
import type { SignedMap } from '../../src/protocol/cluster-map.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { deviceTranscript, gatewayTranscript, type Transcript } from '../../src/protocol/handshake.ts'
import { isGroupId } from '../../src/protocol/names.ts'
import { openRecord, type RecordHeader, splitKeys } from '../../src/protocol/records.ts'
import { fastSigner, type KeyPair, verifierFor } from '../../src/protocol/signing.ts'
import type { FakeGroupService } from './client-group-service.ts'

export const HOMES = ['home-1', 'home-2'] as const
export const FEED = 'feed-1'

export interface Kept {
  key: Buffer
  header: RecordHeader
  sealed: Uint8Array
  acceptedAt: number
}
/** What to do with a record that is put; nothing said: it is stored and answered. */
export type PutScript = (
  header: RecordHeader,
  sealed: Uint8Array,
) => ChatError | 'silent' | 'cut' | 'store-and-cut' | undefined

/** What a gateway needs of the world around it. */
export interface GatewayWorld {
  readonly cluster: string
  readonly clock: Clock
  readonly gatewayNow: () => number
  readonly map: SignedMap
  readonly certificates: Map<string, Certificate[]>
  hasFewHomes: boolean
  readonly puts: { header: RecordHeader; sealed: Uint8Array; session: number }[]
  readonly onPut: PutScript
  readonly isPushing: boolean
  readonly isNoticing: boolean
  readonly groups: FakeGroupService
  readonly maxBlobBytes: number
  /** The cluster has what a message refers to. */
  holdsBlobs(header: RecordHeader): boolean
  mailbox(user: string): Kept[]
  store(sealed: Uint8Array, options: { exceptDevice?: string }): Kept
}

type Fields = Record<string, unknown>
interface Cursors {
  [home: string]: { feed: string; number: number }
}

export class FakeGateway {
  readonly peer: string
  keys: KeyPair
  isUp = true
  readonly sessions = new Set<FakeSession>()
  readonly #world: GatewayWorld

  constructor(world: GatewayWorld, peer: string, keys: KeyPair) {
    this.#world = world
    this.peer = peer
    this.keys = keys
  }

  accept(handlers: GatewayLinkHandlers): GatewayLink {
    const session = new FakeSession(this.#world, this, handlers)
    this.sessions.add(session)
    return session.link
  }

  deliver(user: string, kept: Kept, exceptDevice: string | undefined): void {
    for (const session of this.sessions) if (session.user === user) session.deliver(kept, exceptDevice)
  }

  cut(): void {
    for (const session of [...this.sessions]) session.cut()
  }

  drain(gateways: string[]): void {
    for (const session of this.sessions) session.send('session.drain', { gateways })
  }
}

let sessions = 0

export class FakeSession {
  user: string | undefined
  device: string | undefined
  readonly number = ++sessions
  readonly link: GatewayLink
  readonly fetched: string[] = []
  /** What it asked to be told last, and what its user typed. */
  watched: Fields | undefined
  readonly typed: Fields[] = []
  readonly #world: GatewayWorld
  readonly #gateway: FakeGateway
  readonly #handlers: GatewayLinkHandlers
  #transcript: Transcript | undefined
  #isOpen = true
  #isFeeding = false

  constructor(world: GatewayWorld, gateway: FakeGateway, handlers: GatewayLinkHandlers) {
    this.#world = world
    this.#gateway = gateway
    this.#handlers = handlers
    this.link = {
      bufferedBytes: 0,
      send: (text) => setImmediate(() => this.#isOpen && this.#receive(JSON.parse(text) as Fields)),
      close: () => this.#end(),
    }
  }

  send(type: string, fields: Fields): void {
    const text = JSON.stringify({ t: type, ...fields })
    setImmediate(() => this.#isOpen && this.#handlers.message(text))
  }

  cut(): void {
    if (!this.#isOpen) return
    this.#end()
    this.#handlers.closed('cut')
  }

  deliver(kept: Kept, exceptDevice: string | undefined): void {
    if (!this.#isFeeding) return
    const { isPushing, isNoticing } = this.#world
    if (isPushing && this.device !== exceptDevice) {
      this.send('record.push', { records: [[toBase64(kept.sealed), kept.acceptedAt]] })
    }
    if (isNoticing) for (const home of HOMES) this.#page(home, this.#box.length - 1, false)
  }

  /** A page of one home from a number to its head. */
  #page(home: string, from: number, withRecords: boolean): void {
    const rows = this.#box.slice(from)
    const fields = { home, feed: FEED, from, to: this.#box.length, head: this.#box.length }
    const keys = toBase64(Buffer.concat(rows.map(({ key }) => key)))
    const whole = rows.filter((kept) => !this.#isDeleted(kept))
    const records = withRecords
      ? { records: whole.map(({ sealed, acceptedAt }) => [toBase64(sealed), acceptedAt]) }
      : {}
    this.send('feed.page', { ...fields, keys, ...records })
  }

  get #box(): Kept[] {
    return this.#world.mailbox(this.user ?? '')
  }

  /** By a tombstone in this mailbox: its body is served no more. */
  #isDeleted({ key }: Kept): boolean {
    const target = key.toString('hex')
    return this.#box.some(({ header }) => header.k === 'tomb' && header.target === target)
  }

  #end(): void {
    this.#isOpen = false
    this.#gateway.sessions.delete(this)
  }

  #receive(frame: Fields): void {
    const answer = this.#answers[String(frame.t)]
    try {
      answer?.(frame)
    } catch (error) {
      const wire =
        error instanceof ChatError ? error.toWire() : new ChatError('INTERNAL', { message: String(error) }).toWire()
      this.send('error', { id: frame.id, ...wire })
    }
  }

  readonly #answers: Record<string, (frame: Fields) => void> = {
    'auth.hello': (frame) => this.#hello(frame),
    'auth.prove': (frame) => this.#prove(frame),
    'auth.capability': ({ id }) => this.send('ok', { id }),
    ping: ({ id }) => this.send('pong', { id }),
    'certificate.get': ({ id, user }) => {
      const found = this.#world.certificates.get(String(user))
      if (!found) throw new ChatError('USER_UNKNOWN')
      const cached = this.#world.hasFewHomes ? { cached: true } : {}
      this.send('certificate.list', { id, certificates: found.map(({ sealed }) => toBase64(sealed)), ...cached })
    },
    'media.token': ({ id }) =>
      this.send('media.token', { id, token: `t${this.number}`, maxBlobBytes: this.#world.maxBlobBytes }),
    'live.watch': ({ id, users, typing, shown }) => {
      this.watched = { users, typing, shown }
      this.send('ok', { id })
    },
    'live.typing': ({ to, active }) => void this.typed.push({ to, active }),
    'record.put': (frame) => this.#put(frame),
    'group.propose': ({ id, record }) => this.#group(id, this.#world.groups.propose(fromBase64(String(record)))),
    'group.get': ({ id, group, version }) =>
      this.#group(id, this.#world.groups.get(String(group), version as number | undefined, this.user ?? '')),
    'feed.open': ({ id, cursors }) => this.#open(id, cursors as Cursors),
    'feed.fetch': (frame) => this.#fetch(frame),
  }

  #hello({ id, certificate, nonce }: Fields): void {
    const { cluster, map } = this.#world
    const { user, dev } = openCertificate(fromBase64(String(certificate)), cluster)
    const gatewayNonce = toBase64(Buffer.alloc(32, 7))
    const gateway = this.#gateway.peer
    this.#transcript = { cluster, gateway, user, device: dev, clientNonce: String(nonce), gatewayNonce }
    const signature = fastSigner(this.#gateway.keys.secretKey)(gatewayTranscript(this.#transcript))
    this.send('auth.challenge', {
      id,
      gateway,
      nonce: gatewayNonce,
      signature: toBase64(signature),
      map: toBase64(map.sealed),
    })
  }

  #prove({ id, signature, capability }: Fields): void {
    const transcript = this.#transcript
    const certificate = this.#world.certificates
      .get(transcript?.user ?? '')
      ?.find(({ dev }) => dev === transcript?.device)
    if (!transcript || !certificate) throw new ChatError('AUTH_REPLAY')
    const isProven = verifierFor(certificate.publicKey).verify(
      deviceTranscript(transcript),
      fromBase64(String(signature)),
    )
    if (!isProven) throw new ChatError('AUTH_SIGNATURE')
    const now = this.#world.gatewayNow()
    openCapability(fromBase64(String(capability)), this.#world.cluster, { gateway: this.#gateway.peer, now })
    this.user = transcript.user
    this.device = transcript.device
    this.send('auth.welcome', { id, session: `s${this.number}`, now, gateways: [] })
  }

  #put({ id, record }: Fields): void {
    const sealed = fromBase64(String(record))
    const { header } = openRecord(sealed)
    this.#world.puts.push({ header, sealed, session: this.number })
    const outcome = this.#world.onPut(header, sealed)
    if (outcome instanceof ChatError) throw outcome
    if (outcome === 'silent') return
    if (outcome === 'cut') return this.cut()
    if (!this.#world.holdsBlobs(header)) throw new ChatError('BLOB_UNKNOWN')
    const kept = isGroupId(header.to) ? this.#world.groups.send(sealed, this.device) : this.#store(header.to, sealed)
    if (outcome === 'store-and-cut') return this.cut()
    this.send('record.stored', { id, at: kept.acceptedAt })
  }

  #store(to: string, sealed: Uint8Array): Kept {
    if (!this.#world.certificates.has(to)) throw new ChatError('USER_UNKNOWN')
    return this.#world.store(sealed, this.device === undefined ? {} : { exceptDevice: this.device })
  }

  #group(id: unknown, record: Uint8Array): void {
    this.send('group.record', { id, record: toBase64(record) })
  }

  #open(id: unknown, cursors: Cursors): void {
    this.#isFeeding = true
    const head = this.#box.length
    this.send('feed.opened', { id, homes: HOMES.map((home) => ({ home, feed: FEED, head })), complete: true })
    HOMES.forEach((home, index) => {
      const cursor = cursors[home]
      const from = cursor?.feed === FEED ? cursor.number : 0
      this.#page(home, from, index === 0 && cursor?.feed === FEED)
    })
  }

  #fetch({ id, keys }: Fields): void {
    const wanted = splitKeys(fromBase64(String(keys)))
    this.fetched.push(...wanted.map((key) => key.toString('hex')))
    const found = wanted.flatMap((key) => this.#box.filter((kept) => kept.key.equals(key) && !this.#isDeleted(kept)))
    const missing = wanted.filter((key) => !found.some((kept) => kept.key.equals(key)))
    const records = found.map(({ sealed, acceptedAt }) => [toBase64(sealed), acceptedAt])
    this.send('feed.records', { id, records, missing: toBase64(Buffer.concat(missing)) })
  }
}
