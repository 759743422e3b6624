// Digests of what a home holds, per shard and hour: the XOR of a hash of each entry. Two homes with equal digests hold the same entries.
// Kept in memory, changed with each durable batch, computed at start by one scan. An entry toggles: adding it twice removes it.

import { SHARDS } from '../replication/placement.ts'

export const DIGEST_BYTES = 16

/** The one of a shard, of all of them in order. */
export const digestOf = (all: Uint8Array, shard: number): Uint8Array =>
  all.subarray(shard * DIGEST_BYTES, (shard + 1) * DIGEST_BYTES)

interface Cell {
  digest: Buffer
  count: number
}
const emptyCell = (): Cell => ({ digest: Buffer.alloc(DIGEST_BYTES), count: 0 })
const xorInto = (target: Buffer, other: Uint8Array): void => {
  for (let i = 0; i < DIGEST_BYTES; i++) target[i] = (target[i] ?? 0) ^ (other[i] ?? 0)
}

export class ShardDigests {
  readonly #totals = Array.from({ length: SHARDS }, emptyCell)
  readonly #hours = Array.from({ length: SHARDS }, () => new Map<number, Cell>())
  /** No entry is of an earlier hour; so that a cut-off, nearly always below it, costs nothing. */
  #lowestHour = Infinity

  /** Entries in all shards. */
  get count(): number {
    return this.#totals.reduce((sum, cell) => sum + cell.count, 0)
  }

  add(shard: number, hour: number, digest: Uint8Array): void {
    this.#change(shard, hour, { digest, by: 1 })
  }

  remove(shard: number, hour: number, digest: Uint8Array): void {
    this.#change(shard, hour, { digest, by: -1 })
  }

  #change(shard: number, hour: number, { digest, by }: { digest: Uint8Array; by: 1 | -1 }): void {
    const total = this.#totals[shard]
    const hours = this.#hours[shard]
    if (!total || !hours) throw new RangeError(`there is no shard ${shard}`)
    let cell = hours.get(hour)
    if (!cell) hours.set(hour, (cell = emptyCell()))
    if (hour < this.#lowestHour) this.#lowestHour = hour
    xorInto(cell.digest, digest)
    xorInto(total.digest, digest)
    cell.count += by
    total.count += by
    if (cell.count === 0) hours.delete(hour)
  }

  /** The digest of a shard without the hours below `cutoff`: those expire, at each home in its own time. */
  ofShard(shard: number, cutoff: number): Buffer {
    const result = Buffer.from(this.#totals[shard]?.digest ?? [])
    if (cutoff <= this.#lowestHour) return result
    for (const [hour, cell] of this.#hours[shard] ?? []) if (hour < cutoff) xorInto(result, cell.digest)
    return result
  }

  /** All shards in order, 16 bytes each. */
  ofAll(cutoff: number): Buffer {
    return Buffer.concat(this.#totals.map((_, shard) => this.ofShard(shard, cutoff)))
  }

  /** The hours of a shard from `cutoff` on, with their digests. */
  hoursOf(shard: number, cutoff: number): { hour: number; digest: Buffer }[] {
    const result: { hour: number; digest: Buffer }[] = []
    for (const [hour, cell] of this.#hours[shard] ?? []) if (hour >= cutoff) result.push({ hour, digest: cell.digest })
    return result.sort((a, b) => a.hour - b.hour)
  }

  /** Hours below `cutoff` of which something is there. */
  expiredHours(cutoff: number): { shard: number; hour: number }[] {
    return this.#hours.flatMap((hours, shard) =>
      [...hours.keys()].filter((hour) => hour < cutoff).map((hour) => ({ shard, hour })),
    )
  }
}
