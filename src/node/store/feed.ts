// Pages of a mailbox's feed: what this home inserted after a number, in the order of insertion. Shows durable entries only.

import { limits } from '../../protocol/limits.ts'
import { RECORD_KEY_BYTES } from '../../protocol/records.ts'
import type { FeedPage, StoredRecord } from '../../protocol/rpc.ts'
import type { Home } from './home.ts'
import { numberKey, numberOfKey, type Place } from './keys.ts'
import { findEntry, readRecord } from './lookup.ts'
import { type NumberValue, openNumberValue } from './values.ts'

export interface PageOptions {
  after: number
  limit: number
  records: boolean
  now: number
}
/** A page without the name of its home. */
export type HomePage = Omit<FeedPage, 'home'>

type Row = NumberValue & { number: number }

/**
 * The entries numbered above `after`. `to` is the home's last durable number when nothing is left, so that cursors advance
 * past the numbers of other mailboxes; `to < head` means there is more.
 */
export const readPage = async (home: Home, place: Place, options: PageOptions): Promise<HomePage> => {
  const limit = Math.max(1, Math.min(options.limit, limits.maxFeedPageKeys))
  const { feed } = home.facts
  const head = home.numbers.durableNumber
  const after = Math.min(options.after, head)
  const range = { gt: numberKey(place, after), lte: numberKey(place, head), limit: limit + 1 }
  const found = (await home.database.range(range)).map(toRow)
  let rows = found.slice(0, limit)
  let records: StoredRecord[] | undefined
  if (options.records) {
    const read = readRows(home, place, { rows, now: options.now })
    rows = read.rows
    records = read.records
  }
  const isLast = rows.length === found.length
  const keys = Buffer.concat(rows.flatMap((row) => ('recordKey' in row ? [row.recordKey] : [])))
  const page = { feed, from: after, to: isLast ? head : (rows.at(-1)?.number ?? after), head, keys }
  return records && records.length * RECORD_KEY_BYTES === keys.length ? { ...page, records } : page
}

/** A row whose value is damaged keeps its number, so that the page goes on behind it; repair brings the record again. */
const toRow = ([key, bytes]: [Uint8Array, Uint8Array]): Row | { number: number } => {
  const number = numberOfKey(key)
  const value = openNumberValue(key, bytes)
  return value ? { ...value, number } : { number }
}

type Rows = (Row | { number: number })[]
/** The records of the first rows that fit into one answer. Fewer records than rows: some is deleted, and the page has ids only. */
const readRows = (
  home: Home,
  place: Place,
  { rows, now }: { rows: Rows; now: number },
): { rows: Rows; records: StoredRecord[] } => {
  const records: StoredRecord[] = []
  let bytes = 0
  for (const [index, row] of rows.entries()) {
    const record = 'recordKey' in row ? readRecord(home, place, { ...row, now }) : undefined
    bytes += record?.sealed.length ?? 0
    if (bytes > limits.maxFetchBytes && index > 0) return { rows: rows.slice(0, index), records }
    if (record) records.push(record)
  }
  return { rows, records }
}

/** The records of these keys, null for what is not here; fewer than asked when they would not fit into one answer. */
export const fetchRecords = (
  home: Home,
  place: Place,
  { keys, now }: { keys: Buffer[]; now: number },
): (StoredRecord | null)[] => {
  const records: (StoredRecord | null)[] = []
  let bytes = 0
  for (const recordKey of keys.slice(0, limits.maxFetchKeys)) {
    const entry = findEntry(home, place, recordKey)
    const record = entry && readRecord(home, place, { ...entry, recordKey, now })
    bytes += record?.sealed.length ?? 0
    if (bytes > limits.maxFetchBytes && records.length > 0) break
    records.push(record ?? null)
  }
  return records
}
