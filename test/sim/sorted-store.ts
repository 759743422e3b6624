// The bytes of a simulated database: an ordered map that remembers its last batches, so that a power cut can take the
// unsynced ones back and damage can take synced ones. Knows nothing of time.
import { fromMapKey, toMapKey } from '../../src/protocol/bytes.ts'
import type { DatabaseWrite, KeyRange } from '../../src/platform/ports.ts'

interface Change {
  key: string
  before: Uint8Array | undefined
  after: Uint8Array | undefined
}
interface Batch {
  changes: Change[]
  /** Then so is everything before it: it is in the same log. */
  isSynced: boolean
}

/** As many batches as a damaged block of a log can take away. */
const REMEMBERED_BATCHES = 200

export class SortedStore {
  /** Latin-1 strings: their order is that of the bytes. */
  #keys: string[] = []
  #values = new Map<string, Uint8Array>()
  #batches: Batch[] = []

  get size(): number {
    return this.#keys.length
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(toMapKey(key))
  }

  entries(): [Uint8Array, Uint8Array][] {
    return this.range({})
  }

  range(range: KeyRange): [Uint8Array, Uint8Array][] {
    const low = range.gte ? this.#indexOf(toMapKey(range.gte)) : range.gt ? this.#indexAfter(toMapKey(range.gt)) : 0
    const high = range.lt
      ? this.#indexOf(toMapKey(range.lt))
      : range.lte
        ? this.#indexAfter(toMapKey(range.lte))
        : this.#keys.length
    const keys = this.#keys.slice(low, Math.max(low, high))
    if (range.reverse) keys.reverse()
    const wanted = range.limit === undefined || range.limit < 0 ? keys : keys.slice(0, range.limit)
    return wanted.map((key) => [fromMapKey(key), this.#values.get(key) ?? new Uint8Array(0)])
  }

  apply(writes: DatabaseWrite[], isSynced: boolean): void {
    const changes = writes.map(({ key, value }) => this.#set(toMapKey(key), value && new Uint8Array(value)))
    this.#batches.push({ changes, isSynced })
    if (this.#batches.length > REMEMBERED_BATCHES) this.#batches.shift()
  }

  /** All that was written is durable now. */
  sync(): void {
    for (const batch of this.#batches) batch.isSynced = true
  }

  unsyncedBatches(): number {
    return this.#batches.length - this.#batches.findLastIndex((batch) => batch.isSynced) - 1
  }

  /** Keys (latin1) that a power cut might change. */
  unsyncedKeys(): Set<string> {
    const unsynced = this.#batches.slice(this.#batches.length - this.unsyncedBatches())
    return new Set(unsynced.flatMap(({ changes }) => changes.map(({ key }) => key)))
  }

  /** What a power cut would leave under this key. */
  durable(key: Uint8Array): Uint8Array | undefined {
    const name = toMapKey(key)
    const unsynced = this.#batches.slice(this.#batches.length - this.unsyncedBatches())
    const first = unsynced.flatMap(({ changes }) => changes).find((change) => change.key === name)
    return first ? first.before : this.#values.get(name)
  }

  /** Takes the newest batches back, as a power cut does; only unsynced ones should be asked for. */
  undoLast(count: number): void {
    for (let i = 0; i < count; i++) {
      const batch = this.#batches.pop()
      for (const { key, before } of batch?.changes.reverse() ?? []) this.#set(key, before)
    }
  }

  /** Takes `count` batches away that end `fromEnd` before the newest, synced or not, and leaves what later ones wrote: a damaged block of the log. */
  loseBatches(fromEnd: number, count: number): number {
    const end = Math.max(0, this.#batches.length - fromEnd)
    const lost = this.#batches.splice(Math.max(0, end - count), Math.min(count, end))
    const later = new Set(
      this.#batches.slice(Math.max(0, end - count)).flatMap((batch) => batch.changes.map((c) => c.key)),
    )
    for (const batch of lost.reverse()) {
      for (const { key, before } of batch.changes.reverse()) if (!later.has(key)) this.#set(key, before)
    }
    return lost.length
  }

  /** Flips one bit of one value: a damaged table. `at` is between 0 and 1. */
  flipBit(at: number): void {
    const key = this.#keys[Math.floor(at * this.#keys.length)]
    const value = key === undefined ? undefined : this.#values.get(key)
    if (key === undefined || value === undefined || value.length === 0) return
    const copy = new Uint8Array(value)
    const index = Math.floor(at * 7919 * value.length) % value.length
    copy[index] = (copy[index] ?? 0) ^ 0x10
    this.#values.set(key, copy)
  }

  clear(): void {
    this.#keys = []
    this.#values = new Map()
    this.#batches = []
  }

  #set(key: string, value: Uint8Array | undefined): Change {
    const before = this.#values.get(key)
    const index = this.#indexOf(key)
    if (value === undefined) {
      if (before !== undefined) this.#keys.splice(index, 1)
      this.#values.delete(key)
    } else {
      if (before === undefined) this.#keys.splice(index, 0, key)
      this.#values.set(key, value)
    }
    return { key, before, after: value }
  }

  /** The first place whose key is not below. */
  #indexOf(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#keys[middle] ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }

  #indexAfter(key: string): number {
    const index = this.#indexOf(key)
    return this.#keys[index] === key ? index + 1 : index
  }
}
