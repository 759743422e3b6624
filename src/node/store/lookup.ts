// Finding and reading single records of a home: by mailbox and key, with their checks. What does not check out is not served.

import { openHeader } from '../../protocol/sealed.ts'
import { mailboxOwner } from '../../protocol/names.ts'
import type { StoredRecord } from '../../protocol/rpc.ts'
import { isPastExpiry } from './admission.ts'
import type { Home } from './home.ts'
import { bodyKey, entryKey, FOREVER, hourOfId, isCertificateMailbox, lateKey, type Place, tombKey } from './keys.ts'
import { hasExpiry, isBodyOf, openBodyValue, openEntryValue } from './values.ts'

export interface FoundEntry {
  key: Buffer
  hour: number
  number: number
  flags: number
}

/** The entry of a record in a mailbox, durable ones only. */
export const findEntry = (home: Home, place: Place, recordKey: Uint8Array): FoundEntry | undefined => {
  if (isCertificateMailbox(place.mailbox)) return entryAt(home, place, { hour: FOREVER, recordKey })
  const near = entryAt(home, place, { hour: hourOfId(recordKey), recordKey })
  if (near) return near
  const late = home.database.get(lateKey(place, recordKey))
  return late ? entryAt(home, place, { hour: Buffer.from(late).readUInt32BE(0), recordKey }) : undefined
}

const entryAt = (
  home: Home,
  place: Place,
  { hour, recordKey }: { hour: number; recordKey: Uint8Array },
): FoundEntry | undefined => {
  const key = entryKey(place, hour, recordKey)
  const bytes = home.database.get(key)
  const value = bytes && openEntryValue(key, bytes)
  return value && { key, hour, ...value }
}

export interface ReadOptions {
  hour: number
  recordKey: Uint8Array
  flags: number
  now: number
}
/** The record, if its bytes are intact, not deleted in this mailbox, and not past its own expiry. */
export const readRecord = (home: Home, place: Place, options: ReadOptions): StoredRecord | undefined => {
  const { hour, recordKey, flags, now } = options
  const bytes = home.database.get(bodyKey(hour, recordKey))
  const body = bytes && openBodyValue(bytes)
  if (!body || !isBodyOf(recordKey, body.sealed)) return undefined
  if (hasExpiry(flags)) {
    const { exp } = openHeader(body.sealed)
    if (typeof exp === 'number' && isPastExpiry(exp, now)) return undefined
  }
  return home.hasTombs && isDeleted(home, place, { recordKey, author: String(openHeader(body.sealed).from) })
    ? undefined
    : body
}

/** Did the mailbox's owner or the record's author delete it? */
export const isDeleted = (
  home: Home,
  place: Place,
  { recordKey, author }: { recordKey: Uint8Array; author: string },
): boolean => {
  const deleters = new Set([author, mailboxOwner(place.mailbox)])
  return [...deleters].some((user) => {
    const key = tombKey(place, recordKey, user)
    return home.database.get(key) !== undefined || home.queue.isStaged(key.toString('latin1'))
  })
}
