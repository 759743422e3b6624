// Homes by hand for tests of the quorum client: each keeps what it is sent in a list and does what the test tells it to.
import { Mailboxes } from '../../src/node/replication/mailboxes.ts'
import type { CertificateCache, ClusterView } from '../../src/node/core/ports.ts'
import { type Clock, silentLogger } from '../../src/platform/ports.ts'
import { systemClock } from '../../src/platform/system.ts'
import { toHex, toMapKey } from '../../src/protocol/bytes.ts'
import { type ClusterMap, homeSet, openMap, signMap, type SignedMap } from '../../src/protocol/cluster-map.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { conversationOf } from '../../src/protocol/names.ts'
import { openRecord, recordKey, splitKeys } from '../../src/protocol/records.ts'
import {
  mapPush,
  storeAppend,
  storeCertificates,
  type StoredRecord,
  storeHas,
  storeSeen,
  type StoreMark,
  type StoreState,
  storeState,
  type StoreWrite,
} from '../../src/protocol/rpc.ts'
import { seal } from '../../src/protocol/sealed.ts'
import { fastSigner, keyPairFromSeed, sha256 } from '../../src/protocol/signing.ts'
import { MemoryNetwork, type MemoryTransport } from '../memory-transport.ts'

const authority = keyPairFromSeed(sha256(Buffer.from('authority')))
export const signAsAuthority = fastSigner(authority.secretKey)
export const clusterId = toHex(authority.publicKey)

export const makeMap = (epoch: number, change: Partial<ClusterMap> = {}): SignedMap => {
  const peers = ['s1', 's2', 's3']
  const nodes = ['s1', 's2', 's3', 's4'].map((peer) => ({
    peer,
    key: '',
    name: peer,
    roles: ['store' as const],
    weight: 1,
    addresses: [],
  }))
  const homes = { current: homeSet(peers) }
  return signMap(
    { cluster: clusterId, epoch, nodes, homes, retentionMs: 1e12, revocations: [], ...change },
    signAsAuthority,
  )
}

/** A view that only adopts. */
export class PlainView implements ClusterView {
  #map: SignedMap
  constructor(map: SignedMap) {
    this.#map = map
  }
  current(): SignedMap {
    return this.#map
  }
  adopt(sealed: Uint8Array): boolean {
    const newer = openMap(sealed, clusterId)
    if (newer.map.epoch <= this.#map.map.epoch) return false
    this.#map = newer
    return true
  }
  watch(): void {}
}

class FakeHome {
  readonly name: string
  readonly view: PlainView
  readonly transport: MemoryTransport
  appends: StoreWrite[][] = []
  readonly held = new Map<string, StoreWrite>()
  readonly seen: StoreMark[] = []
  certificates: StoredRecord[] = []
  state: StoreState['state'] = 'up'
  /** Called before an append is taken: throws or waits. */
  before: (writes: StoreWrite[]) => Promise<void> | void = () => {}
  #batch = 0

  constructor(name: string, network: MemoryNetwork, map: SignedMap) {
    this.name = name
    this.view = new PlainView(map)
    this.transport = network.transport(name)
    const { transport } = this
    transport.handle(mapPush, ({ sealed }) => void this.view.adopt(sealed))
    transport.handle(storeSeen, (mark) => void this.seen.push(mark))
    transport.handle(storeAppend, async ({ epoch, writes }) => {
      await this.before(writes)
      this.#check(epoch)
      if (this.state === 'read-only') throw new ChatError('STORE_READ_ONLY')
      this.appends.push(writes)
      for (const write of writes) this.keep(write)
      return { feed: `feed of ${name}`, batch: ++this.#batch }
    })
    transport.handle(storeHas, ({ epoch, items }) => {
      this.#check(epoch)
      const has = items.map(({ mailbox, keys }) => splitKeys(keys).map((key) => Number(this.#has(mailbox, key))))
      return { has: has.map((row) => Uint8Array.from(row)) }
    })
    transport.handle(storeCertificates, ({ epoch }) => {
      this.#check(epoch)
      if (this.state === 'syncing') throw new ChatError('STORE_SYNCING')
      return { records: this.certificates }
    })
    transport.handle(storeState, () => ({ state: this.state, feed: '', batch: 0, epoch: 1, reconciled: 0, records: 0 }))
  }

  keep({ mailboxes, sealed, acceptedAt }: StoreWrite): void {
    const { header } = openRecord(sealed)
    for (const mailbox of mailboxes) {
      this.held.set(`${mailbox} ${toMapKey(recordKey(header.id, sealed))}`, { mailboxes, sealed, acceptedAt })
    }
  }

  #has(mailbox: string, key: Uint8Array): boolean {
    return this.held.has(`${mailbox} ${toMapKey(key)}`)
  }

  #check(epoch: number): void {
    const { map, sealed } = this.view.current()
    if (epoch < map.epoch)
      throw new ChatError('EPOCH_STALE', { details: { map: Buffer.from(sealed).toString('base64') } })
    if (epoch > map.epoch) throw new ChatError('EPOCH_AHEAD')
  }
}

export interface Homes {
  network: MemoryNetwork
  view: PlainView
  mailboxes: Mailboxes
  homes: FakeHome[]
  home: (name: string) => FakeHome
}

/** A quorum client `gw` connected to the homes s1 to s4 (s1 to s3 in use). */
export const startHomes = (
  map = makeMap(1),
  { certificateCache, clock = systemClock }: { certificateCache?: CertificateCache; clock?: Clock } = {},
): Homes => {
  const network = new MemoryNetwork(clock)
  const homes = ['s1', 's2', 's3', 's4'].map((name) => new FakeHome(name, network, map))
  const transport = network.transport('gw')
  const view = new PlainView(map)
  const mailboxes = new Mailboxes({ transport, view, clock, log: silentLogger }, certificateCache)
  network.connectAll()
  const home = (name: string): FakeHome => {
    const found = homes.find((one) => one.name === name)
    if (!found) throw new Error(`there is no home ${name}`)
    return found
  }
  return { network, view, mailboxes, homes, home }
}

const device = keyPairFromSeed(sha256(Buffer.from('device')))
const signAsDevice = fastSigner(device.secretKey)
let made = 0
/** A sealed message between two users; each another one. */
export const message = (from = 'alice', to = 'bob', bytes = 10): StoreWrite => {
  const id = `01900000-0000-7000-8000-${(++made).toString(16).padStart(12, '0')}`
  const conv = conversationOf(from, to)
  const header = {
    k: 'msg',
    id,
    from,
    dev: '0123456789abcdef',
    to,
    at: 1_790_000_000_000,
    conv,
    seq: made,
    ct: 'chat/1',
  }
  const sealed = seal({ cluster: clusterId, header, body: new Uint8Array(bytes), sign: signAsDevice })
  return { mailboxes: [`u:${to}`, `u:${from}`], sealed, acceptedAt: 1_790_000_000_001 }
}
