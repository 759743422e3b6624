// A cluster by hand for tests of the client: one authority, mailboxes in memory on two homes, gateways that speak chat.v1 over
// links in memory. Keys, certificates, maps and handshakes are real; what a gateway answers can be scripted.
import type { Dial, GatewayLinkHandlers, SealCheck, SourceFiles } from '../../src/client/ports.ts'
import { Identity } from '../../src/client/identity.ts'
import { LocalChat } from '../../src/client/local-chat.ts'
import { MemoryDatabase } from '../../src/platform/memory-database.ts'
import { type Clock, type Database, type DatabaseWrite, silentLogger } from '../../src/platform/ports.ts'
import { systemClock, systemRandom } from '../../src/platform/system.ts'
import { encryptedSize } from '../../src/protocol/blob.ts'
import { toBase64, toHex } from '../../src/protocol/bytes.ts'
import { type Certificate, makeCertificate, openCertificate } from '../../src/protocol/certificate.ts'
import { type ClusterMap, homeSet, type SignedMap, signMap } from '../../src/protocol/cluster-map.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { type RecordHeader, openRecord, recordKey, deviceIdOf } from '../../src/protocol/records.ts'
import { isSealedBy } from '../../src/protocol/sealed.ts'
import { fastSigner, type KeyPair, keyPairFromSeed } from '../../src/protocol/signing.ts'
import { limits } from '../../src/protocol/limits.ts'
import { MemoryBlobs, MemoryFiles } from './client-blobs-world.ts'
import { FakeGroupService } from './client-group-service.ts'
import { FakeGateway, type GatewayWorld, HOMES, type Kept, type PutScript } from './client-gateway.ts'

const keyPair = (): KeyPair => keyPairFromSeed(systemRandom.bytes(32))

/** A clock on which everything takes `factor` times less. */
export const fastClock = (factor: number): Clock => {
  const started = performance.now()
  const startedAt = Date.now()
  const monotonic = (): number => (performance.now() - started) * factor
  return {
    now: () => Math.round(startedAt + monotonic()),
    monotonic,
    after: (ms, call) => systemClock.after(ms / factor, call),
  }
}

/** Keeps its rows when a client closes it: the next one goes on with them. */
export class KeptDatabase extends MemoryDatabase {
  override async close(): Promise<void> {}

  /** What another process would find. */
  async copy(): Promise<KeptDatabase> {
    const copy = new KeptDatabase()
    const rows = await this.range({ gte: Buffer.alloc(0), lt: Buffer.of(255) })
    copy.apply(rows.map(([key, value]) => ({ key, value })))
    return copy
  }
}

/** Knows what a power cut would leave of it: all up to the last batch that was synced. */
export class PowerCutDatabase extends KeptDatabase {
  readonly #synced = new KeptDatabase()
  #unsynced: DatabaseWrite[] = []

  override async batch(writes: DatabaseWrite[], options: { sync: boolean }): Promise<void> {
    this.#unsynced.push(...writes)
    if (options.sync) this.#synced.apply(this.#unsynced.splice(0))
    await super.batch(writes, options)
  }

  afterPowerCut(): Promise<KeptDatabase> {
    return this.#synced.copy()
  }
}

/** The process dies right after a batch in which `isLast` finds what it looks for: later ones are lost, and not answered. */
export class DyingDatabase extends KeptDatabase {
  readonly #isLast: (writes: DatabaseWrite[]) => boolean
  readonly #died = Promise.withResolvers<void>()
  readonly #buried = Promise.withResolvers<void>()
  #isDead = false

  constructor(isLast: (writes: DatabaseWrite[]) => boolean) {
    super()
    this.#isLast = isLast
  }

  get died(): Promise<void> {
    return this.#died.promise
  }

  override async batch(writes: DatabaseWrite[], options: { sync: boolean }): Promise<void> {
    if (!this.#isDead) await super.batch(writes, options)
    if (!this.#isDead && !this.#isLast(writes)) return
    this.#isDead = true
    this.#died.resolve()
    await this.#buried.promise
  }

  /** For the end of a test: whoever still waits for an answer gets one. */
  bury(): void {
    this.#buried.resolve()
  }
}

export interface Person {
  user: string
  device: string
  seed: Uint8Array
  certificate: Certificate
  identity: Identity
}
/** In the turn that asks, so that a clock moved by hand finds it done. */
const checkSeal: SealCheck = async (...signed) => isSealedBy(...signed)

export class ClientWorld implements GatewayWorld {
  readonly authority = keyPair()
  readonly cluster = toHex(this.authority.publicKey)
  readonly gateways = new Map<string, FakeGateway>()
  readonly certificates = new Map<string, Certificate[]>()
  /** Certificates come from a cache, and newer ones may be missing. */
  hasFewHomes = false
  readonly mailboxes = new Map<string, Kept[]>()
  /** Everything that any client put, in order. */
  readonly puts: { header: RecordHeader; sealed: Uint8Array; session: number }[] = []
  readonly clock: Clock
  /** The clock of gateways; that of clients unless a test says otherwise. */
  gatewayNow: () => number = () => this.clock.now()
  onPut: PutScript = () => undefined
  readonly blobs = new MemoryBlobs()
  maxBlobBytes: number = encryptedSize(limits.defaultMaxFileBytes)
  /** Live deliveries; switched off to leave everything to the feed. */
  isPushing = true
  isNoticing = true
  map: SignedMap
  readonly groups = new FakeGroupService({
    hasUser: (user) => this.certificates.has(user),
    store: (sealed, options) => this.store(sealed, options),
  })
  readonly #chats: LocalChat[] = []

  constructor(options: { gateways?: string[]; clock?: Clock } = {}) {
    this.clock = options.clock ?? systemClock
    for (const name of options.gateways ?? ['gw-1'])
      this.gateways.set(`ws://${name}`, new FakeGateway(this, name, keyPair()))
    this.map = this.publish({})
  }

  publish(change: Partial<ClusterMap>): SignedMap {
    const nodes = [...this.gateways.values()].map(({ peer, keys }) => ({
      peer,
      key: toBase64(keys.publicKey),
      name: peer,
      roles: ['gateway' as const],
      weight: 1,
      addresses: [],
    }))
    const before = this.map as SignedMap | undefined // undefined while the constructor runs
    const map: ClusterMap = {
      cluster: this.cluster,
      epoch: (before?.map.epoch ?? 0) + 1,
      nodes,
      homes: { current: homeSet([...HOMES]) },
      retentionMs: 365 * 24 * 3_600_000,
      revocations: before?.map.revocations ?? [],
      ...change,
    }
    this.map = signMap(map, fastSigner(this.authority.secretKey))
    return this.map
  }

  /** A new device of a user. `isPublished: false`: the cluster knows no certificate of it. */
  enrol(user: string, { isPublished = true } = {}): Person {
    const { secretKey, publicKey } = keyPair()
    const at = this.clock.now()
    const header = {
      k: 'cert' as const,
      id: '01900000-0000-7000-8000-000000000000',
      user,
      dev: deviceIdOf(publicKey),
      key: toBase64(publicKey),
      serial: 1,
      at,
      exp: at + 1_000_000_000,
    }
    const sealed = makeCertificate(this.cluster, header, fastSigner(this.authority.secretKey))
    const certificate = openCertificate(sealed, this.cluster)
    if (isPublished) this.certificates.set(user, [...(this.certificates.get(user) ?? []), certificate])
    const identity = new Identity({ cluster: this.cluster, secretKey, sealed })
    return { user, device: certificate.dev, seed: secretKey, certificate, identity }
  }

  /** `files`: those of the device's machine. */
  async open(
    person: Person,
    database: Database = new MemoryDatabase(),
    dial: Dial = this.dial,
    files: SourceFiles = new MemoryFiles(),
  ): Promise<LocalChat> {
    const attachments = { blobs: this.blobs, files }
    const world = { clock: this.clock, random: systemRandom, log: silentLogger }
    const ports = { ...world, database, dial, isSealedBy: checkSeal, attachments }
    const chat = new LocalChat(ports, { identity: person.identity, gateways: [...this.gateways.keys()] })
    await chat.open()
    this.#chats.push(chat)
    return chat
  }

  readonly dial: Dial = async (url: string, handlers: GatewayLinkHandlers) => {
    const gateway = this.gateways.get(url)
    if (!gateway?.isUp) throw new ChatError('NET_UNAVAILABLE')
    return gateway.accept(handlers)
  }

  holdsBlobs(header: RecordHeader): boolean {
    return header.k !== 'msg' || (header.blobs ?? []).every(([id]) => this.blobs.isWhole(id))
  }

  /** Keeps a record in the mailboxes it names and delivers it to everybody but `exceptDevice`. */
  store(sealed: Uint8Array, options: { acceptedAt?: number; exceptDevice?: string; mailboxes?: string[] } = {}): Kept {
    const { header, mailboxes } = openRecord(sealed)
    const kept: Kept = {
      key: recordKey(header.id, sealed),
      header,
      sealed,
      acceptedAt: options.acceptedAt ?? this.clock.now(),
    }
    for (const mailbox of options.mailboxes ?? mailboxes) {
      const box = this.mailbox(mailbox.slice(2))
      if (box.some(({ key }) => key.equals(kept.key))) continue
      box.push(kept)
      for (const gateway of this.gateways.values()) gateway.deliver(mailbox.slice(2), kept, options.exceptDevice)
    }
    return kept
  }

  mailbox(user: string): Kept[] {
    const box = this.mailboxes.get(user) ?? []
    this.mailboxes.set(user, box)
    return box
  }

  /** Ends all connections, as if the network had. */
  cut(): void {
    for (const gateway of this.gateways.values()) gateway.cut()
  }

  async close(): Promise<void> {
    for (const chat of this.#chats) await chat.close()
  }
}
