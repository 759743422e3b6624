// Stores of a cluster in one process for tests: real services on memory disks, a gateway that is only a transport,
// maps signed by a test authority, and records of devices that exist.

import { type Service, ServiceGroup } from '../src/node/core/service.ts'
import type { ClusterView } from '../src/node/core/ports.ts'
import { GroupLedger } from '../src/node/replication/group-ledger.ts'
import { HomeCalls } from '../src/node/replication/home-calls.ts'
import { type StoreOptions, StoreService } from '../src/node/store/store-service.ts'
import { MemoryDisk } from '../src/platform/memory-disk.ts'
import { type Clock, type Disk, silentLogger } from '../src/platform/ports.ts'
import { systemClock, systemRandom } from '../src/platform/system.ts'
import { toBase64, toHex } from '../src/protocol/bytes.ts'
import { type Certificate, makeCapability, makeCertificate, openCertificate } from '../src/protocol/certificate.ts'
import { type ClusterMap, homeSet, openMap, type Role, signMap, type SignedMap } from '../src/protocol/cluster-map.ts'
import { limits } from '../src/protocol/limits.ts'
import { certificateMailbox, conversationOf, isGroupId } from '../src/protocol/names.ts'
import {
  deviceIdOf,
  type GroupHeader,
  type MessageHeader,
  openRecord,
  recordKey,
  type RecordHeader,
} from '../src/protocol/records.ts'
import {
  type FeedPage,
  storeAppend,
  storeHas,
  storeNotice,
  storePage,
  storeSubscribe,
  type StoreMark,
  type StoreWrite,
} from '../src/protocol/rpc.ts'
import { seal } from '../src/protocol/sealed.ts'
import { fastSigner, type KeyPair, keyPairFromSeed, sha256 } from '../src/protocol/signing.ts'
import { type MemoryTransport, MemoryNetwork } from './memory-transport.ts'

const keyFor = (name: string): KeyPair => keyPairFromSeed(sha256(Buffer.from(`store test ${name}`)))
const authority = keyFor('authority')
export const cluster = toHex(authority.publicKey)
const gateway = 'gateway-1'
const groupNodes = ['group-1', 'group-2']

/** A UUIDv7 of that time; random after it. */
export const newId = (at = Date.now()): string => {
  const bytes = Buffer.from(systemRandom.bytes(16))
  bytes.writeUIntBE(at, 0, 6)
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

export interface Device {
  user: string
  certificate: Certificate
  sign: (message: Uint8Array) => Uint8Array
}
const deviceOf = (user: string): Device => {
  const { publicKey, secretKey } = keyFor(`${user}/laptop`)
  const at = Date.now()
  const header = {
    k: 'cert' as const,
    id: newId(),
    user,
    dev: deviceIdOf(publicKey),
    key: toBase64(publicKey),
    serial: 1,
    at,
  }
  const sealed = makeCertificate(
    cluster,
    { ...header, exp: at + limits.certificateMs },
    fastSigner(authority.secretKey),
  )
  return { user, certificate: openCertificate(sealed, cluster), sign: fastSigner(secretKey) }
}
const devices = new Map<string, Device>()
export const device = (user: string): Device => {
  let known = devices.get(user)
  if (!known) devices.set(user, (known = deviceOf(user)))
  return known
}
export const capabilityOf = (
  { certificate, sign }: Device,
  { expiresAt = Date.now() + 300_000, at = gateway } = {},
): Buffer => makeCapability({ cluster, certificate, gateway: at, expiresAt, sign })

export interface MessageOptions {
  from?: string
  to?: string
  at?: number
  id?: string
  exp?: number
  text?: string
  bytes?: number
  blobs?: [string, number][]
}
let sequence = 0
/** A message as its sender signed it, with its key and the write of both mailboxes. */
export const message = (options: MessageOptions = {}): StoreWrite & { key: Buffer } => {
  const { from = 'alice', to = 'bob', at = Date.now(), id = newId(at), text = 'hello', bytes = 0 } = options
  const header = {
    k: 'msg' as const,
    id,
    from,
    dev: device(from).certificate.dev,
    to,
    at,
    conv: conversationOf(from, to),
    seq: ++sequence,
    ct: 'chat/1',
    ...(isGroupId(to) ? { gv: 1 } : {}),
    ...(options.exp === undefined ? {} : { exp: options.exp }),
    ...(options.blobs === undefined ? {} : { blobs: options.blobs }),
  }
  return writeOf(header, from, Buffer.from(text.padEnd(bytes, '.')))
}
export const tombstone = (
  target: Buffer,
  options: { from?: string; to?: string; signer?: string } = {},
): StoreWrite & { key: Buffer } => {
  const { from = 'alice', to = 'bob', signer = from } = options
  const at = Date.now()
  const header = {
    k: 'tomb' as const,
    id: newId(at),
    from,
    dev: device(from).certificate.dev,
    to,
    at,
    target: toHex(target),
  }
  return writeOf(header, signer)
}
/** A record of alice to a group. */
export const toGroup = (
  fields:
    | Pick<GroupHeader, 'k' | 'to' | 'v' | 'change'>
    | Pick<MessageHeader, 'k' | 'to' | 'conv' | 'seq' | 'ct' | 'gv'>,
  body?: Uint8Array,
): StoreWrite & { key: Buffer } => {
  const at = Date.now()
  const { dev } = device('alice').certificate
  return writeOf({ id: newId(at), from: 'alice', dev, at, ...fields }, 'alice', body)
}
/** The client of the ledger on a group node. */
export const ledgerAt = (stores: Stores, peer: string): GroupLedger => {
  const transport = stores.network.transport(peer)
  const ports = { transport, view: stores.view(peer), clock: systemClock, random: systemRandom, log: silentLogger }
  for (const name of stores.names) stores.network.connect(peer, name)
  return new GroupLedger(ports, new HomeCalls(ports), () => true)
}
export const certificateWrite = (user: string): StoreWrite & { key: Buffer } => {
  const { sealed, id } = device(user).certificate
  return { mailboxes: [certificateMailbox(user)], sealed, acceptedAt: Date.now(), key: recordKey(id, sealed) }
}
const writeOf = (header: RecordHeader, signer: string, body?: Uint8Array): StoreWrite & { key: Buffer } => {
  const sealed = seal({ cluster, header, sign: device(signer).sign, ...(body ? { body } : {}) })
  return { mailboxes: openRecord(sealed).mailboxes, sealed, acceptedAt: header.at, key: recordKey(header.id, sealed) }
}

/** The real clock, set wrong or forward by tests. */
class ShiftedClock implements Clock {
  shiftMs = 0
  now(): number {
    return systemClock.now() + this.shiftMs
  }
  monotonic(): number {
    return systemClock.monotonic()
  }
  after(ms: number, call: () => void): () => void {
    return systemClock.after(ms, call)
  }
}

class TestView implements ClusterView {
  readonly #watchers: ((map: SignedMap) => void)[] = []
  #map: SignedMap
  constructor(map: SignedMap) {
    this.#map = map
  }
  current(): SignedMap {
    return this.#map
  }
  adopt(sealed: Uint8Array): boolean {
    const newer = openMap(sealed, cluster)
    if (newer.map.epoch <= this.#map.map.epoch) return false
    this.#map = newer
    for (const watcher of this.#watchers) watcher(newer)
    return true
  }
  watch(listener: (map: SignedMap) => void): void {
    this.#watchers.push(listener)
  }
}

interface RunningStore {
  store: StoreService
  view: TestView
  group: ServiceGroup
}

export interface StoresOptions {
  stores?: string[]
  /** Homes of the first map; all stores when absent. */
  homes?: string[]
  store?: StoreOptions
  disk?: (name: string) => Disk
  map?: Partial<ClusterMap>
}

/** Some stores and one gateway. Crashed stores keep their disks. */
export class Stores {
  readonly network: MemoryNetwork
  readonly gateway: MemoryTransport
  readonly notices: (FeedPage & { sub: number })[] = []
  readonly clock = new ShiftedClock()
  readonly disks = new Map<string, MemoryDisk>()
  readonly #options: StoresOptions
  readonly #running = new Map<string, RunningStore>()
  readonly #views = new Map<string, TestView>()
  map: SignedMap

  private constructor(options: StoresOptions) {
    this.#options = options
    this.network = new MemoryNetwork()
    this.gateway = this.network.transport(gateway)
    this.gateway.handle(storeNotice, ({ pages }) => {
      this.notices.push(...pages)
    })
    this.map = this.sign(1)
  }

  static async start(options: StoresOptions = {}): Promise<Stores> {
    const stores = new Stores(options)
    for (const name of stores.names) await stores.startStore(name)
    return stores
  }

  get names(): string[] {
    return this.#options.stores ?? ['store-1']
  }

  sign(epoch: number, change: Partial<ClusterMap> = {}): SignedMap {
    const node = (name: string, role: Role): ClusterMap['nodes'][number] => ({
      peer: name,
      key: '',
      name,
      roles: [role],
      weight: 1,
      addresses: [],
    })
    const map: ClusterMap = {
      cluster,
      epoch,
      nodes: [
        ...this.names.map((name) => node(name, 'store')),
        node(gateway, 'gateway'),
        node('router-1', 'router'),
        ...groupNodes.map((name) => node(name, 'group')),
      ],
      homes: { current: homeSet(this.#options.homes ?? this.names) },
      retentionMs: limits.defaultRetentionMs,
      revocations: [],
      ...this.#options.map,
      ...change,
    }
    return signMap(map, fastSigner(authority.secretKey))
  }

  /** Every running store (or those named) adopts the map, and later ones start with it. */
  adopt(map: SignedMap, names = [...this.#running.keys()]): void {
    this.map = map
    for (const name of names) this.#of(name).view.adopt(map.sealed)
  }

  async startStore(name: string): Promise<void> {
    const disk = this.#options.disk?.(name) ?? this.disk(name)
    const transport = this.network.transport(name)
    const view = new TestView(this.map)
    const ports = {
      transport,
      view,
      clock: this.clock,
      random: systemRandom,
      disk,
      log: silentLogger,
    }
    const store = new StoreService(ports, { repairEveryMs: 50, reopenEveryMs: 5, ...this.#options.store })
    const services: Service[] = [store]
    const group = new ServiceGroup(services, { clock: systemClock, log: silentLogger })
    await group.start()
    this.#running.set(name, { store, view, group })
    for (const other of [gateway, ...this.#running.keys()]) this.network.connect(name, other)
  }

  disk(name: string): MemoryDisk {
    let disk = this.disks.get(name)
    if (!disk) this.disks.set(name, (disk = new MemoryDisk()))
    return disk
  }

  /** The map as a node knows it that is no store. */
  view(name: string): ClusterView {
    let view = this.#views.get(name)
    if (!view) this.#views.set(name, (view = new TestView(this.map)))
    return view
  }

  store(name = 'store-1'): StoreService {
    return this.#of(name).store
  }

  /** Power cut: the process ends, what was not synced is gone. */
  crash(name = 'store-1'): void {
    this.disk(name).crash()
    this.#end(name)
  }

  async stopStore(name = 'store-1'): Promise<void> {
    const { group } = this.#of(name)
    await group.stop()
    this.#running.delete(name)
    this.network.remove(name)
  }

  async stop(): Promise<void> {
    for (const name of [...this.#running.keys()]) await this.stopStore(name)
  }

  append(writes: StoreWrite[], { to = 'store-1', epoch = this.map.map.epoch } = {}): Promise<StoreMark> {
    const plain = writes.map(({ mailboxes, sealed, acceptedAt }) => ({ mailboxes, sealed, acceptedAt }))
    return this.gateway.call(to, storeAppend, { epoch, writes: plain })
  }

  async has(write: { mailboxes: readonly string[]; key: Buffer }, at = 'store-1'): Promise<boolean> {
    const items = write.mailboxes.map((mailbox) => ({ mailbox, keys: write.key }))
    const { has } = await this.gateway.call(at, storeHas, { epoch: this.map.map.epoch, items })
    return has.every((each) => each[0] === 1)
  }

  subscribe(
    user: string,
    options: { sub?: number; cursor?: { feed: string; number: number }; at?: string } = {},
  ): Promise<FeedPage> {
    const { sub = 1, at = 'store-1', cursor } = options
    const capability = capabilityOf(device(user))
    const request = { epoch: this.map.map.epoch, sub, mailbox: `u:${user}`, capability, ...(cursor ? { cursor } : {}) }
    return this.gateway.call(at, storeSubscribe, request)
  }

  page(after: number, { sub = 1, limit = 100, records = false, at = 'store-1' } = {}): Promise<FeedPage> {
    return this.gateway.call(at, storePage, { epoch: this.map.map.epoch, sub, after, limit, records })
  }

  #of(name: string): RunningStore {
    const running = this.#running.get(name)
    if (!running) throw new Error(`${name} does not run`)
    return running
  }

  /** A dead process answers nobody; its loops end because the disk never answers. */
  #end(name: string): void {
    const { group } = this.#of(name)
    this.#running.delete(name)
    this.network.remove(name)
    void group.stop()
  }
}
