// Which messages to groups are taken here and not done yet: in memory, rebuilt from their index rows when the database is opened.
// Ages count from when this home took them, or was opened: no clock of another machine is believed.
import { toMapKey } from '../../protocol/bytes.ts'

export interface OpenRow {
  key: Buffer
  group: string
  version: number
  recordKey: Buffer
  /** By the monotonic clock. */
  since: number
}

export class FanOutIndex {
  readonly #rows = new Map<string, OpenRow>()
  readonly #byGroup = new Map<string, Map<string, OpenRow>>()

  get size(): number {
    return this.#rows.size
  }

  set(row: OpenRow): void {
    const mapKey = toMapKey(row.key)
    this.#rows.set(mapKey, row)
    let group = this.#byGroup.get(row.group)
    if (!group) this.#byGroup.set(row.group, (group = new Map()))
    group.set(mapKey, row)
  }

  get(key: Buffer): OpenRow | undefined {
    return this.#rows.get(toMapKey(key))
  }

  delete(key: Buffer): void {
    const mapKey = toMapKey(key)
    const row = this.#rows.get(mapKey)
    if (!row) return
    this.#rows.delete(mapKey)
    const group = this.#byGroup.get(row.group)
    group?.delete(mapKey)
    if (group?.size === 0) this.#byGroup.delete(row.group)
  }

  countOf(group: string): number {
    return this.#byGroup.get(group)?.size ?? 0
  }

  /** Record keys of what was taken at this version. */
  at(group: string, version: number): Buffer[] {
    const rows = [...(this.#byGroup.get(group)?.values() ?? [])]
    return rows.filter((row) => row.version === version).map(({ recordKey }) => recordKey)
  }

  /** The oldest first: rows are added in the order of time. */
  *before(time: number): Generator<OpenRow> {
    for (const row of this.#rows.values()) if (row.since <= time) yield row
  }
}
