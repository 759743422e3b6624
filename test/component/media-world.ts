// Media homes in one process for tests: real services on memory disks and memory blobs, a quorum client as gateways have it, and a
// wall clock that can be moved on. A home can die and come back with what its disk kept.
import { ClusterViewKeeper } from '../../src/node/core/cluster-view.ts'
import { ServiceGroup } from '../../src/node/core/service.ts'
import { type MediaOptions, MediaService } from '../../src/node/media/media-service.ts'
import { Blobs } from '../../src/node/replication/blobs.ts'
import { HomeCalls } from '../../src/node/replication/home-calls.ts'
import { MemoryBlobs } from '../../src/platform/memory-blobs.ts'
import { MemoryDisk } from '../../src/platform/memory-disk.ts'
import { type Clock, silentLogger } from '../../src/platform/ports.ts'
import { systemClock } from '../../src/platform/system.ts'
import { toBase64, toHex } from '../../src/protocol/bytes.ts'
import {
  type ClusterMap,
  homeSet,
  type MapNode,
  type Role,
  signMap,
  type SignedMap,
} from '../../src/protocol/cluster-map.ts'
import { makeCertificate } from '../../src/protocol/certificate.ts'
import { type Deletion, partiesOf } from '../../src/protocol/deletion.ts'
import { asChatError } from '../../src/protocol/errors.ts'
import { deviceIdOf, type TombstoneHeader } from '../../src/protocol/records.ts'
import { seal } from '../../src/protocol/sealed.ts'
import { fastSigner, keyPairFromSeed, sha256 } from '../../src/protocol/signing.ts'
import { MemoryNetwork, type MemoryTransport } from '../memory-transport.ts'

const authority = keyPairFromSeed(sha256(Buffer.from('authority')))
const sign = fastSigner(authority.secretKey)
const GATEWAY = 'gw'
export const USER = 'alice'
/** Of the messages from alice to bob. */
export const PARTIES = partiesOf({ from: USER, to: 'bob' })
const AN_ID = '01900000-0000-7000-8000-000000000001'

export interface Forgery {
  from?: string
  to?: string
  /** Milliseconds since 1970: when it was signed. */
  at?: number
  /** Who signs, and whose device the certificate is of. */
  signer?: string
  certified?: string
  /** Who signs the certificate, and when it ends. */
  issuer?: string
  exp?: number
  blobs?: [string, number][]
}
export const deviceOf = (user: string): string => deviceIdOf(keyPairFromSeed(sha256(Buffer.from(user))).publicKey)

/** How alice deletes a message to bob for both; or how somebody else would like to. */
export const deletionOf = (message: Uint8Array, forgery: Forgery = {}): Deletion => {
  const { from = USER, to = 'bob', at = Date.now(), signer = from, certified = from, issuer = 'authority' } = forgery
  const { exp = at + 1e9, blobs } = forgery
  const keyOf = (name: string) => keyPairFromSeed(sha256(Buffer.from(name)))
  const cluster = toHex(authority.publicKey)
  const author = { id: AN_ID, from, dev: deviceOf(signer), to, at }
  const header: TombstoneHeader = { k: 'tomb', ...author, target: toHex(message), ...(blobs ? { blobs } : {}) }
  const { publicKey } = keyOf(certified)
  const certificate = { id: AN_ID, user: from, dev: deviceOf(certified), key: toBase64(publicKey), serial: 1, at, exp }
  return {
    tombstone: seal({ cluster, header, sign: fastSigner(keyOf(signer).secretKey) }),
    certificate: makeCertificate(cluster, { k: 'cert', ...certificate }, fastSigner(keyOf(issuer).secretKey)),
  }
}

const mapNode = (peer: string, roles: Role[]): MapNode => ({
  peer,
  key: '',
  name: peer,
  roles,
  weight: 1,
  addresses: [],
})

export class MediaHome {
  readonly name: string
  readonly disk = new MemoryDisk({ settle: () => this.fsync })
  /** Batches end when this does. */
  fsync: Promise<void> = Promise.resolve()
  readonly blobs = new MemoryBlobs()
  readonly #world: MediaWorld
  #run: { service: MediaService; group: ServiceGroup; view: ClusterViewKeeper } | undefined

  constructor(world: MediaWorld, name: string) {
    this.#world = world
    this.name = name
  }

  get service(): MediaService {
    if (!this.#run) throw new Error(`${this.name} does not run`)
    return this.#run.service
  }

  async start(): Promise<void> {
    const { network, clock, options } = this.#world
    const transport = network.transport(this.name)
    const view = this.#world.viewFor(transport)
    const { disk, blobs } = this
    const service = new MediaService({ transport, view, clock, disk, blobs, log: silentLogger }, options)
    const group = new ServiceGroup([view, service], { clock, log: silentLogger })
    this.#run = { service, group, view }
    await group.start()
    network.connectAll()
  }

  /** Its machine loses power; what was not synced is gone. */
  async crash(): Promise<void> {
    const run = this.#run
    this.#run = undefined
    this.#world.network.remove(this.name)
    this.disk.crash()
    this.blobs.crash()
    await run?.group.stop().catch(() => {}) // its handles are dead
  }

  async stop(): Promise<void> {
    await this.#run?.group.stop()
    this.#run = undefined
  }

  async has(id: string): Promise<boolean> {
    return (await this.blobs.size(id)) !== undefined
  }
}

export class MediaWorld {
  readonly network = new MemoryNetwork()
  readonly options: MediaOptions
  readonly homes = new Map<string, MediaHome>()
  readonly gateway: Blobs
  readonly gatewayTransport: MemoryTransport
  readonly clock: Clock
  /** Added to the wall clock. */
  laterMs = 0
  #map: SignedMap
  readonly #gatewayView: ClusterViewKeeper
  readonly #end = new AbortController()
  static readonly #running = new Set<MediaWorld>()

  private constructor(names: string[], options: MediaOptions) {
    this.options = { repairEveryMs: 20, collectEveryMs: 20, reopenEveryMs: 10, ...options }
    this.clock = { ...systemClock, now: () => systemClock.now() + this.laterMs }
    this.#map = this.#sign(1, names, { homes: { current: homeSet(names) } })
    this.gatewayTransport = this.network.transport(GATEWAY)
    this.#gatewayView = this.viewFor(this.gatewayTransport)
    this.#gatewayView.start(this.#end.signal)
    const ports = { transport: this.gatewayTransport, view: this.#gatewayView, clock: this.clock, log: silentLogger }
    this.gateway = new Blobs(ports, new HomeCalls(ports))
  }

  static async start(names = ['m1', 'm2', 'm3'], options: MediaOptions = {}): Promise<MediaWorld> {
    const world = new MediaWorld(names, options)
    MediaWorld.#running.add(world)
    for (const name of names) await world.add(name)
    return world
  }

  static async endAll(): Promise<void> {
    for (const world of MediaWorld.#running) {
      world.#end.abort()
      for (const home of world.homes.values()) await home.stop()
    }
    MediaWorld.#running.clear()
  }

  async add(name: string): Promise<MediaHome> {
    const home = new MediaHome(this, name)
    this.homes.set(name, home)
    await home.start()
    return home
  }

  home(name: string): MediaHome {
    const home = this.homes.get(name)
    if (!home) throw new Error(`there is no home ${name}`)
    return home
  }

  get map(): ClusterMap {
    return this.#map.map
  }

  /** The next epoch, known to everybody at once. */
  publish(change: Partial<ClusterMap>): void {
    this.#map = this.#sign(this.map.epoch + 1, [...this.homes.keys()], { ...this.map, ...change })
    this.#gatewayView.adopt(this.#map.sealed)
  }

  viewFor(transport: MemoryTransport): ClusterViewKeeper {
    const cluster = toHex(authority.publicKey)
    const log = silentLogger
    return new ClusterViewKeeper({ cluster, initial: this.#map, persist: () => {}, transport, clock: this.clock, log })
  }

  /** How many homes hold it whole. */
  async copies(id: string): Promise<number> {
    const all = await Promise.all([...this.homes.values()].map((home) => home.has(id)))
    return all.filter(Boolean).length
  }

  upload(
    bytes: Uint8Array,
    options: { offset?: number; body?: AsyncIterable<Uint8Array>; user?: string } = {},
  ): Promise<void> {
    const { offset = 0, user = USER } = options
    const body = options.body ?? bodyOf(bytes.subarray(offset))
    return this.gateway.upload({ blob: toHex(sha256(bytes)), user, size: bytes.length, offset, body })
  }

  async download(id: string, start = 0, end?: number): Promise<Buffer> {
    const parts: Uint8Array[] = []
    const size = end ?? (await this.gateway.size(id))
    for await (const part of this.gateway.read(id, { start, end: size })) parts.push(part)
    return Buffer.concat(parts)
  }

  #sign(epoch: number, names: string[], content: Pick<ClusterMap, 'homes'> & Partial<ClusterMap>): SignedMap {
    const nodes = [...names.map((name) => mapNode(name, ['store'])), mapNode(GATEWAY, ['gateway'])]
    const cluster = toHex(authority.publicKey)
    return signMap({ retentionMs: 1e12, revocations: [], ...content, cluster, epoch, nodes }, sign)
  }
}

/** In chunks as sockets give them; `cutAt` breaks it off there. */
export async function* bodyOf(bytes: Uint8Array, cutAt = Infinity): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 50_000) {
    if (at >= cutAt) throw new Error('the client went away')
    yield bytes.subarray(at, Math.min(at + 50_000, cutAt))
  }
  if (cutAt < bytes.length) throw new Error('the client went away')
}

export const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'nothing thrown'
  } catch (error) {
    return asChatError(error).code
  }
}
