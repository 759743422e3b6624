// When media homes compare: at start, when a peer connects, when the map changes, and every few seconds. And what follows from it:
// a syncing home is up again, a home has what the next epoch needs, and only who has compared with all others may collect.
import { mutant } from '../../platform/mutants.ts'
import { repeat } from '../../platform/timing.ts'
import type { ClusterMap } from '../../protocol/cluster-map.ts'
import { mediaHomes } from '../../protocol/cluster-map.ts'
import { asChatError } from '../../protocol/errors.ts'
import { coverOf, type Homes, mediaHomesOfShard, SHARDS } from '../replication/placement.ts'
import { factsOf, type MediaContext } from './media-context.ts'
import { fetchBlob, pullFrom } from './media-pass.ts'
import type { Uploads } from './uploads.ts'

/** A finished comparison; it counts as long as the map and the opened database are the same. */
interface Pass {
  epoch: number
  generation: number
  readable: boolean
}

const SOON_MS = 200
const allShards = Array.from({ length: SHARDS }, (_, shard) => shard)

export class MediaRepair {
  readonly #context: MediaContext
  readonly #uploads: Uploads
  readonly #everyMs: number
  readonly #passes = new Map<string, Pass>()
  readonly #running = new Set<string>()
  /** Asked for while a comparison with that peer was running. */
  readonly #again = new Set<string>()
  readonly #wanted = new Set<string>()
  #isFetching = false
  #reconciled = { epoch: 0, generation: 0 }
  #signal: AbortSignal | undefined

  constructor(context: MediaContext, uploads: Uploads, everyMs: number) {
    this.#context = context
    this.#uploads = uploads
    this.#everyMs = everyMs
  }

  /** The last joint epoch for which this home holds everything of the old homes. */
  get reconciled(): number {
    const { epoch, generation } = this.#reconciled
    return generation === this.#context.index.generation ? epoch : 0
  }

  /** At a final epoch, with all other homes of a shard compared since it began and since this process did: no pin can be missing here. */
  isSettled(map: ClusterMap, shard: number): boolean {
    const { self } = this.#context.transport
    const { current } = mediaHomesOfShard(map, shard)
    const isMoving = mediaHomes(map).next !== undefined && !mutant('collected-while-moving')
    if (isMoving || this.#context.index.facts.condition !== 'up') return false
    return current.peers.every((peer) => peer === self || this.#isValid(map, peer))
  }

  start(signal: AbortSignal): void {
    const { clock, log, transport, view } = this.#context
    this.#signal = signal
    transport.onPeerChange((peer, connected) => {
      if (connected && !signal.aborted) this.#compareWith(peer)
    })
    view.watch(() => this.#compareWithAll())
    const onError = (error: Error): void => log.error({ error: error.message }, 'comparing media homes failed')
    void repeat({ clock, everyMs: this.#everyMs, signal, onError }, () => this.#compareWithAll())
  }

  /** This blob lacks here, or is damaged. */
  want(blob: string): void {
    this.#wanted.add(blob)
    if (!this.#isFetching) void this.#fetchWanted()
  }

  #compareWithAll(): void {
    if (!this.#context.index.isOpen) return
    this.#evaluate()
    if (!this.#isFetching) void this.#fetchWanted()
    for (const peer of this.#context.transport.connectedPeers()) this.#compareWith(peer)
  }

  #compareWith(peer: string): void {
    const { view, transport } = this.#context
    const { map } = view.current()
    const shards = shardsWhere(
      map,
      ({ all }) => peer !== transport.self && all.includes(transport.self) && all.includes(peer),
    )
    if (this.#signal?.aborted || shards.length === 0) return
    if (this.#running.has(peer)) {
      this.#again.add(peer)
      return
    }
    this.#running.add(peer)
    void this.#pass(peer, map.epoch, shards).finally(() => {
      this.#running.delete(peer)
      if (this.#again.delete(peer)) this.#compareWith(peer)
    })
  }

  async #pass(peer: string, epoch: number, shards: number[]): Promise<void> {
    const { index, log, clock } = this.#context
    try {
      const { generation } = index
      const { readable, fetched } = await pullFrom(this.#context, this.#uploads, { peer, epoch, shards })
      this.#passes.set(peer, { epoch, generation, readable })
      if (fetched > 0) log.info({ peer, fetched }, 'fetched attachments that another home had more')
      this.#evaluate()
    } catch (error) {
      const { code, message } = asChatError(error)
      log.debug({ peer, code, message }, 'a comparison with another media home was not finished')
      // One of us has not heard of the newest map yet: in a moment.
      if (code === 'EPOCH_AHEAD' || code === 'EPOCH_STALE') clock.after(SOON_MS, () => this.#compareWith(peer))
    }
  }

  #evaluate(): void {
    const { view, index, log } = this.#context
    if (!index.isOpen) return
    const { map } = view.current()
    const { generation } = index
    if (index.facts.condition === 'syncing' && this.#holdsEnough(map)) {
      log.info({}, 'every attachment that may be missing here was fetched')
      index.saveFacts({ condition: 'up' }).catch(() => {}) // a disk that failed is opened again, still syncing
    }
    const isNews = this.reconciled < map.epoch
    if (mediaHomes(map).next && isNews && this.#isReconciled(map)) {
      this.#reconciled = { epoch: map.epoch, generation }
      log.info({ epoch: map.epoch }, 'holds every attachment of the old homes')
    }
  }

  /** For each shard of ours: the union of N-W+1 readable other homes, or of all others in whatever state. */
  #holdsEnough(map: ClusterMap): boolean {
    const { self } = this.#context.transport
    const shards = shardsWhere(map, ({ all }) => all.includes(self))
    return (
      shards.length > 0 &&
      shards.every((shard) => {
        const { current } = mediaHomesOfShard(map, shard)
        const others = current.peers.filter((peer) => peer !== self)
        // The only home that there is must be told by its operator that it lacks nothing.
        if (others.length === 0) return false
        const compared = others.filter((peer) => this.#isValid(map, peer))
        const readable = compared.filter((peer) => this.#passes.get(peer)?.readable)
        return readable.length >= coverOf(current) || compared.length === others.length
      })
    )
  }

  /** For each shard we shall have: N-W+1 readable old homes, all compared at the joint epoch; ourselves if we are one. */
  #isReconciled(map: ClusterMap): boolean {
    const { self } = this.#context.transport
    return allShards.every((shard) => {
      const { current, next } = mediaHomesOfShard(map, shard)
      if (!next?.peers.includes(self)) return true
      const holding = current.peers.filter((peer) =>
        peer === self
          ? this.#context.index.facts.condition === 'up'
          : this.#isValid(map, peer) && this.#passes.get(peer)?.readable,
      )
      return holding.length >= coverOf(current)
    })
  }

  #isValid(map: ClusterMap, peer: string): boolean {
    const pass = this.#passes.get(peer)
    return pass?.epoch === map.epoch && pass.generation === this.#context.index.generation
  }

  async #fetchWanted(): Promise<void> {
    this.#isFetching = true
    for (const blob of this.#wanted) {
      try {
        const facts = factsOf(this.#context, blob)
        if (facts) await fetchBlob(this.#context, this.#uploads, { blob, size: facts.size, isDamaged: true })
        if (facts) this.#context.log.info({ blob }, 'an attachment that was damaged here is whole again')
        this.#wanted.delete(blob)
      } catch (error) {
        const { message } = asChatError(error) // tried again with the next comparison
        this.#context.log.debug({ blob, error: message }, 'an attachment that is damaged here could not be fetched')
      }
    }
    this.#isFetching = false
  }
}

const shardsWhere = (map: ClusterMap, holds: (homes: Homes) => boolean): number[] =>
  allShards.filter((shard) => holds(mediaHomesOfShard(map, shard)))
