// What one home keeps of groups: registers, messages on their way, and what it knows of other homes' lives. Wires the parts; the rules
// are in them. The simulation of registers runs this very class.
import type { Clock } from '../../platform/ports.ts'
import { compareBytes } from '../../protocol/bytes.ts'
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import type { ResponseOf, ledgerRows } from '../../protocol/rpc.ts'
import { allFanOuts, allRegisters, isRegisterKey, shardOfLedgerKey } from './keys.ts'
import { KnownFeeds } from './known-feeds.ts'
import { LedgerFanOuts } from './ledger-fan-outs.ts'
import { LedgerRegisters } from './ledger-registers.ts'
import type { StagedRows } from './staged-rows.ts'

const ROWS_PER_PAGE = 1_000
const FLUSH_MS = 500

export interface LedgerPorts {
  rows: StagedRows
  clock: Clock
  /** A row does not check out: this home has forgotten something that it promised, and must read it back. */
  onDamage: () => void
}
export type LedgerRow = ResponseOf<typeof ledgerRows>['rows'][number]
export interface LedgerPage {
  rows: LedgerRow[]
  next?: Uint8Array
}

export class Ledger {
  readonly feeds: KnownFeeds
  readonly registers: LedgerRegisters
  readonly fanOuts: LedgerFanOuts
  readonly #rows: StagedRows
  readonly #clock: Clock
  #isFlushing = false

  constructor({ rows, clock, onDamage }: LedgerPorts) {
    const forget = (key: Buffer): ChatError => {
      rows.delete(key)
      onDamage()
      return new ChatError('STORE_SYNCING', { message: 'Something that this store promised is damaged' })
    }
    this.#rows = rows
    this.#clock = clock
    this.feeds = new KnownFeeds(rows)
    this.registers = new LedgerRegisters(rows, this.feeds, forget)
    this.fanOuts = new LedgerFanOuts(rows, clock, forget)
  }

  /** Resolves when everything that was staged is on disk. */
  commit(): Promise<void> {
    return this.#rows.commit()
  }

  /** For what nobody waits for: it goes with the next batch, or by itself in a moment. */
  commitSoon(): void {
    if (this.#isFlushing) return
    this.#isFlushing = true
    this.#clock.after(FLUSH_MS, () => {
      this.#isFlushing = false
      this.commit().catch(() => {}) // a broken disk; what was done is then done again
    })
  }

  /** Messages and registers of these shards, in the order of their keys; `next` is where the next page goes on. */
  async page(shards: ReadonlySet<number>, after: Uint8Array = allFanOuts.gte): Promise<LedgerPage> {
    const [range, following] = [allFanOuts, allRegisters].filter(({ lt }) => compareBytes(after, lt) < 0)
    if (!range) return { rows: [] }
    const gt = compareBytes(after, range.gte) > 0 ? after : range.gte // no row is as short as that
    const found = await this.#rows.range({ gt, lt: range.lt, limit: ROWS_PER_PAGE })
    const rows: LedgerRow[] = []
    let bytes = 0
    for (const [index, [key, value]] of found.entries()) {
      if (shards.has(shardOfLedgerKey(key))) {
        rows.push({ key, value })
        bytes += key.length + value.length
      }
      if (bytes > limits.maxFetchBytes && index < found.length - 1) return { rows, next: key }
    }
    const last = found.at(-1)
    if (found.length === ROWS_PER_PAGE && last) return { rows, next: last[0] }
    return { rows, ...(following ? { next: following.gte } : {}) }
  }

  /** What another home knows to be decided; RPC_INVALID for what is no row. */
  takeOver(rows: readonly LedgerRow[]): void {
    for (const { key, value } of rows) if (isRegisterKey(key)) this.registers.takeOver(Buffer.from(key), value)
  }

  /** Rows of another home; RPC_INVALID for what is none. */
  keep(rows: readonly LedgerRow[]): void {
    for (const { key, value } of rows) {
      const part = isRegisterKey(key) ? this.registers : this.fanOuts
      part.keep(Buffer.from(key), value)
    }
  }
}
