// The simulated cluster of one run: every node, device, wire, disk and clock, made from a scenario; and what was seen of it.
import { silentLogger, type Logger } from '../../src/platform/ports.ts'
import { asChatError, ChatError } from '../../src/protocol/errors.ts'
import { mediaHomesOf } from '../../src/node/replication/placement.ts'
import { type ClusterMap, mediaHomes, type Role } from '../../src/protocol/cluster-map.ts'
import { idFromBytes } from '../../src/protocol/records.ts'
import { devicesIn, lateStores, rolesOf } from './cast.ts'
import type { SeenVersion } from './checker.ts'
import { SimDevice } from './device.ts'
import { SimDisk } from './disk.ts'
import { AUTHORITY, firstMap } from './first-map.ts'
import { FrameTap } from './frame-tap.ts'
import { History } from './history.ts'
import { holdsDigest, livePins, pinsOn } from './homes.ts'
import { hostileUsers } from './hostile.ts'
import { Liar } from './liar.ts'
import { LyingHome } from './lying-home.ts'
import { Network } from './network.ts'
import { SimNode, type NodeWorld } from './node.ts'
import { SeededRandom } from './random.ts'
import { type IntrusionKind, LIAR, nodeNames, type Scenario } from './scenario.ts'
import { runLog } from './run-log.ts'
import { Scheduler } from './scheduler.ts'
import { Sockets } from './sockets.ts'

const ASK_AGAIN_MS = 500
/** Longer than a home takes to throw a blob away once it has decided to. */
const REMOVAL_MS = 1_500
/** Hours and days, made short. */
const FILE_TIMES = { unpinnedMs: 5_000, collectEveryMs: 1_000 }

export interface Defect {
  proc: string
  error: string
}

export class SimCluster {
  readonly scenario: Scenario
  readonly random: SeededRandom
  readonly scheduler: Scheduler
  readonly history: History
  readonly network: Network
  readonly sockets: Sockets
  readonly tap: FrameTap
  readonly nodes = new Map<string, SimNode>()
  readonly devices = new Map<string, SimDevice>()
  /** Stores that joined later. */
  readonly added = new Set<string>()
  /** Homes that lost something: at most one, or nobody could give it back. */
  readonly damaged = new Set<string>()
  readonly defects: Defect[] = []
  /** Messages that were found on enough disks once. */
  readonly knownDurable = new Set<string>()
  readonly log: string[] = []
  isHealed = false
  #liar: Liar | undefined
  /** Ids of what users signed for a home that lies. */
  readonly #hostile: string[] = []
  #enrolled = 0
  /** Stores that the operator is taking out. */
  readonly #leaving = new Set<string>()
  readonly #sentAt = new Map<string, number>()

  constructor(scenario: Scenario, { keepLog = false }: { keepLog?: boolean } = {}) {
    this.scenario = scenario
    this.random = new SeededRandom(`run ${scenario.seed}`)
    this.scheduler = new Scheduler((error) => this.defect('world', error))
    this.history = new History(() => this.scheduler.now)
    this.tap = new FrameTap({
      history: this.history,
      now: () => this.scheduler.now,
      isAnywhere: (digest) => this.isAnywhere(digest),
      isKept: (client, key) => this.devices.get(client)?.holds(key) === true,
    })
    const { scheduler } = this
    const times = scenario.network
    this.network = new Network({
      scheduler,
      random: this.random.fork('network'),
      times: { ...times, dialMs: 400 },
      noise: { notifyLoss: times.notifyLoss, duplicates: times.duplicates },
      onDefect: (error) => this.defect('network', error),
    })
    this.sockets = new Sockets({ scheduler, random: this.random.fork('sockets'), times, tap: this.tap })
    const log = keepLog ? runLog(() => scheduler.now, this.log) : (): Logger => silentLogger
    this.#build({
      scheduler,
      random: this.random,
      network: this.network,
      sockets: this.sockets,
      log,
      onDefect: (proc, error) => this.defect(proc, error),
      ...(scenario.hasFiles ? { media: FILE_TIMES } : {}),
      onRemovedBlob: (node, blob) => this.#removedBlob(node, blob),
    })
  }

  /** What a home throws away that is another's by now is nobody's loss. */
  #removedBlob(name: string, blob: string): void {
    const node = this.nodes.get(name)
    if (!node || !mediaHomesOf(node.map.map, blob).all.includes(name)) return
    // By the map it decided under: its row goes first, and that takes an fsync.
    const decided = node.mapsSince(this.scheduler.now - REMOVAL_MS * node.disk.slowest)
    const isFinal = decided.some((map) => mediaHomes(map).next === undefined)
    const { live, ended } = pinsOn(node, blob)
    this.history.add({ op: 'collect', type: 'ok', proc: name, blob, pins: live.length, ended, isFinal })
  }

  /** Something threw that nobody expects to throw. */
  defect(proc: string, error: unknown): void {
    if (error instanceof ChatError && error.code !== 'INTERNAL') return
    const cause = asChatError(error).cause
    this.defects.push({ proc, error: (cause instanceof Error ? cause.stack : undefined) ?? String(error) })
  }

  get clusterId(): string {
    return this.newestMap().cluster
  }
  gatewayUrls(): string[] {
    return nodeNames('gateway', this.scenario.gateways).map((name) => `ws://${name}`)
  }
  users(): string[] {
    return [...new Set([...this.devices.values()].map(({ user }) => user))]
  }

  /** Everybody starts; devices enrol, the first of each user by registration, the others by linking. */
  boot(): void {
    const present = [...this.nodes.values()].filter(({ name }) => this.isAdded(name))
    for (const node of present) void node.start()
    for (const user of this.users()) {
      const [first, ...others] = [...this.devices.values()].filter((device) => device.user === user && !device.isLate)
      const enrolAll = async (): Promise<void> => {
        await first?.enrol()
        for (const other of others) await other.enrol(first)
        this.#enrolled += 1 + others.length
      }
      enrolAll().catch((error: unknown) => this.defects.push({ proc: user, error: String(error) }))
    }
  }
  get isBooted(): boolean {
    return this.#enrolled === [...this.devices.values()].filter((device) => !device.isLate).length
  }
  bootProblem(): string {
    const waiting = [...this.nodes.values()].filter((node) => this.isAdded(node.name) && !node.isServing)
    return `${this.#enrolled} of ${this.devices.size} devices, without ${waiting.map(({ name }) => name).join(', ') || 'no node'}`
  }

  /** Everything works from now on: links, disks, processes. */
  heal(): void {
    this.isHealed = true
    Object.assign(this.network.options.noise, { notifyLoss: 0, duplicates: 0 })
    this.network.healAll()
    this.sockets.healAll()
    for (const name of lateStores(this.scenario)) this.added.add(name)
    for (const node of this.nodes.values()) {
      Object.assign(node.disk, { isFull: false, slowness: 1 })
      node.resume()
      void node.start()
    }
    for (const device of this.devices.values()) if (!device.isLate) void device.start()
  }

  /** Asks the authority until it is done, then ends the node, as an operator would. */
  async removeStore(name: string): Promise<void> {
    const node = this.nodes.get(name)
    if (!node) return
    this.#leaving.add(name)
    for (let isRemoved = false; !isRemoved; ) {
      await new Promise<void>((resolve) => void this.scheduler.after(ASK_AGAIN_MS, resolve))
      isRemoved = await this.#isRemoved(name)
    }
    this.#leaving.delete(name)
    await node.retire()
  }

  async #isRemoved(name: string): Promise<boolean> {
    const auth = this.nodes.get('router-1')?.services?.auth
    if (!auth) return false
    try {
      // The authority may die over it; then the next one is asked.
      const later = new Promise<undefined>((resolve) => void this.scheduler.after(5_000, () => resolve(undefined)))
      return (await Promise.race([auth.removeNode(name), later]))?.removed === true
    } catch (error) {
      this.defect('router-1', error)
      return false
    }
  }

  /** What is still under way, so that it is too early to judge. */
  unfinished(): string[] {
    const { homes } = this.newestMap()
    return [
      ...[...this.#leaving].map((name) => `the removal of ${name}`),
      ...[...this.devices.values()].filter((device) => !device.isUp).map(({ name }) => `the start of ${name}`),
      ...(homes.next ? ['a change of the homes'] : []),
      ...[...this.nodes.values()]
        .filter((node) => !node.isServing && !node.isRetired)
        .map(({ name }) => `the start of ${name}`),
    ]
  }

  /** Nothing runs any more. */
  end(): void {
    for (const node of this.nodes.values()) node.kill('power')
    for (const device of this.devices.values()) device.kill('power')
  }

  isAdded(node: string): boolean {
    return !lateStores(this.scenario).includes(node) || this.added.has(node)
  }

  /** The newest map that any node has. */
  newestMap(): ClusterMap {
    const maps = [...this.nodes.values()].map((node) => node.map)
    const newest = maps.reduce((a, b) => (b.map.epoch > a.map.epoch ? b : a))
    return newest.map
  }

  /** Does any home hold the record with this digest (hex), durably or not? */
  isAnywhere(digest: string): boolean {
    return [...this.nodes.values()].some((node) => node.is.roles.includes('store') && holdsDigest(node, digest))
  }

  /** When a message was first sent; 0 for one that nobody sent. */
  sentAt(id: string): number {
    return this.#sentAt.get(id) ?? 0
  }
  noteSent(id: string): void {
    if (!this.#sentAt.has(id)) this.#sentAt.set(id, this.scheduler.now)
  }

  forge(from: string, to: string): void {
    const device = [...this.devices.values()].find(({ user }) => user === from)?.deviceId
    if (this.#liar && device) this.#liar.forge({ from, to, device, seen: this.tap.pickStored(this.random) })
  }
  /** The liar tells the homes of attachments that somebody deleted a message, of which it knows all that a gateway knows. */
  forgeDeletion(): void {
    const sends = this.history.of('send').filter(({ to }) => !to.startsWith('#'))
    const pins = [...this.nodes.values()].flatMap((node) => livePins(node))
    const known = pins.flatMap((pin) => {
      const sent = sends.find(({ id }) => id === idFromBytes(pin.message))
      return sent ? [{ ...pin, from: sent.user, to: sent.to }] : []
    })
    const [device] = this.devices.values()
    if (this.#liar && known.length > 0 && device?.deviceId)
      this.#liar.forgeDeletion({ ...this.random.pick(known), device: device.deviceId })
  }
  /** What the user of this device may not do in the group, with the liar's help. */
  intrude(name: string, newest: SeenVersion, what: IntrusionKind): void {
    const device = this.devices.get(name)
    if (this.#liar && device?.deviceId)
      this.#liar.intrude({ name, user: device.user, id: device.deviceId }, newest, what)
  }
  get intruded(): string[] {
    return this.#liar?.intruded ?? []
  }
  get forged(): string[] {
    return [...(this.#liar?.forged ?? []), ...this.#hostile]
  }

  #build(world: NodeWorld): void {
    const { stores, skewMs, hasLiar, disk: times } = this.scenario
    const roles = rolesOf(this.scenario)
    const map = firstMap([...roles, ...(hasLiar ? [[LIAR, ['gateway', 'router']] as [string, Role[]]] : [])], stores)
    for (const [peer, own] of roles) {
      const disk = new SimDisk(world.random.fork(`disk ${peer}`), times)
      const parts = { world, disk, machine: { skewMs: skewMs[peer] ?? 0 }, map }
      const lies = peer === this.scenario.lyingHome ? { liesBy: this.#lyingHome(world.random) } : {}
      const is = { peer, roles: own, ...(peer === 'router-1' ? { authorityKey: AUTHORITY } : {}), ...lies }
      this.nodes.set(peer, new SimNode(is, parts))
    }
    if (hasLiar)
      this.#liar = new Liar(world, { map: () => this.nodes.get('router-1')?.map ?? map, users: () => this.users() })
    for (const name of devicesIn(this.scenario)) {
      const disk = new SimDisk(world.random.fork(`disk ${name}`), times)
      const machine = { skewMs: skewMs[name] ?? 0 }
      this.devices.set(name, new SimDevice(name, { cluster: this, world, disk, machine }))
    }
  }

  #lyingHome(random: SeededRandom): LyingHome {
    return new LyingHome(random.fork('lying home'), hostileUsers(this, random.fork('hostile users'), this.#hostile))
  }
}
