// Removing what has expired: whole hours below the retention's cut-off, and single records past an expiry of their own.
// Runs now and then; until then expired records are neither accepted nor compared with other homes.

import { fromHex } from '../../protocol/bytes.ts'
import { openHeader } from '../../protocol/sealed.ts'
import { cutoffHour, lastHourOver } from './admission.ts'
import type { Draft } from './commit-queue.ts'
import type { Home } from './home.ts'
import {
  bodyKey,
  entryKeyOfExpiry,
  expiriesUpTo,
  hourOfId,
  lateKey,
  numberKey,
  openEntryKey,
  placeOf,
  shardHourStart,
  tombKey,
} from './keys.ts'
import { entryDigest, isTomb, openBodyValue, openEntryValue } from './values.ts'

/** Entries removed by one batch: few enough that appends beside it do not wait long. */
const ENTRIES_PER_BATCH = 500

/** Removes everything that has expired at `now`; how many entries. */
export const sweepExpired = async (
  home: Home,
  { now, retentionMs }: { now: number; retentionMs: number },
): Promise<number> => {
  let removed = 0
  for (const { shard, hour } of home.digests.expiredHours(cutoffHour(now, retentionMs))) {
    const gte = shardHourStart(shard, hour)
    const lt = Buffer.concat([gte, Buffer.from([0xff])])
    removed += await removeAll(home, { gte, lt }, (key) => ({ entry: key }))
  }
  const own = expiriesUpTo(lastHourOver(now))
  return removed + (await removeAll(home, own, (key) => ({ entry: entryKeyOfExpiry(key), index: key })))
}

const removeAll = async (
  home: Home,
  range: { gte: Uint8Array; lt: Uint8Array },
  toKeys: (key: Buffer) => { entry: Buffer; index?: Buffer },
): Promise<number> => {
  let removed = 0
  for (;;) {
    const keys = await home.database.keys({ ...range, limit: ENTRIES_PER_BATCH })
    if (keys.length === 0) return removed
    const draft = home.queue.draft()
    for (const key of keys) {
      const { entry, index } = toKeys(Buffer.from(key))
      stageRemoval(home, draft, entry)
      if (index) draft.delete(index)
    }
    await home.queue.commit()
    removed += keys.length
  }
}

const stageRemoval = (home: Home, draft: Draft, key: Buffer): void => {
  const bytes = home.database.get(key)
  if (!bytes) return
  const { shard, hour, mailbox, recordKey } = openEntryKey(key)
  const place = placeOf(mailbox)
  const value = openEntryValue(key, bytes)
  draft.delete(key)
  if (value) draft.delete(numberKey(place, value.number))
  if (hour !== hourOfId(recordKey)) draft.delete(lateKey(place, recordKey))
  const body = home.database.get(bodyKey(hour, recordKey))
  if (body && value && isTomb(value.flags)) {
    const { target, from } = openHeader(openBodyValue(body).sealed)
    draft.delete(tombKey(place, fromHex(String(target)), String(from)))
  }
  // The record's other mailbox expires in the same hour, so nobody needs the body any more.
  draft.delete(bodyKey(hour, recordKey))
  draft.removed.push({ shard, hour, digest: entryDigest(place.salt, recordKey) })
}
