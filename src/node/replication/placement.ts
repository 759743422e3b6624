// Which stores hold a mailbox or a blob: the n best of a set by weighted rendezvous hashing over its shard.
// A pure function of the signed map, so that everybody agrees; a change of one store moves only its share of the shards.

import { type ClusterMap, type HomeSet, type Homes as HomeSets, mediaHomes } from '../../protocol/cluster-map.ts'
import { sha256 } from '../../protocol/signing.ts'
import { toUtf8 } from '../../protocol/bytes.ts'

export const SHARDS = 256
/** Mailboxes whose shard is remembered: hashing a name costs a microsecond, and every message asks twice. */
const MAX_KNOWN_MAILBOXES = 100_000

/** The homes of one shard. `next` is there in a joint epoch only: writes then need W of both sets, reads R of `current`. */
export interface Homes {
  current: ShardHomes
  next?: ShardHomes
  /** Every home of either set, each once. */
  all: string[]
}
/** The best first. `n` is their number, which may be below the set's while there are fewer stores. */
export interface ShardHomes {
  peers: string[]
  n: number
  w: number
  r: number
}

const knownShards = new Map<string, number>()

/** 0 to 255: the first byte of SHA-256 of the mailbox's name. */
export const shardOf = (mailbox: string): number => {
  const known = knownShards.get(mailbox)
  if (known !== undefined) return known
  const shard = sha256(toUtf8(mailbox))[0] ?? 0
  if (knownShards.size >= MAX_KNOWN_MAILBOXES) knownShards.delete(knownShards.keys().next().value ?? '')
  knownShards.set(mailbox, shard)
  return shard
}

type Table = WeakMap<ClusterMap, Homes[]>
const messageTables: Table = new WeakMap()
const mediaTables: Table = new WeakMap()

/** Made once for all shards of a map. */
const lookUp = (tables: Table, { map, sets, shard }: { map: ClusterMap; sets: HomeSets; shard: number }): Homes => {
  let table = tables.get(map)
  if (!table) tables.set(map, (table = Array.from({ length: SHARDS }, (_, index) => placeShard(map, sets, index))))
  const homes = table[shard]
  if (!homes) throw new RangeError(`there is no shard ${shard}`)
  return homes
}

/** The homes of a shard under this map. */
export const homesOfShard = (map: ClusterMap, shard: number): Homes =>
  lookUp(messageTables, { map, sets: map.homes, shard })
export const homesOf = (map: ClusterMap, mailbox: string): Homes => homesOfShard(map, shardOf(mailbox))

/** A blob's id is a hash already. */
export const shardOfBlob = (blob: string): number => Number.parseInt(blob.slice(0, 2), 16)
export const mediaHomesOfShard = (map: ClusterMap, shard: number): Homes =>
  lookUp(mediaTables, { map, sets: mediaHomes(map), shard })
export const mediaHomesOf = (map: ClusterMap, blob: string): Homes => mediaHomesOfShard(map, shardOfBlob(blob))

const placeShard = (map: ClusterMap, sets: HomeSets, shard: number): Homes => {
  const current = bestOf(map, sets.current, shard)
  if (!sets.next) return { current, all: current.peers }
  const next = bestOf(map, sets.next, shard)
  return { current, next, all: [...new Set([...current.peers, ...next.peers])] }
}

const bestOf = (map: ClusterMap, set: HomeSet, shard: number): ShardHomes => {
  const scored = set.peers.map((peer) => ({ peer, score: scoreOf(map, peer, shard) }))
  scored.sort((a, b) => b.score - a.score || (a.peer < b.peer ? -1 : 1))
  const peers = scored.slice(0, set.n).map(({ peer }) => peer)
  return { peers, n: peers.length, w: set.w, r: set.r }
}

/** Logarithmic method of weighted rendezvous hashing: -weight / ln(u), with u uniform in (0, 1) from 48 bits of the hash. */
const scoreOf = (map: ClusterMap, peer: string, shard: number): number => {
  const weight = map.nodes.find((node) => node.peer === peer)?.weight ?? 1
  return -weight / (logarithmsOf(peer)[shard] ?? -1)
}

const logarithms = new Map<string, Float64Array>()
const MAX_KNOWN_PEERS = 1_000

/** ln(u) of a store for each shard: the same under every map, and 256 hashes to make. */
const logarithmsOf = (peer: string): Float64Array => {
  const known = logarithms.get(peer)
  if (known) return known
  const uniform = (shard: number): number => (sha256(toUtf8(`${shard}:${peer}`)).readUIntBE(0, 6) + 0.5) / 2 ** 48
  const made = Float64Array.from({ length: SHARDS }, (_, shard) => Math.log(uniform(shard)))
  if (logarithms.size >= MAX_KNOWN_PEERS) logarithms.delete(logarithms.keys().next().value ?? '')
  logarithms.set(peer, made)
  return made
}

/** How many readable homes of a set hold, together, everything that was acknowledged: N - W + 1. */
export const coverOf = (set: ShardHomes): number => set.n - set.w + 1
