// Says of a new record, without asking LevelDB, that its entry is surely not here: a Bloom filter over all entries of the home.
// A look-up that finds nothing costs 3 microseconds, and nearly every append makes two. Entries are added when they are staged and
// never removed; past some ten million entries it says "maybe" more and more often, which is slower and still right.

import { asBuffer } from '../../protocol/bytes.ts'
import { RECORD_KEY_BYTES } from '../../protocol/records.ts'

/** 16 bits for each of a million entries: one wrong "maybe" in 400. 2 MiB. */
const WORDS = 2 ** 19
const MASK = WORDS * 32 - 1
const PROBES = 4

export class EntryFilter {
  readonly #bits = new Uint32Array(WORDS)

  add(shard: number, recordKey: Uint8Array): void {
    let at = start(shard, recordKey)
    const step = stepOf(recordKey)
    for (let probe = 0; probe < PROBES; probe++, at += step) {
      const word = (at & MASK) >>> 5
      this.#bits[word] = (this.#bits[word] ?? 0) | (1 << (at & 31))
    }
  }

  /** False: no entry of this record is in any mailbox of the shard. */
  mayHave(shard: number, recordKey: Uint8Array): boolean {
    let at = start(shard, recordKey)
    const step = stepOf(recordKey)
    for (let probe = 0; probe < PROBES; probe++, at += step) {
      if (((this.#bits[(at & MASK) >>> 5] ?? 0) & (1 << (at & 31))) === 0) return false
    }
    return true
  }
}

// The second half of a record key is a part of a SHA-256, so its bits are as good as any hash of them.
const start = (shard: number, recordKey: Uint8Array): number =>
  (asBuffer(recordKey).readUInt32LE(RECORD_KEY_BYTES - 16) ^ Math.imul(shard, 0x9e3779b1)) >>> 0
const stepOf = (recordKey: Uint8Array): number => asBuffer(recordKey).readUInt32LE(RECORD_KEY_BYTES - 12) | 1
