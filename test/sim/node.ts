// One node of the simulated cluster: the machine with its disk, clock and map, and the runs of its process with the real services.
import { ClusterViewKeeper } from '../../src/node/core/cluster-view.ts'
import type { MediaOptions } from '../../src/node/media/media-service.ts'
import { ServiceGroup } from '../../src/node/core/service.ts'
import { buildServices, type NodeServices } from '../../src/node/roles.ts'
import { type Logger } from '../../src/platform/ports.ts'
import { type ClusterMap, nodeOf, openMap, type Role, type SignedMap } from '../../src/protocol/cluster-map.ts'
import type { SimDisk } from './disk.ts'
import { keyOf } from './keys.ts'
import { Life, type Machine } from './life.ts'
import type { LyingHome } from './lying-home.ts'
import type { Network } from './network.ts'
import type { SeededRandom } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { Sockets } from './sockets.ts'

export interface NodeWorld {
  scheduler: Scheduler
  random: SeededRandom
  network: Network
  sockets: Sockets
  log: (proc: string) => Logger
  onDefect: (proc: string, error: unknown) => void
  /** When attachments are sent: shorter times than days. */
  media?: MediaOptions
  /** A whole one, by whatever rule. */
  onRemovedBlob: (node: string, blob: string) => void
}
export interface NodeIs {
  peer: string
  roles: Role[]
  /** Its name if it holds the authority's key. */
  authorityKey?: string
  liesBy?: LyingHome
}
interface Run {
  group: ServiceGroup
  built: NodeServices
  /** Every service has started. */
  isServing: boolean
}

/** A process that could not start is started again by whoever looks after it. */
const START_AGAIN_MS = 1_000

export class SimNode {
  readonly is: NodeIs
  readonly disk: SimDisk
  readonly machine: Machine
  readonly #world: NodeWorld
  #map: SignedMap
  /** Every map that it had, with the time from which it had it. */
  readonly #maps: { map: ClusterMap; from: number }[] = []
  /** Of the last process. */
  #life: Life | undefined
  #run: Run | undefined
  #runs = 0
  /** Told to stay down: a start that fails is not tried again. */
  #isWanted = false
  #isRetired = false

  constructor(is: NodeIs, parts: { world: NodeWorld; disk: SimDisk; machine: Machine; map: SignedMap }) {
    this.is = is
    this.#world = parts.world
    this.disk = parts.disk
    this.machine = parts.machine
    this.#map = parts.map
    this.#maps.push({ map: parts.map.map, from: 0 })
  }

  get name(): string {
    return this.is.peer
  }
  get isUp(): boolean {
    return this.#life?.isDead === false
  }
  get isPaused(): boolean {
    return this.#life?.isPaused === true
  }
  get isServing(): boolean {
    return this.isUp && this.#run?.isServing === true
  }
  get services(): NodeServices | undefined {
    return this.isUp ? this.#run?.built : undefined
  }
  /** The newest map that it has on disk. */
  get map(): SignedMap {
    return this.#map
  }

  /** The maps that were its newest at that time or later. */
  mapsSince(time: number): ClusterMap[] {
    return this.#maps.filter((_, i) => (this.#maps[i + 1]?.from ?? Infinity) > time).map(({ map }) => map)
  }

  async start(): Promise<void> {
    if (this.#isRetired) return
    this.#isWanted = true
    if (this.isUp) return
    const { scheduler, network, sockets, log, onDefect } = this.#world
    const { peer, roles, authorityKey } = this.is
    const life = new Life(scheduler, this.machine)
    this.#life = life
    this.#run = undefined
    const random = this.#world.random.fork(`node ${peer} ${this.#runs++}`)
    const { clock } = life
    const attached = network.attach({ peer, life, knows: (other) => nodeOf(this.#map.map, other) !== undefined })
    const transport = this.is.liesBy?.transport(attached) ?? attached
    const logger = log(peer)
    const cluster = this.#map.map.cluster
    const view = new ClusterViewKeeper({
      cluster,
      initial: this.#map,
      persist: (sealed) => {
        if (life.isDead) return
        this.#map = openMap(sealed, cluster)
        this.#maps.push({ map: this.#map.map, from: scheduler.now })
      },
      transport,
      clock,
      log: logger,
    })
    view.watch(() => network.consider(peer))
    const disk = this.disk.for(life)
    const key = keyOf(peer)
    const built = buildServices(
      roles,
      {
        transport,
        view,
        clock,
        random,
        disk,
        blobs: this.disk.blobsFor(life, (blob) => this.#world.onRemovedBlob(peer, blob)),
        identity: { peer, publicKey: key.publicKey, sign: key.sign },
        log: logger,
        ...(roles.includes('gateway') ? { listener: sockets.listener(peer, life) } : {}),
        ...(authorityKey
          ? { authority: { keyPair: keyOf(authorityKey), database: await disk.openDatabase('authority') } }
          : {}),
      },
      { auth: { openRegistration: true }, ...(this.#world.media ? { media: this.#world.media } : {}) },
    )
    const group = new ServiceGroup([view, ...built.services], { clock, log: logger })
    const run = { group, built, isServing: false }
    this.#run = run
    try {
      await group.start()
      run.isServing = true
    } catch (error) {
      onDefect(peer, error)
      life.kill()
      scheduler.after(START_AGAIN_MS, () => (this.#isWanted ? void this.start() : undefined))
    }
  }

  /** SIGTERM: stops in order, then the process ends. */
  async stop(): Promise<void> {
    this.#isWanted = false
    const [life, run] = [this.#life, this.#run]
    if (!life || life.isDead) return
    await run?.group.stop()
    life.kill()
  }

  /** Stops for good. */
  async retire(): Promise<void> {
    this.#isRetired = true
    await this.stop()
  }
  get isRetired(): boolean {
    return this.#isRetired
  }

  kill(how: 'process' | 'power'): void {
    this.#isWanted = false
    const isRunning = this.isUp
    if (isRunning) this.#life?.kill(how)
    // What a process left in the page cache goes with the power also when it is long dead.
    if (how === 'power') this.disk.powerCut()
    else if (isRunning) this.disk.processDied()
  }

  pause(): void {
    this.#life?.pause()
  }
  resume(): void {
    this.#life?.resume()
  }
}
