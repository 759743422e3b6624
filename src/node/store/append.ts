// Puts records into mailboxes: every entry once, its body once per home, all within the batch of this turn.
// Used by the appends of gateways and by repair alike, so that both make the same entries.

import { mutant } from '../../platform/mutants.ts'
import { toMapKey } from '../../protocol/bytes.ts'
import { isGroupId } from '../../protocol/names.ts'
import { openHeader } from '../../protocol/sealed.ts'
import type { AdmittedRecord } from './admission.ts'
import type { Draft } from './commit-queue.ts'
import type { Home } from './home.ts'
import { bodyKey, entryKey, expiryKey, hourOfId, isCertificateMailbox, lateKey, numberKey, type Place } from './keys.ts'
import { isDeleted } from './lookup.ts'
import { bodyOrStub, makeStub, stageTombstone, wasDeleted } from './tombstones.ts'
import {
  acceptedAtOf,
  bodyValue,
  entryDigest,
  entryValue,
  flagsOf,
  isBodyOf,
  numberValue,
  openBodyValue,
} from './values.ts'

/** Stages what is new of these records; false when nothing must be waited for: all of it is durable already. */
export const stageRecords = (home: Home, records: AdmittedRecord[]): boolean => {
  const draft = home.queue.draft()
  let mustWait = false
  for (const record of records) if (stageRecord(home, draft, record)) mustWait = true
  return mustWait
}

type Presence = 'absent' | 'staged' | 'durable'

const stageRecord = (home: Home, draft: Draft, record: AdmittedRecord): boolean => {
  let added = 0
  let mustWait = false
  for (const place of record.places) {
    const key = entryKey(place, record.hour, record.recordKey)
    const mapKey = toMapKey(key)
    const isNew = !home.filter.mayHave(place.mix, record.recordKey) || mutant('no-dedupe-on-home')
    const presence = isNew ? 'absent' : presenceOf(home, key, mapKey)
    if (presence === 'absent') {
      stageEntry(home, draft, { record, place, key })
      draft.staged.add(mapKey)
      added += 1
    }
    if (presence !== 'durable') mustWait = true
  }
  // Entries and body are written together: a body can be there only if some mailbox of the record already has it.
  // A record of a group names no mailboxes, so it is looked for.
  const isNew = added > 0 && added === record.mailboxes.length
  if (stageBody(home, draft, { record, isNew })) mustWait = true
  if (added > 0 && record.tombstone) stageTombstone(home, draft, record)
  return mustWait
}

const presenceOf = (home: Home, key: Buffer, mapKey: string): Presence => {
  if (home.queue.isStaged(mapKey)) return 'staged'
  return home.database.get(key) === undefined ? 'absent' : 'durable'
}

export const stageEntry = (
  home: Home,
  draft: Draft,
  { record, place, key }: { record: AdmittedRecord; place: Place; key: Buffer },
): void => {
  const { hour, recordKey, flags } = record
  const number = home.numbers.take()
  const byNumber = numberKey(place, number)
  draft.put(byNumber, numberValue(byNumber, { hour, recordKey, flags }))
  draft.put(key, entryValue(key, { number, flags }))
  if (hour !== hourOfId(recordKey) && !isCertificateMailbox(place.mailbox)) {
    const value = Buffer.allocUnsafe(4)
    value.writeUInt32BE(hour, 0)
    draft.put(lateKey(place, recordKey), value)
  }
  if (record.expiryHour !== undefined) draft.put(expiryKey(record.expiryHour, key), Buffer.alloc(0))
  const digest = entryDigest(place.salt, recordKey)
  home.filter.add(place.mix, recordKey)
  draft.added.push({ mailbox: place.mailbox, shard: place.shard, hour, number, recordKey, digest })
}

/** Writes the body if it is not there whole, or was accepted earlier than the one that is: acceptedAt merges by minimum. */
const stageBody = (
  home: Home,
  draft: Draft,
  { record, isNew }: { record: AdmittedRecord; isNew: boolean },
): boolean => {
  const key = bodyKey(record.hour, record.recordKey)
  if (!isNew) {
    if (home.queue.isStaged(toMapKey(key))) return true
    const present = home.database.get(key)
    const isWhole = present !== undefined && isBodyOf(record.recordKey, openBodyValue(present).sealed)
    if (isWhole && acceptedAtOf(present) <= record.acceptedAt) return false
    if (wasDeleted(home, record))
      return !bodyOrStub(home, record.hour, record.recordKey) && stageRest(draft, key, record)
  } else if (home.hasTombs && wasDeleted(home, record)) {
    const isThere = home.queue.isStaged(toMapKey(key)) || home.database.get(key) !== undefined
    return isThere ? false : stageRest(draft, key, record)
  }
  draft.put(key, bodyValue(record.acceptedAt, record.sealed))
  draft.staged.add(toMapKey(key))
  return true
}

/** Of a record that was deleted before it came: the same as is left everywhere else, so that homes can tell each other. */
const stageRest = (draft: Draft, key: Buffer, { sealed, acceptedAt }: AdmittedRecord): true => {
  draft.put(key, bodyValue(acceptedAt, makeStub(openHeader(sealed))))
  draft.staged.add(toMapKey(key))
  return true
}

export interface FetchedStub {
  sealed: Uint8Array
  acceptedAt: number
  hour: number
  recordKey: Buffer
  places: Place[]
  /** No other home of the mailbox has the record itself any more. */
  isGone: boolean
}
/**
 * What another home has left of a deleted record. Kept where we know of the deletion ourselves, and of a message to a group where it is
 * gone everywhere; false when neither is so in all places: the tombstone may come later in the same pass, and then the next one asks again.
 */
export const stageStub = (home: Home, stub: FetchedStub): boolean => {
  const { sealed, acceptedAt, hour, recordKey, places, isGone } = stub
  const draft = home.queue.draft()
  const { from: author, to } = openHeader(sealed)
  const from = String(author)
  // Whoever left a group before the author deleted it there has no tombstone of it in his mailbox, on no home.
  const isKnown = (place: Place): boolean => home.hasTombs && isDeleted(home, place, { recordKey, author: from })
  const deleted = isGone && isGroupId(to) ? places : places.filter(isKnown)
  const isKept = deleted.length === places.length
  if (deleted.length === 0) return isKept
  const flags = flagsOf('msg', false)
  const mailboxes = deleted.map(({ mailbox }) => mailbox)
  const record: AdmittedRecord = {
    sealed,
    acceptedAt,
    recordKey,
    hour,
    flags,
    places: deleted,
    mailboxes,
    from,
    expiryHour: undefined,
    tombstone: undefined,
  }
  for (const place of deleted) {
    const key = entryKey(place, hour, recordKey)
    if (presenceOf(home, key, toMapKey(key)) !== 'absent') continue
    stageEntry(home, draft, { record, place, key })
    draft.staged.add(toMapKey(key))
  }
  if (!bodyOrStub(home, hour, recordKey)) draft.put(bodyKey(hour, recordKey), bodyValue(acceptedAt, sealed))
  return isKept
}
