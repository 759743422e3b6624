// The machines of one run: homes and coordinators, and what happens to them. Processes die and come back, disks come back empty,
// links are cut, machines stand still; the set of homes changes by a joint and a final epoch.
import type { ClusterMap, HomeSet } from '../../src/protocol/cluster-map.ts'
import { homeSet } from '../../src/protocol/cluster-map.ts'
import { groupMailbox } from '../../src/protocol/names.ts'
import { shardOf } from '../../src/node/replication/placement.ts'
import { Life } from '../sim/life.ts'
import { SeededRandom } from '../sim/random.ts'
import { Scheduler } from '../sim/scheduler.ts'
import { Coordinator } from './coordinator.ts'
import { History } from './history.ts'
import { emptyDisk, type HomeDisk, SimHome } from './home.ts'
import { Peers } from './peers.ts'
import type { Scenario } from './scenario.ts'
import { MapView } from './view.ts'

/** How long a joint epoch waits for its homes before it is taken back. */
const JOINT_MS = 6_000
const LOOK_MS = 100

interface Machine {
  life: Life
  abort: AbortController
  epoch: number
}

export class World {
  readonly scheduler: Scheduler
  readonly history: History
  readonly defects: string[] = []
  readonly scenario: Scenario
  readonly maps: ClusterMap[]
  readonly homes = new Map<string, SimHome>()
  readonly coordinators = new Map<string, Coordinator>()
  readonly #random: SeededRandom
  readonly #peers: Peers
  readonly #machines = new Map<string, Machine>()
  readonly #disks = new Map<string, HomeDisk>()
  readonly #views = new Map<string, MapView>()
  readonly #shards: number[]
  #isHealed = false

  constructor(scenario: Scenario) {
    this.scenario = scenario
    this.scheduler = new Scheduler((error) => this.defect(error))
    this.history = new History(() => this.scheduler.now)
    this.#random = new SeededRandom(`register/${scenario.seed}`)
    this.#peers = new Peers(this.scheduler, this.#random.fork('net'), scenario.weather)
    this.#shards = [
      ...new Set([...scenario.groups.map(groupMailbox), ...scenario.names.map((name) => `n:${name}`)].map(shardOf)),
    ]
    this.maps = [this.#map(1, homeSet(scenario.homes))]
    for (const name of [...scenario.homes, ...scenario.spares]) {
      this.#disks.set(name, emptyDisk(this.#random.fork(`${name}/disk/1`), 1))
      this.start(name)
    }
    for (const name of scenario.coordinators) this.start(name)
  }

  defect(error: unknown): void {
    this.defects.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }

  get map(): ClusterMap {
    const map = this.maps.at(-1)
    if (!map) throw new Error('there is no map')
    return map
  }

  isRunning(name: string): boolean {
    return this.#machines.has(name)
  }

  start(name: string): void {
    if (this.#machines.has(name)) return
    const life = new Life(this.scheduler, { skewMs: 0 })
    const abort = new AbortController()
    // The map is in a file of its own, which nobody loses here.
    const view = new MapView(this.maps, this.#views.get(name)?.current().map.epoch ?? 1)
    this.#views.set(name, view)
    this.#machines.set(name, { life, abort, epoch: 1 })
    const random = this.#random.fork(`${name}/${this.scheduler.now}`)
    const parts = { name, life, peers: this.#peers, view, random }
    const disk = this.#disks.get(name)
    if (disk) {
      const home = new SimHome({ ...parts, disk, shards: this.#shards })
      this.homes.set(name, home)
      home.start(abort.signal).catch((error: unknown) => this.defect(error))
    } else {
      const coordinator = new Coordinator({ ...parts, history: this.history })
      this.coordinators.set(name, coordinator)
      coordinator.start(abort.signal)
    }
  }

  kill(name: string): void {
    const machine = this.#machines.get(name)
    if (!machine) return
    machine.life.kill('power')
    this.#machines.delete(name)
    this.homes.delete(name)
    this.coordinators.delete(name)
  }

  /** One disk at a time: what was on the last one is read back by now. */
  mayLose(name: string): boolean {
    const { current } = this.map.homes
    const isWhole = (peer: string): boolean => {
      const facts = this.#disks.get(peer)?.facts
      return facts !== undefined && facts.feed === facts.ledgerFeed
    }
    return current.peers.length > 1 && current.peers.every((peer) => peer === name || isWhole(peer))
  }

  /** The machine comes back with nothing on its disk. */
  wipe(name: string): void {
    this.kill(name)
    this.#disks.set(name, emptyDisk(this.#random.fork(`${name}/disk/${this.scheduler.now}`), 1))
    this.start(name)
  }

  pause(name: string, ms: number): void {
    const life = this.#machines.get(name)?.life
    life?.pause()
    this.scheduler.after(ms, () => life?.resume())
  }

  cut(a: string, b: string, isBothWays: boolean): void {
    this.#peers.cut(a, b)
    if (isBothWays) this.#peers.cut(b, a)
  }

  slow(from: string, to: string, ms: number): void {
    this.#peers.slow(from, to, ms)
  }

  mend(): void {
    this.#peers.heal()
  }

  heal(): void {
    this.#isHealed = true
    this.#peers.heal()
    this.#peers.weather = { ...this.#peers.weather, loss: 0, worstMs: 5 }
    for (const { life } of this.#machines.values()) life.resume()
    for (const name of [...this.scenario.homes, ...this.scenario.spares, ...this.scenario.coordinators])
      this.start(name)
  }

  /** As the authority does it: a joint epoch, and the final one when every home of the new set has what the old ones decided. */
  replace(peers: string[]): void {
    const { homes, epoch } = this.map
    if (homes.next) return
    const next = homeSet(peers)
    this.#publish(this.#map(epoch + 1, homes.current, next))
    const deadline = this.scheduler.now + JOINT_MS
    const look = (): void => {
      const isReady = next.peers.every((peer) => this.homes.get(peer)?.isReconciledAt(epoch + 1))
      if (isReady) return this.#publish(this.#map(epoch + 2, next))
      if (this.scheduler.now > deadline) return this.#publish(this.#map(epoch + 2, homes.current))
      this.scheduler.after(LOOK_MS, look)
    }
    this.scheduler.after(LOOK_MS, look)
  }

  get isHealed(): boolean {
    return this.#isHealed
  }

  #map(epoch: number, current: HomeSet, next?: HomeSet): ClusterMap {
    const homes = next ? { current, next } : { current }
    return { cluster: '', epoch, nodes: [], homes, retentionMs: 1e12, revocations: [] }
  }

  /** Everybody hears of it by and by; who does not is told by an answer. */
  #publish(map: ClusterMap): void {
    this.maps.push(map)
    this.history.fault(
      `epoch ${map.epoch}: ${map.homes.current.peers.join()}${map.homes.next ? ` + ${map.homes.next.peers.join()}` : ''}`,
    )
    const sealed = Buffer.from(String(map.epoch))
    for (const name of this.#machines.keys()) {
      const ms = this.#random.chance(0.2) ? 2_000 : this.#random.float() * 100
      this.scheduler.after(ms, () => this.#views.get(name)?.adopt(sealed))
    }
  }
}
