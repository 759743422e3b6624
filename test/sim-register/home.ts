// One home: the real ledger and its real handlers, over a disk that loses what is not synced, and the few parts of a store that they
// stand on. Its disk can be emptied behind its back: then it begins another feed and reads back what it forgot.
import { repeat } from '../../src/platform/timing.ts'
import { MemoryDatabase } from '../../src/platform/memory-database.ts'
import type { DatabaseWrite } from '../../src/platform/ports.ts'
import { ChatError, hasCode } from '../../src/protocol/errors.ts'
import { ledgerRows } from '../../src/protocol/rpc.ts'
import { homesOfShard } from '../../src/node/replication/placement.ts'
import { EpochGate } from '../../src/node/store/epoch-gate.ts'
import type { Home } from '../../src/node/store/home.ts'
import { handleLedger } from '../../src/node/store/ledger-handlers.ts'
import { holdsLedger, isLedgerReconciled, pullLedger } from '../../src/node/store/ledger-pull.ts'
import { Ledger } from '../../src/node/store/ledger.ts'
import { StagedRows } from '../../src/node/store/staged-rows.ts'
import type { Life } from '../sim/life.ts'
import type { SeededRandom } from '../sim/random.ts'
import type { Peers, SimPeer } from './peers.ts'
import type { MapView } from './view.ts'

const SYNC_MS = 2
const WORST_SYNC_MS = 60
const COMPARE_MS = 150

/** What survives a process. */
export interface HomeDisk {
  database: MemoryDatabase
  facts: { feed: string; ledgerFeed: string; epoch: number }
}
export const emptyDisk = (random: SeededRandom, epoch: number): HomeDisk => ({
  database: new MemoryDatabase(),
  facts: { feed: Buffer.from(random.bytes(6)).toString('hex'), ledgerFeed: '', epoch },
})

export interface HomeParts {
  name: string
  life: Life
  peers: Peers
  view: MapView
  disk: HomeDisk
  random: SeededRandom
  /** All shards that matter: placement is the same for all here. */
  shards: number[]
}
interface Commit {
  writes: DatabaseWrite[]
  done: () => void
}

export class SimHome {
  readonly ledger: Ledger
  readonly disk: HomeDisk
  readonly #parts: HomeParts
  readonly #transport: SimPeer
  /** As memory has it: counts at once, is on disk later. */
  readonly #facts: { epoch: number }
  readonly #read = new Map<string, { epoch: number; tookPart: boolean }>()
  #collecting: DatabaseWrite[] = []
  #waiting: (() => void)[] = []
  #isWriting = false
  #reconciledAt = 0

  constructor(parts: HomeParts) {
    const { life, name, peers, disk, view } = parts
    this.#parts = parts
    this.disk = disk
    this.#facts = { epoch: disk.facts.epoch }
    this.#transport = peers.join(name, life)
    const { database } = disk
    const put = (key: Buffer, value: Buffer | undefined): void =>
      void this.#collecting.push(value ? { key, value } : { key, value: undefined })
    const draft = { put, delete: (key: Buffer) => put(key, undefined) }
    const rows = new StagedRows({ database, draft: () => draft, commit: () => this.#commit() })
    this.ledger = new Ledger({ rows, clock: life.clock, onDamage: () => {} })
    // All that the gate touches of a home.
    const home = { facts: this.#facts, saveFacts: () => this.#saveEpoch() } as unknown as Home
    const gate = new EpochGate(view, { home: () => home, assertWritable: () => {} })
    handleLedger({
      transport: this.#transport,
      handle: (method, handler) => this.#transport.handle(method, handler),
      view,
      gate,
      ledger: () => this.ledger,
      feed: () => disk.facts.feed,
      takesPart: () => this.takesPart,
      assertWritable: () => {},
      assertCaller: () => {},
    })
  }

  get takesPart(): boolean {
    return this.disk.facts.ledgerFeed === this.disk.facts.feed
  }

  isReconciledAt(epoch: number): boolean {
    return this.#reconciledAt === epoch
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.ledger.fanOuts.load()
    const { clock } = this.#parts.life
    const onError = (error: Error): void => {
      throw error
    }
    void repeat({ clock, everyMs: COMPARE_MS, signal, onError }, () => this.#compare())
  }

  async #saveEpoch(): Promise<void> {
    const { epoch } = this.#parts.view.current().map
    this.#facts.epoch = epoch
    await this.#commit()
    this.disk.facts.epoch = Math.max(epoch, this.disk.facts.epoch)
  }

  #commit(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    if (!this.#isWriting) {
      this.#isWriting = true
      this.#parts.life.after(0, () => this.#write())
    }
    return promise
  }

  /** What was handed in before the last commit asked for it; what comes meanwhile is the next batch. */
  #write(): void {
    const { life, random, disk } = this.#parts
    const commit: Commit = { writes: this.#collecting, done: () => waiting.forEach((resolve) => resolve()) }
    const waiting = this.#waiting
    this.#collecting = []
    this.#waiting = []
    life.after(random.latency(SYNC_MS, WORST_SYNC_MS), () => {
      disk.database.apply(commit.writes)
      commit.done()
      this.#isWriting = false
      if (this.#waiting.length > 0) {
        this.#isWriting = true
        life.after(0, () => this.#write())
      }
    })
  }

  async #compare(): Promise<void> {
    const { view, name } = this.#parts
    const { map } = view.current()
    if (this.takesPart && (!map.homes.next || this.isReconciledAt(map.epoch))) return
    const homes = [...new Set([...map.homes.current.peers, ...(map.homes.next?.peers ?? [])])]
    await Promise.all(homes.filter((peer) => peer !== name).map((peer) => this.#pull(peer, map.epoch)))
    this.#evaluate()
  }

  async #pull(peer: string, epoch: number): Promise<void> {
    const { shards } = this.#parts
    const { feed } = this.disk.facts
    try {
      const ask = (request: object) => this.#transport.call(peer, ledgerRows, { ...request, epoch, feed, shards })
      const tookPart = await pullLedger({ ledger: this.ledger, feed, shards, ask })
      this.#read.set(peer, { epoch, tookPart })
    } catch (error) {
      const isExpected = hasCode(error, 'EPOCH_STALE', 'EPOCH_AHEAD', 'NET_TIMEOUT', 'RPC_INVALID', 'RPC_UNKNOWN')
      if (!(error instanceof ChatError) || !isExpected) throw error
      if (error.code === 'EPOCH_STALE') this.#parts.view.adoptFrom(error)
    }
  }

  #evaluate(): void {
    const { view, name, shards } = this.#parts
    const { map } = view.current()
    const isRead = (peer: string): boolean => this.#read.get(peer)?.epoch === map.epoch
    const all = (holds: (shard: number) => boolean): boolean => shards.every(holds)
    if (!this.takesPart && all((shard) => holdsLedger(homesOfShard(map, shard), name, isRead))) {
      this.disk.facts.ledgerFeed = this.disk.facts.feed
    }
    const tookPart = (peer: string): boolean =>
      peer === name ? this.takesPart : isRead(peer) && this.#read.get(peer)?.tookPart === true
    const isReconciled = all((shard) => isLedgerReconciled(homesOfShard(map, shard), name, { isRead, tookPart }))
    if (map.homes.next && isReconciled) this.#reconciledAt = map.epoch
  }
}
