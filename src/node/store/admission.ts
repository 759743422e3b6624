// What a home accepts: records of a known kind, for mailboxes that the record itself names, not expired, not too large.
// Signatures of messages are the clients' business; certificates are verified here, because nodes rely on them.

import { openCertificate } from '../../protocol/certificate.ts'
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { certificateMailbox, groupMailbox, isUserName, mailboxOwner, userMailbox } from '../../protocol/names.ts'
import { hourOf, isRecordId, openRecord, recordKey, type TombstoneHeader } from '../../protocol/records.ts'
import type { StoreWrite } from '../../protocol/rpc.ts'
import { FOREVER, isCertificateMailbox, type Place, placeOf } from './keys.ts'
import { flagsOf } from './values.ts'

/** The largest hour of a record: one that is not "for ever". */
const MAX_HOUR = FOREVER - 1

export interface AdmittedRecord {
  sealed: Uint8Array
  acceptedAt: number
  recordKey: Buffer
  hour: number
  /** The hour after which it is gone by its own wish. */
  expiryHour: number | undefined
  flags: number
  /** Where it is to be kept now. */
  places: Place[]
  /** All mailboxes that it names; none when it is for the members of a group, whom it does not name. */
  mailboxes: string[]
  from: string
  tombstone: TombstoneHeader | undefined
}

export interface AdmissionRules {
  cluster: string
  now: number
  retentionMs: number
}

/** Records of an hour below this one have expired everywhere. */
export const cutoffHour = (now: number, retentionMs: number): number => Math.max(0, hourOf(now - retentionMs))
/** The newest hour that is over by every clock that may be right: what a gateway took in time must not be over here already. */
export const lastHourOver = (now: number): number => hourOf(now - limits.clockSkewMs) - 1
/** The end of the hour in which `exp` lies: expiry is rounded up. */
export const isPastExpiry = (exp: number, now: number): boolean => hourOf(exp) <= lastHourOver(now)

/** The record as it is to be kept; undefined when it has expired. RPC_INVALID or MESSAGE_INVALID, AUTH_SIGNATURE for certificates. */
export const admit = (write: StoreWrite, rules: AdmissionRules): AdmittedRecord | undefined => {
  if (!Number.isSafeInteger(write.acceptedAt) || write.acceptedAt < 0 || write.mailboxes.length === 0) {
    throw new ChatError('RPC_INVALID', { message: 'acceptedAt or the mailboxes of a write are malformed' })
  }
  if (write.sealed.length > limits.maxRecordBytes) throw new ChatError('MESSAGE_TOO_LARGE')
  return isCertificateMailbox(write.mailboxes[0] ?? '') ? admitCertificate(write, rules) : admitRecord(write, rules)
}

const admitRecord = (write: StoreWrite, { now, retentionMs }: AdmissionRules): AdmittedRecord | undefined => {
  const { header, mailboxes, group } = openRecord(write.sealed)
  const hour = hourOf(header.at)
  if (hour > MAX_HOUR) throw new ChatError('MESSAGE_INVALID', { message: 'The time of the record is beyond all times' })
  const exp = header.k === 'msg' && Number.isSafeInteger(header.exp) ? header.exp : undefined
  if (hour < cutoffHour(now, retentionMs) || (exp !== undefined && isPastExpiry(exp, now))) return undefined
  return {
    sealed: write.sealed,
    acceptedAt: write.acceptedAt,
    recordKey: recordKey(header.id, write.sealed),
    hour,
    expiryHour: exp === undefined ? undefined : Math.min(hourOf(exp), MAX_HOUR),
    flags: flagsOf(header.k, exp !== undefined),
    places: group === undefined ? placesWithin(write.mailboxes, mailboxes) : placesOfGroup(write.mailboxes, group),
    mailboxes: group === undefined ? mailboxes : [],
    from: header.from,
    tombstone: header.k === 'tomb' ? header : undefined,
  }
}

const admitCertificate = (write: StoreWrite, { cluster }: AdmissionRules): AdmittedRecord => {
  const certificate = openCertificate(write.sealed, cluster)
  if (!isRecordId(certificate.id)) throw new ChatError('MESSAGE_INVALID', { message: 'The certificate has no id' })
  const mailboxes = [certificateMailbox(certificate.user)]
  return {
    sealed: write.sealed,
    acceptedAt: write.acceptedAt,
    recordKey: recordKey(certificate.id, write.sealed),
    hour: FOREVER,
    expiryHour: undefined,
    flags: flagsOf('cert', false),
    places: placesWithin(write.mailboxes, mailboxes),
    mailboxes,
    from: certificate.user,
    tombstone: undefined,
  }
}

const placesWithin = (asked: readonly string[], named: string[]): Place[] => {
  for (const mailbox of asked) {
    if (!named.includes(mailbox)) {
      throw new ChatError('RPC_INVALID', { message: `The record does not belong in the mailbox ${mailbox}` })
    }
  }
  return asked.map(placeOf)
}

/** Who is a member is the group service's business, and checked by every recipient; a home knows users from groups only. */
const placesOfGroup = (asked: readonly string[], group: string): Place[] => {
  const own = groupMailbox(group)
  for (const mailbox of asked) {
    const owner = mailboxOwner(mailbox)
    if (mailbox !== own && !(isUserName(owner) && mailbox === userMailbox(owner))) {
      throw new ChatError('RPC_INVALID', { message: `A record of a group does not belong in the mailbox ${mailbox}` })
    }
  }
  return asked.map(placeOf)
}
