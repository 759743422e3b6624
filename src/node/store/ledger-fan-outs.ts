// Messages on their way to the members of a group version, as one home keeps them: taken, done, dropped. A done one leaves its version
// behind, so that the same message sent again is known. Everything is staged in the turn of the call; the caller answers after `commit`.
import { mutant } from '../../platform/mutants.ts'
import type { Clock } from '../../platform/ports.ts'
import { ChatError } from '../../protocol/errors.ts'
import { asBuffer } from '../../protocol/bytes.ts'
import { limits } from '../../protocol/limits.ts'
import { groupMailbox } from '../../protocol/names.ts'
import { openRecord, recordKey } from '../../protocol/records.ts'
import type { FanOutMode, OpenFanOut } from '../../protocol/rpc.ts'
import { SHARDS } from '../replication/placement.ts'
import { eachRow } from './each-row.ts'
import { FanOutIndex } from './fan-out-index.ts'
import {
  allFanOuts,
  allOpen,
  fanOutKey,
  fanOutsBefore,
  fanOutKeyOfOpen,
  groupOfFanOut,
  openKey,
  placeOf,
  recordKeyOf,
} from './keys.ts'
import { type FanOutValue, fanOutValue, openFanOutValue } from './ledger-values.ts'
import type { StagedRows } from './staged-rows.ts'

/** On their way at once in one group: their keys fit into one register, and a group that falls behind is slowed here. */
const MAX_OPEN = 4_000
const DONE = Buffer.alloc(0)
const ROWS_PER_TURN = 1_000

export interface Taken {
  version: number
  isDone: boolean
}

interface Ended {
  group: string
  version: number
  recordKey: Uint8Array
  isVoid: boolean
}

export class LedgerFanOuts {
  readonly #rows: StagedRows
  readonly #clock: Clock
  readonly #onDamage: (key: Buffer) => ChatError
  readonly #index = new FanOutIndex()
  #sweptTo = 0

  constructor(rows: StagedRows, clock: Clock, onDamage: (key: Buffer) => ChatError) {
    this.#rows = rows
    this.#clock = clock
    this.#onDamage = onDamage
  }

  /** Finds what is open, before anything is asked; false when some of it is damaged, which is then no longer there. */
  async load(): Promise<boolean> {
    let isIntact = true
    await eachRow(this.#rows, allOpen, (key) => {
      if (!this.#find(fanOutKeyOfOpen(key))) isIntact = false
    })
    return isIntact
  }

  get openCount(): number {
    return this.#index.size
  }

  /** `newest`: the highest version accepted here. GROUP_SEALED, PEER_OVERLOADED, MESSAGE_INVALID. */
  take(item: OpenFanOut, { mode, newest }: { mode: FanOutMode; newest: number }): Taken {
    const { group, version, sealed } = item
    const key = this.#keyOf(item)
    const row = this.#get(key)
    if (mode === 'look' && !row) return { version: 0, isDone: false }
    if (row && (isDone(row) || mode === 'look')) return { version: row.version, isDone: isDone(row) }
    // Even if it is here: what was not here in time, or was only read from another home, is on no list. Who asks there finds out.
    if (mode !== 'settled' && newest > version && !mutant('fan-out-after-seal')) throw new ChatError('GROUP_SEALED')
    if (row && !mayReplace(row, version, mode)) return { version: row.version, isDone: false }
    if (!row && this.#index.countOf(group) >= MAX_OPEN) throw new ChatError('PEER_OVERLOADED')
    this.#put(key, group, { version, acceptedAt: item.acceptedAt, sealed })
    return { version, isDone: false }
  }

  /** Nobody need finish it at this version any more: all members have it, or, void, it was not taken in time. */
  end({ group, version, recordKey, isVoid }: Ended): void {
    const key = fanOutKey(placeOf(groupMailbox(group)), recordKey)
    const row = this.#get(key)
    if (row && isDone(row)) return
    if (!isVoid) {
      this.#rows.put(key, fanOutValue(key, { version, acceptedAt: row?.acceptedAt ?? 0, sealed: DONE }))
    } else if (row?.version === version) this.#rows.delete(key)
    else return
    if (row) this.#rows.delete(openKey(key))
    this.#index.delete(key)
  }

  /** Milliseconds since this home took it; undefined when it is not open. */
  ageOf(key: Buffer): number | undefined {
    const since = this.#index.get(key)?.since
    return since === undefined ? undefined : this.#clock.monotonic() - since
  }

  /** Record keys of what is open at a version. */
  openAt(group: string, version: number): Buffer {
    return Buffer.concat(this.#index.at(group, version))
  }

  /** Open for so long: the oldest, as many as fit into one answer. */
  open(olderThanMs: number): OpenFanOut[] {
    const items: OpenFanOut[] = []
    let bytes = 0
    for (const { key, group } of this.#index.before(this.#clock.monotonic() - olderThanMs)) {
      const row = this.#get(key)
      if (!row || isDone(row)) continue
      bytes += row.sealed.length
      if (items.length > 0 && (bytes > limits.maxFetchBytes || items.length >= limits.maxFetchKeys)) break
      items.push({ group, version: row.version, sealed: row.sealed, acceptedAt: row.acceptedAt })
    }
    return items
  }

  /**
   * A row of another home: done beats open. Of two open ones ours stays, for a quorum may have been told of it; but what is left over of a
   * version that did not take a message gives way to a later one. RPC_INVALID for what is none.
   */
  keep(key: Buffer, value: Uint8Array): void {
    const theirs = openFanOutValue(key, value)
    if (!theirs) throw new ChatError('RPC_INVALID', { message: 'A row is damaged' })
    const own = this.#peek(key)
    if (own && (isDone(own) || (!isDone(theirs) && !isLeftOver(own, theirs)))) return
    if (!isDone(theirs)) return this.#put(key, groupOfFanOut(key), theirs)
    this.#rows.put(key, fanOutValue(key, theirs))
    if (own) this.#rows.delete(openKey(key))
    this.#index.delete(key)
  }

  /** What is done and so old that no gateway takes it again is forgotten, a thousand at a time. */
  async sweep(cutoffHour: number): Promise<void> {
    if (cutoffHour <= this.#sweptTo) return
    this.#sweptTo = cutoffHour
    if ((await this.#rows.range({ ...allFanOuts, limit: 1 })).length === 0) return
    for (let shard = 0; shard < SHARDS; shard++) {
      const range = fanOutsBefore(shard, cutoffHour)
      const rows = await this.#rows.range({ ...range, limit: ROWS_PER_TURN })
      if (rows.length === ROWS_PER_TURN) this.#sweptTo = 0
      for (const [key, bytes] of rows) {
        const row = openFanOutValue(key, bytes)
        if (row && isDone(row)) this.#rows.delete(asBuffer(key))
      }
      if (rows.length > 0) await this.#rows.commit()
    }
  }

  #find(key: Buffer): boolean {
    const row = this.#peek(key)
    if (!row || isDone(row)) {
      this.#rows.delete(key)
      this.#rows.delete(openKey(key))
      return false
    }
    this.#index.set(this.#indexed(key, groupOfFanOut(key), row.version))
    return true
  }

  #put(key: Buffer, group: string, row: FanOutValue): void {
    this.#rows.put(key, fanOutValue(key, row))
    this.#rows.put(openKey(key), DONE)
    this.#index.set(this.#indexed(key, group, row.version))
  }

  #indexed(key: Buffer, group: string, version: number): Parameters<FanOutIndex['set']>[0] {
    return { key, group, version, recordKey: recordKeyOf(key), since: this.#clock.monotonic() }
  }

  #keyOf({ group, version, sealed, acceptedAt }: OpenFanOut): Buffer {
    const isWhole = isVersion(version) && Number.isSafeInteger(acceptedAt) && acceptedAt >= 0
    if (!isWhole) throw new ChatError('RPC_INVALID', { message: 'A number of the record is malformed' })
    if (sealed.length > limits.maxRecordBytes) throw new ChatError('MESSAGE_TOO_LARGE')
    const opened = openRecord(sealed)
    if (opened.group !== group) throw new ChatError('RPC_INVALID', { message: 'The record is not for that group' })
    return fanOutKey(placeOf(groupMailbox(group)), recordKey(opened.header.id, sealed))
  }

  #get(key: Buffer): FanOutValue | undefined {
    const bytes = this.#rows.get(key)
    const row = bytes && openFanOutValue(key, bytes)
    if (bytes && !row) throw this.#onDamage(key)
    return row
  }

  /** undefined also for a damaged one. */
  #peek(key: Buffer): FanOutValue | undefined {
    const bytes = this.#rows.get(key)
    return bytes && openFanOutValue(key, bytes)
  }
}

/** A verdict stands above every row that is not done; what is left over of a lower version gives way to a higher one. */
const mayReplace = (row: FanOutValue, version: number, mode: FanOutMode): boolean => {
  if (row.version === version) return false
  return mode === 'settled' || (mode === 'replace' && row.version < version)
}
/** Whoever takes a message at a version has looked first whether one before it, from the one that its author knew, did. */
const isLeftOver = (row: FanOutValue, later: FanOutValue): boolean => {
  if (later.version <= row.version) return false
  const { header } = openRecord(row.sealed)
  return header.k === 'msg' && header.gv !== undefined && header.gv <= row.version
}
const isVersion = (version: number): boolean => Number.isInteger(version) && version >= 1 && version <= limits.maxNumber
const isDone = ({ sealed }: FanOutValue): boolean => sealed.length === 0
