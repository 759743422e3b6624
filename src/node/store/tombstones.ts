// Deleting: a signed tombstone in a mailbox takes a record out of it for good, whichever of the two arrives first.
// The owner of a mailbox deletes anything in it, an author its own records in any; so the index is kept by author of the tombstone,
// and one that may not delete simply never matches. The entry stays (it is what replicas compare); the body goes with its last reader.

import { mutant } from '../../platform/mutants.ts'
import { equalBytes, fromHex } from '../../protocol/bytes.ts'
import { hasCode } from '../../protocol/errors.ts'
import { isGroupId, userMailbox } from '../../protocol/names.ts'
import type { TombstoneHeader } from '../../protocol/records.ts'
import { openHeader, unsealed } from '../../protocol/sealed.ts'
import type { AdmittedRecord } from './admission.ts'
import type { Draft } from './commit-queue.ts'
import type { Home } from './home.ts'
import { bodyKey, placeOf, tombKey } from './keys.ts'
import { findEntry, isDeleted } from './lookup.ts'
import { acceptedAtOf, type BodyValue, bodyValue, isBodyOf, openBodyValue } from './values.ts'

/** What is left of a deleted record: who sent what number where, so that its place in the conversation is not a gap. */
interface StubHeader {
  k: 'stub'
  id: unknown
  from: unknown
  dev: unknown
  to: unknown
  conv: unknown
  seq: unknown
  at: unknown
}
const NO_SIGNATURE = Buffer.alloc(64)

/** A body that was replaced by its stub; false for what is left of a damaged one. */
export const isStub = (sealed: Uint8Array): boolean => {
  if (!equalBytes(sealed.subarray(0, NO_SIGNATURE.length), NO_SIGNATURE)) return false
  try {
    return openHeader(sealed).k === 'stub'
  } catch (error) {
    if (hasCode(error, 'MESSAGE_INVALID')) return false
    throw error
  }
}

/** What a home has under this key, if it is intact: the record, or its stub. */
export const bodyOrStub = (home: Home, hour: number, recordKey: Uint8Array): BodyValue | undefined => {
  const bytes = home.database.get(bodyKey(hour, recordKey))
  const body = bytes && openBodyValue(bytes)
  return body && (isBodyOf(recordKey, body.sealed) || isStub(body.sealed)) ? body : undefined
}

/** `record` is a verified tombstone: from now on its target is gone in the mailboxes it is kept in. */
export const stageTombstone = (home: Home, draft: Draft, record: AdmittedRecord): void => {
  if (!record.tombstone) return
  const target = fromHex(record.tombstone.target)
  home.hasTombs = true
  for (const place of record.places) {
    if (mutant('tombstone-forgotten') && !findEntry(home, place, target)) continue
    const key = tombKey(place, target, record.from)
    draft.put(key, record.recordKey)
    draft.staged.add(key.toString('latin1'))
  }
  for (const place of record.places) {
    const found = findEntry(home, place, target)
    if (found) return stripBody(home, draft, { hour: found.hour, recordKey: target, tombstone: record.tombstone })
  }
}

/** Is the record deleted in every mailbox that it would be kept in? Then only its stub is kept. */
export const wasDeleted = (home: Home, record: AdmittedRecord): boolean =>
  home.hasTombs &&
  record.places.every((place) => isDeleted(home, place, { recordKey: record.recordKey, author: record.from }))

/**
 * Replaces a body by its stub once no mailbox of this home shows it any more. Who reads a message to a group is not known here: its
 * author deletes it for all of them, and what anybody else deletes for himself stays for the others.
 */
const stripBody = (
  home: Home,
  draft: Draft,
  { hour, recordKey, tombstone }: { hour: number; recordKey: Uint8Array; tombstone: TombstoneHeader },
): void => {
  const key = bodyKey(hour, recordKey)
  const bytes = home.database.get(key)
  const body = bytes && openBodyValue(bytes)
  if (!body || !isBodyOf(recordKey, body.sealed)) return
  const header = openHeader(body.sealed)
  const author = String(header.from)
  const isShown = isGroupId(header.to)
    ? tombstone.from !== author || tombstone.to !== header.to
    : [author, String(header.to)]
        .map((user) => placeOf(userMailbox(user)))
        .some((place) => findEntry(home, place, recordKey) && !isDeleted(home, place, { recordKey, author }))
  if (!isShown) draft.put(key, bodyValue(acceptedAtOf(bytes), makeStub(header)))
}

export const makeStub = ({ id, from, dev, to, conv, seq, at }: Record<string, unknown>): Buffer => {
  const header: StubHeader = { k: 'stub', id, from, dev, to, conv, seq, at }
  return unsealed(header)
}
