// What a media home tells others of its blobs and pins: a shard in the order of its rows, page by page.
import type { Database } from '../../platform/ports.ts'
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import type { MediaEntry, mediaList, RequestOf, ResponseOf } from '../../protocol/rpc.ts'
import type { MediaContext } from './media-context.ts'
import {
  type BlobFacts,
  blobKey,
  blobOfKey,
  isBarePin,
  isEndedPin,
  openEndValue,
  openJsonValue,
  openPinValue,
  pinOfKey,
  shardRange,
} from './rows.ts'

const ROWS_PER_PAGE = 2_000
/** What proves an ended pin may be as large as a thousand other rows, and a page is one frame. */
const PAGE_BYTES = limits.maxPeerFrameBytes / 2

export const pageOf = async (
  { index }: MediaContext,
  { shard, after }: RequestOf<typeof mediaList>,
): Promise<ResponseOf<typeof mediaList>> => {
  if (!Number.isInteger(shard) || shard < 0 || shard > 255) throw new ChatError('RPC_INVALID')
  const { gte, lt } = shardRange(shard)
  const rows = await index.database.range({ ...(after ? { gt: after } : { gte }), lt, limit: ROWS_PER_PAGE })
  const entries = new Map<string, MediaEntry>()
  const cut = rows[0] && after && begunBefore(index.database, rows[0][0])
  if (cut) entries.set(cut.blob, cut)
  let bytes = 0
  let next = rows.length === ROWS_PER_PAGE ? rows.at(-1)?.[0] : undefined
  for (const [key, value] of rows) {
    const blob = blobOfKey(key)
    const entry = entries.get(blob) ?? { blob, pins: [] }
    entries.set(blob, entry)
    addRow(entry, key, value)
    bytes += key.length + value.length
    if (bytes < PAGE_BYTES) continue
    next = key
    break
  }
  return { entries: [...entries.values()], ...(next ? { next } : {}) }
}

/** A blob of which only pins are left for this page: its own row is told again, since whoever takes pins takes them with their blob. */
const begunBefore = (database: Database, row: Uint8Array): MediaEntry | undefined => {
  if (!pinOfKey(row)) return undefined
  const blob = blobOfKey(row)
  const [entry, key] = [{ blob, pins: [] }, blobKey(blob)]
  const value = database.get(key)
  if (value) addRow(entry, key, value)
  return entry
}

/** A damaged row says nothing. */
const addRow = (entry: MediaEntry, key: Uint8Array, value: Uint8Array): void => {
  const pin = pinOfKey(key)
  if (!pin) {
    const facts = openJsonValue<BlobFacts>(key, value)
    if (facts) entry.whole = { size: facts.size, user: facts.user, at: facts.at }
    return
  }
  if (isEndedPin(pin)) {
    const end = openEndValue(key, value)
    if (end) (entry.ended ??= []).push([pin.subarray(0, -1), end.hour, end.tombstone, end.certificate])
    return
  }
  const hour = openPinValue(key, value)
  if (hour !== undefined) (isBarePin(pin) ? entry.pins : (entry.owned ??= [])).push([pin, hour])
}
