// A small cluster of real services in one process for tests of gateways, routers and mailboxes: in-memory peers and disks,
// sockets that are two functions, and a client that speaks the frames by hand and keeps everything it was sent.
import { ClusterViewKeeper } from '../../src/node/core/cluster-view.ts'
import type {
  ClientListener,
  ClientRequestHandler,
  ClientSocketHandlers,
  NodeIdentity,
} from '../../src/node/core/ports.ts'
import { type Service, ServiceGroup } from '../../src/node/core/service.ts'
import { type GatewayOptions, GatewayService } from '../../src/node/gateway/gateway-service.ts'
import { type GroupOptions, GroupService } from '../../src/node/group/group-service.ts'
import { MediaService } from '../../src/node/media/media-service.ts'
import { GroupLedger } from '../../src/node/replication/group-ledger.ts'
import type { GroupLedgerPort } from '../../src/node/replication/group-ledger-port.ts'
import { Mailboxes } from '../../src/node/replication/mailboxes.ts'
import { RouterService } from '../../src/node/router/router-service.ts'
import { StoreService } from '../../src/node/store/store-service.ts'
import { MemoryBlobs } from '../../src/platform/memory-blobs.ts'
import { MemoryDisk } from '../../src/platform/memory-disk.ts'
import { type Clock, silentLogger } from '../../src/platform/ports.ts'
import { systemClock, systemRandom } from '../../src/platform/system.ts'
import { fromBase64, toBase64, toHex } from '../../src/protocol/bytes.ts'
import { type Certificate, makeCapability, makeCertificate, openCertificate } from '../../src/protocol/certificate.ts'
import {
  type ClusterMap,
  homeSet,
  type MapNode,
  type Role,
  signMap,
  type SignedMap,
} from '../../src/protocol/cluster-map.ts'
import { encodeContent } from '../../src/protocol/content.ts'
import type { ClientFrameType } from '../../src/protocol/frames.ts'
import { deviceTranscript } from '../../src/protocol/handshake.ts'
import { limits } from '../../src/protocol/limits.ts'
import { certificateMailbox, conversationOf } from '../../src/protocol/names.ts'
import { deviceIdOf, type RecordHeader } from '../../src/protocol/records.ts'
import { seal } from '../../src/protocol/sealed.ts'
import { fastSigner, keyPairFromSeed, type KeyPair, sha256 } from '../../src/protocol/signing.ts'
import { eventually } from '../eventually.ts'
import { MemoryGroupLedger, MemoryLedgerState } from '../memory-group-ledger.ts'
import { MemoryNetwork, type MemoryTransport } from '../memory-transport.ts'
import { ManualClock } from './gateway-clock.ts'

export const keyFor = (name: string): KeyPair => keyPairFromSeed(sha256(Buffer.from(`key of ${name}`)))
/** UUIDv7-shaped ids that count up. */
let ids = 0
export const nextId = (): string => `01900000-0000-7000-8000-${(++ids).toString(16).padStart(12, '0')}`

export interface NodePlan {
  name: string
  roles: Role[]
  authority?: boolean
}

export interface WorldOptions {
  nodes: NodePlan[]
  clock?: Clock
  gateway?: GatewayOptions
  groups?: GroupOptions
  /** Where group nodes keep what must last: on the stores, or in memory where tests put their hands in it. */
  ledger?: 'homes' | 'memory'
  /** Peer names of the stores in use; all nodes with the role when absent. */
  homes?: string[]
}

export class TestNode {
  readonly name: string
  readonly transport: MemoryTransport
  readonly view: ClusterViewKeeper
  readonly mailboxes: Mailboxes
  readonly disk = new MemoryDisk()
  readonly blobs = new MemoryBlobs()
  readonly listener: TestListener
  readonly gateway: GatewayService | undefined
  readonly router: RouterService | undefined
  readonly groups: GroupService | undefined
  readonly ledger: GroupLedgerPort | undefined
  readonly store: StoreService | undefined
  readonly group: ServiceGroup

  constructor(world: World, { name, roles }: NodePlan) {
    this.name = name
    this.listener = new TestListener(name)
    this.transport = world.network.transport(name)
    const { clock } = world
    const base = { transport: this.transport, clock, log: silentLogger }
    this.view = new ClusterViewKeeper({ ...base, cluster: world.cluster, initial: world.signed, persist: () => {} })
    const ports = { ...base, view: this.view, random: systemRandom }
    this.mailboxes = new Mailboxes(ports)
    const services: Service[] = [this.view]
    if (roles.includes('store'))
      services.push(
        (this.store = new StoreService(
          { ...ports, disk: this.disk },
          { repairEveryMs: clock instanceof ManualClock ? 1_000 : 20 },
        )),
      )
    if (this.store) {
      const options = { repairEveryMs: 1_000, collectEveryMs: 60_000 }
      services.push(new MediaService({ ...ports, disk: this.disk, blobs: this.blobs }, options))
    }
    if (roles.includes('router')) services.push((this.router = new RouterService(ports)))
    if (roles.includes('group')) {
      this.ledger =
        world.options.ledger === 'homes'
          ? new GroupLedger(ports, this.mailboxes.homes)
          : new MemoryGroupLedger(world.ledger, clock)
      const groupPorts = { ...ports, ledger: this.ledger, mailboxes: this.mailboxes }
      services.push((this.groups = new GroupService(groupPorts, world.options.groups)))
    }
    if (roles.includes('gateway')) {
      const identity = identityOf(name)
      const gatewayPorts = { ...ports, identity, listener: this.listener, mailboxes: this.mailboxes }
      services.push((this.gateway = new GatewayService(gatewayPorts, world.options.gateway)))
    }
    this.group = new ServiceGroup(services, { clock, log: silentLogger })
  }
}

export class World {
  readonly options: WorldOptions
  readonly network: MemoryNetwork
  readonly clock: Clock
  readonly authority = keyFor('authority')
  /** What group nodes keep in memory, if they do. */
  readonly ledger = new MemoryLedgerState()
  readonly nodes = new Map<string, TestNode>()
  #clients: TestClient[] = []
  static readonly #running = new Set<World>()
  signed: SignedMap

  private constructor(options: WorldOptions) {
    this.options = options
    this.clock = options.clock ?? systemClock
    this.network = new MemoryNetwork(this.clock)
    this.signed = this.sign(1)
  }

  static async start(options: WorldOptions): Promise<World> {
    const world = new World(options)
    World.#running.add(world)
    for (const plan of options.nodes) world.nodes.set(plan.name, new TestNode(world, plan))
    world.network.connectAll()
    for (const node of world.nodes.values()) await node.group.start()
    await eventually(() => world.#isReadable())
    return world
  }

  /** New homes reconcile with each other before they may be read. */
  async #isReadable(): Promise<boolean> {
    if (this.clock instanceof ManualClock) await this.clock.advance(100)
    return [...this.nodes.values()].every(({ store }) => store === undefined || store.status().state === 'up')
  }

  /** A write is answered once it is on W homes; this waits for the last one too. */
  areHomesEqual(): Promise<boolean> {
    const counts = (): number[] => [...this.nodes.values()].flatMap(({ store }) => store?.status().records ?? [])
    return eventually(() => new Set(counts()).size === 1, { what: 'all homes have the same' })
  }

  get cluster(): string {
    return toHex(this.authority.publicKey)
  }

  /** The first map with these changes, signed. */
  sign(epoch: number, change: Partial<ClusterMap> = {}): SignedMap {
    const nodes = this.options.nodes.map(
      ({ name, roles, authority = false }): MapNode => ({
        peer: name,
        key: toBase64(keyFor(name).publicKey),
        name,
        roles,
        weight: 1,
        addresses: [],
        ...(authority ? { authority } : {}),
      }),
    )
    const stores = nodes.filter((node) => node.roles.includes('store')).map((node) => node.peer)
    const map: ClusterMap = {
      cluster: this.cluster,
      epoch,
      nodes,
      homes: { current: homeSet(this.options.homes ?? stores) },
      retentionMs: limits.defaultRetentionMs,
      revocations: [],
      ...change,
    }
    return signMap(map, fastSigner(this.authority.secretKey))
  }

  node(name: string): TestNode {
    const node = this.nodes.get(name)
    if (!node) throw new Error(`there is no node ${name}`)
    return node
  }

  gateway(name: string): GatewayService {
    const { gateway } = this.node(name)
    if (!gateway) throw new Error(`${name} is no gateway`)
    return gateway
  }

  /** A certificate of a device of the user, not yet in any mailbox. */
  certify(
    user: string,
    device: string,
    change: { exp?: number; key?: Uint8Array; authority?: KeyPair } = {},
  ): TestDevice {
    const key = keyFor(`${user}/${device}`)
    const publicKey = change.key ?? key.publicKey
    const authority = change.authority ?? this.authority
    const cluster = toHex(authority.publicKey)
    const at = this.clock.now()
    const header = { k: 'cert' as const, id: nextId(), user, dev: deviceIdOf(publicKey), serial: 1, at }
    const exp = change.exp ?? at + limits.certificateMs
    const signer = fastSigner(authority.secretKey)
    const sealed = makeCertificate(cluster, { ...header, key: toBase64(publicKey), exp }, signer)
    return { user, key, sealed, sign: fastSigner(key.secretKey) }
  }

  /** Registers a device: its certificate is on W homes. */
  async register(user: string, device = 'phone'): Promise<TestDevice> {
    const made = this.certify(user, device)
    const { mailboxes } = this.writer()
    await mailboxes.append({ mailboxes: [certificateMailbox(user)], sealed: made.sealed, acceptedAt: this.clock.now() })
    return made
  }

  /** A node that writes like the authority's. */
  writer(): TestNode {
    const plan = this.options.nodes.find(({ authority }) => authority) ?? this.options.nodes[0]
    return this.node(plan?.name ?? '')
  }

  /** A socket at a gateway, not authenticated. */
  connect(gateway: string): TestClient {
    const client = new TestClient(this, gateway)
    this.#clients.push(client)
    return client
  }

  /** A session of the device at a gateway. */
  async login(device: TestDevice, gateway: string): Promise<TestClient> {
    const client = this.connect(gateway)
    await client.login(device)
    return client
  }

  /** After each test, also one that failed. */
  static async stopAll(): Promise<void> {
    for (const world of World.#running) await world.stop()
  }

  async stop(): Promise<void> {
    World.#running.delete(this)
    for (const client of this.#clients) client.drop()
    for (const node of [...this.nodes.values()].reverse()) await node.group.stop()
  }
}

export interface TestDevice {
  user: string
  key: KeyPair
  sealed: Buffer
  sign: (message: Uint8Array) => Uint8Array
}

const identityOf = (name: string): NodeIdentity => {
  const { publicKey, secretKey } = keyFor(name)
  return { peer: name, publicKey, sign: fastSigner(secretKey) }
}

type OnSocket = Parameters<ClientListener['start']>[0]

class TestListener implements ClientListener {
  readonly #name: string
  #onSocket: OnSocket | undefined
  isAccepting = false
  /** What a client would ask over HTTP. */
  onRequest: ClientRequestHandler | undefined

  constructor(name: string) {
    this.#name = name
  }

  async start(onSocket: OnSocket, onRequest?: ClientRequestHandler): Promise<{ url: string }> {
    this.#onSocket = onSocket
    this.onRequest = onRequest
    this.isAccepting = true
    return { url: `ws://${this.#name}` }
  }
  stopAccepting(): void {
    this.isAccepting = false
  }
  async stop(): Promise<void> {
    this.#onSocket = undefined
  }
  accept(client: TestClient): ClientSocketHandlers {
    if (!this.#onSocket || !this.isAccepting) throw new Error('the gateway takes no connections')
    return this.#onSocket(client)
  }
}

export type Frame = { t: string; id?: number } & Record<string, unknown>

/** A socket and the client behind it. */
export class TestClient {
  readonly remote = 'test'
  readonly frames: Frame[] = []
  readonly world: World
  readonly gatewayName: string
  device: TestDevice | undefined
  /** Set by tests: what the client has not read yet. */
  bufferedBytes = 0
  closedWith: { code: number; reason: string } | undefined
  isAuthenticated = false
  readonly #handlers: ClientSocketHandlers
  readonly #waiting = new Map<number, (frame: Frame) => void>()
  readonly #sequences = new Map<string, number>()
  #lastId = 0

  constructor(world: World, gatewayName: string) {
    this.world = world
    this.gatewayName = gatewayName
    this.#handlers = world.node(gatewayName).listener.accept(this)
  }

  // ---- the socket's side, called by the gateway
  send(text: string): void {
    const frame = JSON.parse(text) as Frame // made by the gateway
    this.frames.push(frame)
    if (frame.id !== undefined) this.#waiting.get(frame.id)?.(frame)
  }
  close(code: number, reason: string): void {
    this.closedWith ??= { code, reason }
    setImmediate(() => this.drop())
  }
  authenticated(): void {
    this.isAuthenticated = true
  }

  // ---- the client's side
  drop(): void {
    this.#handlers.closed()
  }
  raw(text: string): void {
    this.#handlers.message(text)
  }
  /** Sends a request and resolves with its answer, an error frame too. */
  request(t: ClientFrameType, fields: Record<string, unknown> = {}): Promise<Frame> {
    const id = ++this.#lastId
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.raw(JSON.stringify({ t, id, ...fields }))
    })
  }

  async hello(device: TestDevice, nonce = toBase64(systemRandom.bytes(32))): Promise<Frame> {
    return this.request('auth.hello', { certificate: toBase64(device.sealed), nonce })
  }
  certificate(device: TestDevice): Certificate {
    return openCertificate(device.sealed, this.world.cluster)
  }
  capability(device: TestDevice, change: { gateway?: string; expiresAt?: number } = {}): Buffer {
    return makeCapability({
      cluster: this.world.cluster,
      certificate: this.certificate(device),
      gateway: change.gateway ?? this.gatewayName,
      expiresAt: change.expiresAt ?? this.world.clock.now() + limits.capabilityMs,
      sign: device.sign,
    })
  }
  prove(
    device: TestDevice,
    challenge: Frame,
    clientNonce: string,
    change: Record<string, string> = {},
  ): Promise<Frame> {
    const { user, dev } = this.certificate(device)
    const transcript = {
      cluster: this.world.cluster,
      gateway: String(challenge.gateway),
      user,
      device: dev,
      clientNonce,
      gatewayNonce: String(challenge.nonce),
    }
    const signature = toBase64(device.sign(deviceTranscript(transcript)))
    return this.request('auth.prove', { signature, capability: toBase64(this.capability(device)), ...change })
  }
  async login(device: TestDevice): Promise<Frame> {
    const nonce = toBase64(systemRandom.bytes(32))
    const challenge = await this.hello(device, nonce)
    if (challenge.t !== 'auth.challenge') throw new Error(JSON.stringify(challenge))
    const welcome = await this.prove(device, challenge, nonce)
    if (welcome.t !== 'auth.welcome') throw new Error(JSON.stringify(welcome))
    this.device = device
    return welcome
  }

  /** A signed message of this client's device. */
  message(to: string, text: string, change: Partial<RecordHeader> & { id?: string } = {}): Buffer {
    const device = this.#loggedIn()
    const seq = (this.#sequences.get(to) ?? 0) + 1
    this.#sequences.set(to, seq)
    const conv = conversationOf(device.user, to)
    const from = {
      id: nextId(),
      from: device.user,
      dev: deviceIdOf(device.key.publicKey),
      to,
      at: this.world.clock.now(),
    }
    return this.seal({ k: 'msg', ...from, conv, seq, ct: 'chat/1', ...change }, encodeContent({ text }))
  }
  seal(header: { k: string } & Record<string, unknown>, body: Uint8Array = new Uint8Array(0)): Buffer {
    return seal({ cluster: this.world.cluster, header, body, sign: this.#loggedIn().sign })
  }
  put(sealed: Uint8Array): Promise<Frame> {
    return this.request('record.put', { record: toBase64(sealed) })
  }
  async say(to: string, text: string): Promise<Frame> {
    return this.put(this.message(to, text))
  }
  openFeed(cursors: Record<string, unknown> = {}): Promise<Frame> {
    return this.request('feed.open', { cursors })
  }

  ofType(t: string): Frame[] {
    return this.frames.filter((frame) => frame.t === t)
  }
  /** Sealed bytes of every record that was pushed, in base64. */
  pushed(): string[] {
    return this.ofType('record.push').flatMap((frame) =>
      (frame.records as [string, number][]).map(([sealed]) => sealed),
    )
  }
  /** Record keys (hex) of every page, by home. */
  pagedKeys(): Map<string, string[]> {
    const found = new Map<string, string[]>()
    for (const page of this.ofType('feed.page')) {
      const keys = toHex(fromBase64(String(page.keys))).match(/.{64}/g) ?? []
      found.set(String(page.home), [...(found.get(String(page.home)) ?? []), ...keys])
    }
    return found
  }

  #loggedIn(): TestDevice {
    if (!this.device) throw new Error('not logged in')
    return this.device
  }
}

/** One gateway, three routers and three stores, each a node of its own. */
export const cluster = (gateways = 1): NodePlan[] => [
  { name: 'router-1', roles: ['router'], authority: true },
  { name: 'router-2', roles: ['router'] },
  { name: 'router-3', roles: ['router'] },
  ...['store-1', 'store-2', 'store-3'].map((name): NodePlan => ({ name, roles: ['store'] })),
  ...Array.from({ length: gateways }, (_, i): NodePlan => ({ name: `gateway-${i + 1}`, roles: ['gateway'] })),
]
/** One process that is everything. */
export const single: NodePlan[] = [{ name: 'all', roles: ['gateway', 'router', 'store'], authority: true }]
