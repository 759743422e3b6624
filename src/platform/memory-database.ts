// The Database port in memory: tests, the simulator, clients without a directory. Keeps nothing when the process ends.
// Keys are held as latin1 strings: one character per byte, so that comparing strings is comparing bytes.

import BTreeModule from 'sorted-btree'
import { fromMapKey, toMapKey } from '../protocol/bytes.ts'
import type { Database, DatabaseWrite, KeyRange } from './ports.ts'

// CommonJS under Node: the class is the `default` of what is imported.
const BTree = BTreeModule.default ?? BTreeModule
type Tree = InstanceType<typeof BTree<string, Uint8Array>>
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export class MemoryDatabase implements Database {
  readonly #tree: Tree = new BTree<string, Uint8Array>(undefined, compare)
  #isClosed = false

  get size(): number {
    return this.#tree.size
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#assertOpen()
    return this.#tree.get(toMapKey(key))
  }

  async range(range: KeyRange): Promise<[Uint8Array, Uint8Array][]> {
    return this.#select(range).map(([key, value]) => [fromMapKey(key), value])
  }

  async keys(range: KeyRange): Promise<Uint8Array[]> {
    return this.select(range)
  }

  async batch(writes: DatabaseWrite[], _options: { sync: boolean }): Promise<void> {
    this.apply(writes)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  /** The keys of a range, at once. */
  select(range: KeyRange): Buffer[] {
    return this.#select(range).map(([key]) => fromMapKey(key))
  }

  /** Writes at once; returns what undoes it. */
  apply(writes: DatabaseWrite[]): DatabaseWrite[] {
    this.#assertOpen()
    const undo: DatabaseWrite[] = []
    for (const { key, value } of writes) {
      const mapKey = toMapKey(key)
      undo.push({ key, value: this.#tree.get(mapKey) })
      if (value === undefined) this.#tree.delete(mapKey)
      else this.#tree.set(mapKey, Uint8Array.prototype.slice.call(value))
    }
    return undo.reverse()
  }

  #select(range: KeyRange): [string, Uint8Array][] {
    this.#assertOpen()
    const { limit = Infinity, reverse = false } = range
    const low = bound(range.gt, range.gte)
    const high = bound(range.lt, range.lte)
    const rows: [string, Uint8Array][] = []
    const pairs = reverse ? this.#tree.entriesReversed(high?.key) : this.#tree.entries(low?.key)
    for (const [key, value] of pairs) {
      if (rows.length >= limit) break
      if (low && (key < low.key || (low.isOpen && key === low.key))) {
        if (reverse) break
        continue
      }
      if (high && (key > high.key || (high.isOpen && key === high.key))) {
        if (!reverse) break
        continue
      }
      rows.push([key, value])
    }
    return rows
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new Error('the database is closed')
  }
}

const bound = (
  open: Uint8Array | undefined,
  closed: Uint8Array | undefined,
): { key: string; isOpen: boolean } | undefined => {
  const key = open ?? closed
  return key === undefined ? undefined : { key: toMapKey(key), isOpen: open !== undefined }
}
