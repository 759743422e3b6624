// A process that coordinates groups as the group service does, on the real client of the ledger: claims names, changes groups, sends,
// finishes what others left. It keeps nothing: when it dies another one goes on.
import type { ClusterView } from '../../src/node/core/ports.ts'
import { GroupLedger } from '../../src/node/replication/group-ledger.ts'
import type { FanOut } from '../../src/node/replication/group-ledger-port.ts'
import { HomeCalls } from '../../src/node/replication/home-calls.ts'
import { nameRegister, versionRegister } from '../../src/node/replication/ledger-keys.ts'
import { silentLogger } from '../../src/platform/ports.ts'
import { repeat, sleep } from '../../src/platform/timing.ts'
import { ChatError, hasCode } from '../../src/protocol/errors.ts'
import { openRecord, recordKey } from '../../src/protocol/records.ts'
import type { Life } from '../sim/life.ts'
import type { SeededRandom } from '../sim/random.ts'
import type { History } from './history.ts'
import type { Peers } from './peers.ts'

const FINISH_EVERY_MS = 700
const FINISH_AFTER_MS = 1_500

export interface CoordinatorParts {
  name: string
  life: Life
  peers: Peers
  view: ClusterView
  random: SeededRandom
  history: History
}

export class Coordinator {
  readonly ledger: GroupLedger
  readonly #parts: CoordinatorParts
  /** Newest versions it heard of: perhaps no longer the newest. */
  readonly #known = new Map<string, number>()

  constructor(parts: CoordinatorParts) {
    const { name, life, peers, view, random } = parts
    this.#parts = parts
    const ports = { transport: peers.join(name, life), view, clock: life.clock, random, log: silentLogger }
    this.ledger = new GroupLedger(ports, new HomeCalls(ports), () => true)
  }

  start(signal: AbortSignal): void {
    const { clock } = this.#parts.life
    const onError = (error: Error): void => {
      throw error
    }
    void repeat({ clock, everyMs: FINISH_EVERY_MS, signal, onError }, () => this.#finish())
  }

  claim(name: string, group: string): Promise<boolean> {
    const register = nameRegister(name)
    const since = this.#begun({ op: 'propose', register, value: group })
    return this.#attempt(async () => {
      const value = await this.ledger.claimName(name, group)
      this.#told(since, { op: 'value', register, value })
    })
  }

  lookUp(name: string): Promise<boolean> {
    const register = nameRegister(name)
    const since = this.#begun({ op: 'read', register })
    return this.#attempt(async () => {
      const value = await this.ledger.lookUpName(name)
      this.#told(since, value === undefined ? { op: 'none', register } : { op: 'value', register, value })
    })
  }

  readAt(group: string, version: number): Promise<boolean> {
    const register = versionRegister(group, version)
    const since = this.#begun({ op: 'read', register })
    return this.#attempt(async () => {
      const value = await this.ledger.at(group, version)
      this.#told(since, value ? { op: 'value', register, value: text(value) } : { op: 'none', register })
    })
  }

  change(group: string, value: string): Promise<boolean> {
    return this.#attempt(async () => {
      const before = await this.#newest(group)
      const version = before + 1
      const register = versionRegister(group, version)
      const since = this.#begun({ op: 'propose', register, value })
      const decided = await this.ledger.propose(group, version, Buffer.from(value))
      this.#told(since, { op: 'value', register, value: text(decided) })
      this.#told(since, { op: 'reached', group, version })
      this.#known.set(group, version)
    })
  }

  /** Like the group service: under the newest version it knows, which the homes correct. */
  send(item: FanOut, message: string): Promise<boolean> {
    const { group } = item
    const { header } = openRecord(item.sealed)
    const known = header.k === 'msg' ? (header.gv ?? 1) : 1
    const since = this.#begun({ op: 'send', message, group, known })
    return this.#attempt(async () => {
      for (let tries = 0; tries < 4; tries++) {
        const version = Math.max(known, this.#known.get(group) ?? (await this.#newest(group)))
        try {
          const taken = await this.ledger.fanOut({ ...item, version })
          this.#told(since, { op: 'taken', message, version: taken.version })
          await this.#deliver({ ...item, version: taken.version }, since, message)
          return
        } catch (error) {
          if (!hasCode(error, 'GROUP_SEALED')) throw error
          this.#known.delete(group)
        }
      }
      throw new ChatError('QUORUM_UNAVAILABLE')
    })
  }

  async #finish(): Promise<void> {
    for (const item of await this.ledger.unfinished(FINISH_AFTER_MS)) {
      const { header } = openRecord(item.sealed)
      const since = this.#parts.peers.scheduler.now
      await this.#attempt(async () => {
        const verdict = await this.ledger.settle(item)
        const { version } = item
        if (verdict === 'void') this.#told(since, { op: 'void', message: header.id, version })
        else await this.#deliver(item, since, header.id)
      })
    }
  }

  /** The mailboxes of the members are no matter of this simulation: it takes a while, and may be cut short by our death. */
  async #deliver({ group, sealed, version }: FanOut, since: number, message: string): Promise<void> {
    const { life, random } = this.#parts
    await sleep(life.clock, random.latency(5, 500))
    this.#told(since, { op: 'delivered', message, version })
    if (!random.chance(0.7)) return
    this.ledger.done(group, version, [recordKey(message, sealed)])
    this.#told(since, { op: 'done', message })
  }

  async #newest(group: string): Promise<number> {
    const since = this.#begun({ op: 'ask-newest', group })
    const found = await this.ledger.newest(group)
    const version = found?.version ?? 0
    this.#told(since, { op: 'newest', group, version })
    if (found) this.#told(since, { op: 'value', register: versionRegister(group, version), value: text(found.sealed) })
    if (version > 0) this.#known.set(group, version)
    return version
  }

  /** False when it failed in an expected way. */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      if (hasCode(error, 'QUORUM_UNAVAILABLE', 'OUTCOME_UNKNOWN', 'GROUP_SEALED', 'PEER_OVERLOADED')) return false
      throw error
    }
  }

  #begun(begun: Parameters<History['begun']>[1]): number {
    return this.#parts.history.begun(this.#parts.name, begun)
  }

  #told(since: number, told: Parameters<History['told']>[2]): void {
    this.#parts.history.told(this.#parts.name, since, told)
  }
}

const text = (value: Uint8Array): string => Buffer.from(value).toString()
