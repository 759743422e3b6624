// When homes compare: at start, when a peer connects, when the map changes, and every few seconds. And what follows from it:
// a syncing home becomes readable, and a home has what the next epoch needs.

import { mutant } from '../../platform/mutants.ts'
import { repeat } from '../../platform/timing.ts'
import type { ClusterMap } from '../../protocol/cluster-map.ts'
import { equalBytes } from '../../protocol/bytes.ts'
import { asChatError } from '../../protocol/errors.ts'
import { ledgerRows, type StoreMark, storeSeen } from '../../protocol/rpc.ts'
import { coverOf, homesOfShard, SHARDS } from '../replication/placement.ts'
import type { StoreContext } from './context.ts'
import { holdsLedger, isLedgerReconciled, pullDecided, pullLedger, type PullOptions } from './ledger-pull.ts'
import { pullFrom } from './repair-pass.ts'
import { digestOf } from './shard-digests.ts'

/** A finished comparison. It counts as long as the map and our own feed are the same. */
interface Pass {
  epoch: number
  feed: string
  readable: boolean
  /** Its ledger was read, and whether it took part itself. */
  ledger?: { tookPart: boolean }
}

const SOON_MS = 200

export interface RepairOptions {
  everyMs: number
}

export class Repair {
  readonly #context: StoreContext
  readonly #options: RepairOptions
  readonly #passes = new Map<string, Pass>()
  readonly #running = new Set<string>()
  /** Asked for while a comparison with that peer was running. */
  readonly #again = new Set<string>()
  readonly #marks = new Map<string, StoreMark>()
  /** What each peer knew to be decided at the last comparison. */
  readonly #decided = new Map<string, Uint8Array>()
  #signal: AbortSignal | undefined
  #reconciled = { epoch: 0, feed: '' }
  /** Shards in common with each peer, under one map. */
  #shared: { map: ClusterMap; byPeer: Map<string, number[]> } | undefined

  constructor(context: StoreContext, options: RepairOptions) {
    this.#context = context
    this.#options = options
  }

  /** The last joint epoch for which this home holds everything of the old homes. */
  get reconciled(): number {
    if (mutant('final-before-reconciled')) return this.#context.view.current().map.epoch
    // What was lost since has to be read back first.
    const isSame = this.#context.isOpen() && this.#context.home().facts.feed === this.#reconciled.feed
    return isSame ? this.#reconciled.epoch : 0
  }

  start(signal: AbortSignal): void {
    const { clock, log, transport, view } = this.#context
    this.#signal = signal
    transport.onPeerChange((peer, connected) => {
      if (!connected || signal.aborted) return
      const mark = this.#marks.get(peer)
      if (mark) transport.notify(peer, storeSeen, mark)
      this.#compareWith(peer)
    })
    view.watch(() => this.#compareWithAll())
    const onError = (error: Error): void => log.error({ error: error.message }, 'comparing homes failed')
    void repeat({ clock, everyMs: this.#options.everyMs, signal, onError }, () => this.#compareWithAll())
  }

  #compareWithAll(): void {
    this.#evaluate()
    for (const peer of this.#context.transport.connectedPeers()) this.#compareWith(peer)
  }

  #compareWith(peer: string): void {
    const { map } = this.#context.view.current()
    const shards = this.#shardsWith(map, peer)
    if (this.#signal?.aborted || shards.length === 0) return
    if (this.#running.has(peer)) {
      this.#again.add(peer)
      return
    }
    this.#running.add(peer)
    void this.#pass(peer, { epoch: map.epoch, shards }).finally(() => {
      this.#running.delete(peer)
      if (this.#again.delete(peer)) this.#compareWith(peer)
    })
  }

  #shardsWith(map: ClusterMap, peer: string): number[] {
    if (this.#shared?.map !== map) this.#shared = { map, byPeer: new Map() }
    let shards = this.#shared.byPeer.get(peer)
    if (!shards) {
      shards = sharedShards(map, this.#context.transport.self, peer)
      this.#shared.byPeer.set(peer, shards)
    }
    return shards
  }

  async #pass(peer: string, { epoch, shards }: { epoch: number; shards: number[] }): Promise<void> {
    const { log, clock } = this.#context
    try {
      const { feed } = this.#context.home().facts
      const { readable, mark, fetched, decided } = await pullFrom(this.#context, { peer, epoch, shards })
      this.#marks.set(peer, mark)
      const known = this.#passes.get(peer)
      const ledger = known?.epoch === epoch && known.feed === feed ? known.ledger : undefined
      this.#passes.set(peer, { epoch, feed, readable, ...(ledger ? { ledger } : {}) })
      if (fetched > 0) log.info({ peer, fetched }, 'read back what another home had more')
      this.#evaluate()
      await this.#pullDecided(peer, { epoch, feed, shards }, decided)
      if (!this.#needsLedgers()) return
      const tookPart = await this.#pullLedger(peer, { epoch, feed, shards })
      this.#passes.set(peer, { epoch, feed, readable, ledger: { tookPart } })
      this.#evaluate()
    } catch (error) {
      const { code, message } = asChatError(error)
      log.debug({ peer, code, message }, 'a comparison with another home was not finished')
      // One of us has not heard of the newest map yet: in a moment.
      if (code === 'EPOCH_AHEAD' || code === 'EPOCH_STALE') clock.after(SOON_MS, () => this.#compareWith(peer))
    }
  }

  /** What the other one has known for a while and we do not: what is being decided just now gets here by itself. */
  async #pullDecided(
    peer: string,
    { epoch, feed, shards }: { epoch: number; feed: string; shards: number[] },
    decided: Uint8Array,
  ): Promise<void> {
    const before = this.#decided.get(peer)
    this.#decided.set(peer, decided)
    const { ledger } = this.#context.home()
    const own = await ledger.registers.digests()
    const isLate = (shard: number): boolean => {
      const theirs = digestOf(decided, shard)
      const isOld = before !== undefined && equalBytes(theirs, digestOf(before, shard))
      return isOld && !equalBytes(theirs, digestOf(own, shard))
    }
    const late = mutant('decided-not-compared') ? [] : shards.filter(isLate)
    if (late.length > 0) await pullDecided({ ledger, feed, shards: late, ask: this.#askRows(peer, epoch) })
  }

  /** What was promised here may be forgotten, or the homes are about to change. */
  #needsLedgers(): boolean {
    const { map } = this.#context.view.current()
    return !this.#context.home().takesPart || (map.homes.next !== undefined && this.reconciled < map.epoch)
  }

  #pullLedger(
    peer: string,
    { epoch, feed, shards }: { epoch: number; feed: string; shards: number[] },
  ): Promise<boolean> {
    const { ledger } = this.#context.home()
    return pullLedger({ ledger, feed, shards, ask: this.#askRows(peer, epoch) })
  }

  #askRows(peer: string, epoch: number): PullOptions['ask'] {
    return (request) => this.#context.transport.call(peer, ledgerRows, { ...request, epoch })
  }

  #evaluate(): void {
    const { view, transport, log } = this.#context
    if (!this.#context.isOpen()) return
    const { map } = view.current()
    const home = this.#context.home()
    if (home.facts.condition === 'syncing' && this.#holdsEnough(map)) {
      log.info({ feed: home.facts.feed }, 'everything that may be missing here was read back')
      home.saveFacts({ condition: 'up' }).catch(() => {}) // a disk that failed is opened again, still syncing
    }
    if (!home.takesPart && this.#holdsLedgers(map)) {
      log.info({ feed: home.facts.feed }, 'everything that this home may have promised to group nodes was read back')
      home.saveFacts({ ledgerFeed: home.facts.feed }).catch(() => {})
    }
    const { epoch, feed } = this.#reconciled
    const isNews = epoch < map.epoch || feed !== home.facts.feed
    if (map.homes.next && isNews && this.#isReconciled(map, transport.self)) {
      this.#reconciled = { epoch: map.epoch, feed: home.facts.feed }
      log.info({ epoch: map.epoch }, 'holds everything of the old homes')
    }
  }

  /** For each shard of ours: the union of N-W+1 readable other homes, or of all others in whatever state. */
  #holdsEnough(map: ClusterMap): boolean {
    const { self } = this.#context.transport
    const shards = shardsOf(map, self)
    return (
      shards.length > 0 &&
      shards.every((shard) => {
        const { current } = homesOfShard(map, shard)
        const others = current.peers.filter((peer) => peer !== self)
        const compared = others.filter((peer) => this.#isValid(map, peer))
        const readable = compared.filter((peer) => this.#passes.get(peer)?.readable)
        return readable.length >= coverOf(current) || compared.length === others.length
      })
    )
  }

  #holdsLedgers(map: ClusterMap): boolean {
    const { self } = this.#context.transport
    const shards = shardsOf(map, self)
    const isRead = (peer: string): boolean => this.#hasRead(map, peer)
    return shards.length > 0 && shards.every((shard) => holdsLedger(homesOfShard(map, shard), self, isRead))
  }

  /** For each shard we shall have: N-W+1 readable old homes, all compared at the joint epoch; ourselves if we are one. */
  #isReconciled(map: ClusterMap, self: string): boolean {
    return everyShard((shard) => {
      const homes = homesOfShard(map, shard)
      const { current, next } = homes
      if (!next?.peers.includes(self)) return true
      const read = {
        isRead: (peer: string) => this.#hasRead(map, peer),
        tookPart: (peer: string) => this.#tookPart(map, peer),
      }
      if (!isLedgerReconciled(homes, self, read)) return false
      const holding = current.peers.filter((peer) =>
        peer === self ? this.#context.isReadable() : this.#isValid(map, peer) && this.#passes.get(peer)?.readable,
      )
      return holding.length >= coverOf(current)
    })
  }

  #hasRead(map: ClusterMap, peer: string): boolean {
    return this.#isValid(map, peer) && this.#passes.get(peer)?.ledger !== undefined
  }

  #tookPart(map: ClusterMap, peer: string): boolean {
    if (peer === this.#context.transport.self) return this.#context.home().takesPart
    return this.#isValid(map, peer) && this.#passes.get(peer)?.ledger?.tookPart === true
  }

  #isValid(map: ClusterMap, peer: string): boolean {
    const pass = this.#passes.get(peer)
    return pass?.epoch === map.epoch && pass.feed === this.#context.home().facts.feed
  }
}

const everyShard = (holds: (shard: number) => boolean): boolean => {
  for (let shard = 0; shard < SHARDS; shard++) if (!holds(shard)) return false
  return true
}
const shardsWhere = (holds: (shard: number) => boolean): number[] =>
  Array.from({ length: SHARDS }, (_, shard) => shard).filter(holds)
const shardsOf = (map: ClusterMap, peer: string): number[] =>
  shardsWhere((shard) => homesOfShard(map, shard).all.includes(peer))
const sharedShards = (map: ClusterMap, self: string, peer: string): number[] =>
  self === peer
    ? []
    : shardsWhere((shard) => {
        const { all } = homesOfShard(map, shard)
        return all.includes(self) && all.includes(peer)
      })
