// One device of a user: its disk, clock and key, and the runs of its program with the real client.
import { Identity } from '../../src/client/identity.ts'
import { idMaker } from '../../src/client/ids.ts'
import { keys } from '../../src/client/keys.ts'
import { LocalChat } from '../../src/client/local-chat.ts'
import type { SealCheck } from '../../src/client/ports.ts'
import { toUtf8 } from '../../src/protocol/bytes.ts'
import { isSealedBy } from '../../src/protocol/sealed.ts'
import type { SeenVersion } from './checker.ts'
import type { SimCluster } from './cluster.ts'
import type { SimDisk } from './disk.ts'
import { enrol } from './enrolment.ts'
import { simFiles } from './files.ts'
import { seenVersion } from './homes.ts'
import { keyOf } from './keys.ts'
import { Life, type Machine } from './life.ts'
import type { NodeWorld } from './node.ts'
import { Person, type Session } from './person.ts'
import { type HowToDie, userOf } from './scenario.ts'

const DATABASE = 'client'
/** The letter of client/keys.ts. */
const groupVersions = { gte: toUtf8('g'), lt: toUtf8('h') }

export interface DeviceParts {
  cluster: SimCluster
  world: NodeWorld
  disk: SimDisk
  machine: Machine
}

/** There are no threads in the simulator. */
const checkSeal: SealCheck = async (...signed) => isSealedBy(...signed)

export class SimDevice {
  readonly name: string
  readonly user: string
  readonly machine: Machine
  readonly person: Person
  readonly #parts: DeviceParts
  #life: Life | undefined
  #session: Session | undefined
  #certificate: Uint8Array | undefined
  #runs = 0

  constructor(name: string, parts: DeviceParts) {
    const { cluster, world, machine } = parts
    this.name = name
    this.user = userOf(name)
    this.machine = machine
    this.#parts = parts
    const { clock } = new Life(world.scheduler, machine)
    const makeId = idMaker(clock, world.random.fork(`ids ${name}`))
    this.person = new Person({ proc: name, user: this.user }, cluster, makeId)
  }

  get isUp(): boolean {
    return this.#life?.isDead === false
  }
  get deviceId(): string | undefined {
    return this.#session?.chat.device
  }
  /** There while the program runs. */
  get session(): Session | undefined {
    return this.isUp ? this.#session : undefined
  }

  /** Is the record in its database? */
  holds(recordKey: Uint8Array): boolean {
    return this.#parts.disk.database(DATABASE).store.get(keys.record(recordKey)) !== undefined
  }

  /** The versions of groups in its database. */
  versions(): SeenVersion[] {
    const { store } = this.#parts.disk.database(DATABASE)
    return store.range(groupVersions).map(([, sealed]) => seenVersion(this.name, sealed))
  }

  /** Not there at the beginning, and maybe not yet. */
  get isLate(): boolean {
    const { steps } = this.#parts.cluster.scenario
    return !this.#certificate && steps.some((step) => step.do === 'link-device' && step.device === this.name)
  }

  /** Gets a certificate, by registration or (given another device of the same user) by linking, then starts. */
  async enrol(approver?: SimDevice): Promise<void> {
    const { cluster, world } = this.#parts
    const life = new Life(world.scheduler, this.machine)
    this.#certificate = await enrol({
      clock: life.clock,
      dial: world.sockets.dial(this.name, life),
      gateways: cluster.gatewayUrls(),
      seed: keyOf(this.name).secretKey,
      by: approver ? { approve: (code) => approver.session?.chat.approveLink(code) } : { name: this.user },
    })
    life.kill()
    await this.start()
  }

  async start(): Promise<void> {
    if (this.isUp || !this.#certificate) return
    const { cluster, world, disk } = this.#parts
    const life = new Life(world.scheduler, this.machine)
    this.#life = life
    this.#session = undefined
    const ports = {
      clock: life.clock,
      random: world.random.fork(`device ${this.name} ${this.#runs++}`),
      database: await disk.for(life).openDatabase(DATABASE),
      dial: world.sockets.dial(this.name, life),
      isSealedBy: checkSeal,
      attachments: { blobs: this.person.attachments.transfer(life), files: simFiles },
      log: world.log(this.name),
    }
    const { secretKey } = keyOf(this.name)
    const identity = new Identity({ cluster: cluster.clusterId, secretKey, sealed: this.#certificate })
    const chat = new LocalChat(ports, { identity, gateways: cluster.gatewayUrls() })
    await chat.open()
    this.#session = { life, chat, abort: new AbortController() }
    await this.person.resume(this.#session)
  }

  kill(how: HowToDie): void {
    if (!this.#life || this.#life.isDead) return
    const { cluster, disk } = this.#parts
    this.#session?.abort.abort()
    this.#life.kill(how)
    cluster.tap.forget(this.name)
    if (how === 'process') return disk.processDied()
    this.person.lostPower()
    disk.powerCut()
  }
}
