// Rows that are changed in place: what this turn reads is what the turn before wrote, whether or not it is on disk yet. A promise that
// is still on its way to the disk binds already; only its answer waits.
import { toMapKey } from '../../protocol/bytes.ts'
import type { Database, KeyRange } from '../../platform/ports.ts'

export interface RowPorts {
  database: Pick<Database, 'get' | 'range'>
  /** Of this turn. STORE_READ_ONLY, PEER_OVERLOADED. */
  draft: () => { put(key: Buffer, value: Buffer): void; delete(key: Buffer): void }
  /** Resolves when everything staged so far is on disk. */
  commit: () => Promise<void>
}

export class StagedRows {
  readonly #ports: RowPorts
  readonly #staged = new Map<string, Buffer | undefined>()
  /** Staged since the last commit. */
  #fresh: { mapKey: string; value: Buffer | undefined }[] = []

  constructor(ports: RowPorts) {
    this.#ports = ports
  }

  get(key: Buffer): Uint8Array | undefined {
    const mapKey = toMapKey(key)
    return this.#staged.has(mapKey) ? this.#staged.get(mapKey) : this.#ports.database.get(key)
  }

  put(key: Buffer, value: Buffer): void {
    this.#ports.draft().put(key, value)
    this.remember(key, value)
  }

  delete(key: Buffer): void {
    this.#ports.draft().delete(key)
    this.remember(key, undefined)
  }

  /** For this life of the process only. */
  remember(key: Buffer, value: Buffer | undefined): void {
    const mapKey = toMapKey(key)
    this.#staged.set(mapKey, value)
    this.#fresh.push({ mapKey, value })
  }

  async commit(): Promise<void> {
    const fresh = this.#fresh
    this.#fresh = []
    await this.#ports.commit()
    for (const { mapKey, value } of fresh) {
      if (this.#staged.get(mapKey) === value) this.#staged.delete(mapKey)
    }
  }

  /** Rows that are on disk. */
  range(range: KeyRange): Promise<[Uint8Array, Uint8Array][]> {
    return this.#ports.database.range(range)
  }
}
