// Says of a new record, without asking LevelDB, that its entry is surely not here: a Bloom filter over all entries of the home.
// A look-up that finds nothing costs 3 microseconds, and nearly every append makes two. Entries are added when they are staged and
// never removed; past some ten million entries it says "maybe" more and more often, which is slower and still right.

import { asBuffer } from '../../protocol/bytes.ts'
import { RECORD_KEY_BYTES } from '../../protocol/records.ts'

/** 16 bits for each of a million entries: one wrong "maybe" in 400. 2 MiB. */
const WORDS = 2 ** 19
/** What a home begins with, and most need no more: the same for 8,000 entries. 16 KiB. */
const SMALL_WORDS = 2 ** 12
const MAX_SMALL_ENTRIES = SMALL_WORDS * 2
const PROBES = 4

export class EntryFilter {
  #bits = new Uint32Array(SMALL_WORDS)
  /** While it is small, what was added, as pairs of first probe and step: to fill the large one with. */
  #added: number[] | undefined = []

  add(mix: number, recordKey: Uint8Array): void {
    const [at, step] = [start(mix, recordKey), stepOf(recordKey)]
    this.#set(at, step)
    if (this.#added && this.#added.push(at, step) > 2 * MAX_SMALL_ENTRIES) this.#grow(this.#added)
  }

  /** False: this record has no entry in the mailbox. */
  mayHave(mix: number, recordKey: Uint8Array): boolean {
    const bits = this.#bits
    const mask = bits.length * 32 - 1
    let at = start(mix, recordKey)
    const step = stepOf(recordKey)
    for (let probe = 0; probe < PROBES; probe++, at += step) {
      if (((bits[(at & mask) >>> 5] ?? 0) & (1 << (at & 31))) === 0) return false
    }
    return true
  }

  #set(first: number, step: number): void {
    const bits = this.#bits
    const mask = bits.length * 32 - 1
    for (let probe = 0, at = first; probe < PROBES; probe++, at += step) {
      const word = (at & mask) >>> 5
      bits[word] = (bits[word] ?? 0) | (1 << (at & 31))
    }
  }

  #grow(added: number[]): void {
    this.#bits = new Uint32Array(WORDS)
    this.#added = undefined
    for (let i = 0; i < added.length; i += 2) this.#set(added[i] ?? 0, added[i + 1] ?? 0)
  }
}

// The second half of a record key is a part of a SHA-256, so its bits are as good as any hash of them.
const start = (mix: number, recordKey: Uint8Array): number =>
  (asBuffer(recordKey).readUInt32LE(RECORD_KEY_BYTES - 16) ^ mix) >>> 0
const stepOf = (recordKey: Uint8Array): number => asBuffer(recordKey).readUInt32LE(RECORD_KEY_BYTES - 12) | 1
