// One digest for each shard of blobs: XOR of truncated hashes of its rows, so that two homes see at once where they differ.
// A row counts by its key alone: who uploaded a blob and when may differ between homes. Also what the blobs take, in all and by user.
import { SHARDS } from '../replication/placement.ts'
import { sha256 } from '../../protocol/signing.ts'
import type { BlobFacts } from './rows.ts'

const DIGEST_BYTES = 16

export class MediaDigests {
  readonly #digests = Buffer.alloc(SHARDS * DIGEST_BYTES)
  readonly #byUser = new Map<string, number>()
  blobs = 0
  bytes = 0

  /** All of them, in the order of the shards. */
  get all(): Buffer {
    return Buffer.from(this.#digests)
  }

  /** The row came or went. */
  toggle(row: Uint8Array): void {
    const start = (row[1] ?? 0) * DIGEST_BYTES // the key's first byte after the prefix is the shard
    const digest = sha256(row)
    for (let i = 0; i < DIGEST_BYTES; i++) {
      this.#digests[start + i] = (this.#digests[start + i] ?? 0) ^ (digest[i] ?? 0)
    }
  }

  /** Whole ones and uploads: what was announced counts at once. */
  usageOf(user: string): number {
    return this.#byUser.get(user) ?? 0
  }

  addUsage({ user, size }: BlobFacts): void {
    this.#byUser.set(user, this.usageOf(user) + size)
  }

  removeUsage({ user, size }: BlobFacts): void {
    const left = this.usageOf(user) - size
    if (left > 0) this.#byUser.set(user, left)
    else this.#byUser.delete(user)
  }
}

/** The shards in which the two differ, of these. */
export const differing = (a: Uint8Array, b: Uint8Array, shards: readonly number[]): number[] =>
  shards.filter((shard) => {
    const [start, end] = [shard * DIGEST_BYTES, (shard + 1) * DIGEST_BYTES]
    return !Buffer.from(a.subarray(start, end)).equals(b.subarray(start, end))
  })
