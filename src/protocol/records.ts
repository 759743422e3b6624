// The kinds of records that devices sign and mailboxes keep, their headers, and where each belongs.
// Bodies are opaque here. Their formats, and what a record key is: docs/protocol.md, Sealed records.
import { isBlobList } from './blob.ts'
import { asBuffer, concat, fromHex, toHex } from './bytes.ts'
import { ChatError } from './errors.ts'
import { limits } from './limits.ts'
import { conversationOf, groupMailbox, isGroupId, isUserName, userMailbox } from './names.ts'
import { openHeader } from './sealed.ts'
import { sha256 } from './signing.ts'

interface Authored {
  /** UUIDv7, made by the client. */
  id: string
  /** The user that signed. */
  from: string
  /** The device that signed. */
  dev: string
  /** The user, or the id of the group, that it is for. */
  to: string
  /** Milliseconds since 1970 by the author's clock; see "Order". */
  at: number
}

/** A message. Body: content as encoded by content.ts. */
export interface MessageHeader extends Authored {
  k: 'msg'
  conv: string
  /** 1, 2, 3, … per device and conversation, without holes. */
  seq: number
  /** Content type of the body. */
  ct: string
  /** To a group only, and there always: the newest version of the group that the author's device knew. */
  gv?: number
  /** To a group only: all of this device from this number on name that version, as far as they are messages. Absent: itself is the first. */
  gs?: number
  /** To a group only: hash of that version as its author has it (group.ts), by which members find out that they were shown different ones. */
  gh?: string
  /** Its attachments: blob ids with their encrypted sizes in bytes. */
  blobs?: [string, number][]
  /** Milliseconds since 1970 after which it is gone. */
  exp?: number
}
/** Takes the place of a message that was refused for good, so that its sequence number leaves no gap. */
export interface VoidHeader extends Authored {
  k: 'void'
  conv: string
  seq: number
}
/** `from` has received or read these messages of `to`; kept in the mailbox of `to` only. */
export interface ReceiptHeader extends Authored {
  k: 'rcpt'
  conv: string
  st: 'received' | 'read'
  /** [device of `to`, first sequence number, last sequence number], inclusive. */
  r: [string, number, number][]
}
/** A setting in one's own mailbox: `read/<conversation>` (union of ranges) or any other key (greatest (at, dev) wins). Body: JSON. */
export interface SettingHeader extends Authored {
  k: 'set'
  key: string
}
/** Deletes one record for good in the mailboxes it is kept in: an own one everywhere, another's only in one's own mailbox (`to` oneself). */
export interface TombstoneHeader extends Authored {
  k: 'tomb'
  /** Record key in hex. */
  target: string
  /** Where the record stood: who never had it learns from this that its place is no gap. */
  of?: DeletedPlace
  /** The target's attachments, as its header named them: an author who deletes a message for everybody lets them go. */
  blobs?: [string, number][]
}
export interface DeletedPlace {
  conv: string
  from: string
  dev: string
  seq: number
  at: number
  /** It was no line of its own: an edit or a reaction. */
  ref?: boolean
}

/** A version of a group, made by a member's device; see group.ts for its body and its rules. */
export interface GroupHeader extends Authored {
  k: 'group'
  /** 1, 2, 3, …: each decided once. */
  v: number
  change: GroupChangeName
  /** Whom it concerns: those added, removed, or given another role. */
  users?: string[]
}
const groupChanges = ['create', 'add', 'remove', 'leave', 'role', 'rename', 'topic'] as const
export type GroupChangeName = (typeof groupChanges)[number]

export type RecordHeader = MessageHeader | VoidHeader | ReceiptHeader | SettingHeader | TombstoneHeader | GroupHeader
export type RecordKind = RecordHeader['k']

/** 16 bytes of the id, then the first 16 bytes of the SHA-256 of the sealed bytes. */
export const RECORD_KEY_BYTES = 32

export const idBytes = (id: string): Buffer => fromHex(id.replaceAll('-', ''))
export const idFromBytes = (bytes: Uint8Array): string => {
  const hex = toHex(bytes.subarray(0, 16))
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
export const recordKey = (id: string, sealed: Uint8Array): Buffer => concat(idBytes(id), sha256(sealed).subarray(0, 16))

/** The same of a record of which nothing was read yet. MESSAGE_INVALID. */
export const keyOfRecord = (sealed: Uint8Array): Buffer => recordKey(openRecord(sealed).header.id, sealed)

/** A record with what was read from its header once. */
export interface OpenRecord {
  header: RecordHeader
  sealed: Uint8Array
  /** Where its copies live: one mailbox, or the recipient's and the sender's. To a group: the author's own (a version: the group's). */
  mailboxes: string[]
  /** The group it is addressed to; copies for its members are placed by the group service. */
  group?: string
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const DEVICE = /^[0-9a-f]{16}$/
export const isRecordId = (value: unknown): value is string => typeof value === 'string' && UUID.test(value)
export const isDeviceId = (value: unknown): value is string => typeof value === 'string' && DEVICE.test(value)
/** Deterministic, so that registering the same key again gives the same device. */
export const deviceIdOf = (publicKey: Uint8Array): string => toHex(sha256(publicKey).subarray(0, 8))

/** A sequence number, or milliseconds since 1970. */
const isNumber = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= limits.maxNumber
const isRange = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length === 3 &&
  isDeviceId(value[0]) &&
  isNumber(value[1]) &&
  isNumber(value[2]) &&
  value[1] <= value[2]

type Fields = Record<string, unknown>
/** How much of what others wrote an error repeats. */
const MAX_SHOWN = 32
interface KindRule {
  to: (to: unknown) => boolean
  valid: (h: Fields) => boolean
  mailboxes: (h: { from: string; to: string }) => string[]
}
const isInConversation = (h: Fields): boolean =>
  h.conv === conversationOf(String(h.from), String(h.to)) && isNumber(h.seq)
/** An own record stood in the conversation that the tombstone goes to; of others' only the owner of a mailbox speaks. */
const isPlace = ({ from, to, of }: Fields): boolean => {
  if (typeof of !== 'object' || of === null) return false
  const place = of as Fields // each field that is used is checked here
  if (!isUserName(place.from) || !isDeviceId(place.dev) || !isNumber(place.seq) || !isNumber(place.at)) return false
  if (typeof place.conv !== 'string' || place.conv.length > 128) return false
  return to === from || (place.from === from && place.conv === conversationOf(String(from), String(to)))
}
const both = (h: { from: string; to: string }): string[] =>
  h.from === h.to || isGroupId(h.to) ? [userMailbox(h.from)] : [userMailbox(h.to), userMailbox(h.from)]
const recipientOnly = (h: { to: string }): string[] => [userMailbox(h.to)]

const isVersionHash = (hash: unknown): boolean => typeof hash === 'string' && /^[0-9a-f]{32}$/.test(hash)
const isUserOrGroup = (to: unknown): boolean => isUserName(to) || isGroupId(to)
const isChange = (change: unknown): boolean => groupChanges.some((known) => known === change)
const isUsers = (users: unknown): boolean => users === undefined || (Array.isArray(users) && users.every(isUserName))

/** What each kind must carry and where it is kept; a new kind is a new row. */
const kinds: Record<RecordKind, KindRule> = {
  msg: {
    to: isUserOrGroup,
    valid: (h) =>
      isInConversation(h) &&
      typeof h.ct === 'string' &&
      (isGroupId(h.to) ? isNumber(h.gv) : h.gs === undefined && h.gh === undefined) &&
      (h.gh === undefined || isVersionHash(h.gh)) &&
      (h.gs === undefined || (isNumber(h.gs) && Number(h.gs) < Number(h.seq))) &&
      (h.blobs === undefined || isBlobList(h.blobs)),
    mailboxes: both,
  },
  void: { to: isUserOrGroup, valid: isInConversation, mailboxes: both },
  rcpt: {
    to: isUserName,
    valid: (h) =>
      (h.conv === conversationOf(String(h.from), String(h.to)) || isGroupId(h.conv)) &&
      (h.st === 'received' || h.st === 'read') &&
      Array.isArray(h.r) &&
      h.r.length > 0 &&
      h.r.every(isRange),
    mailboxes: recipientOnly,
  },
  set: {
    to: isUserName,
    valid: (h) => h.to === h.from && typeof h.key === 'string' && h.key.length <= 128,
    mailboxes: recipientOnly,
  },
  tomb: {
    to: isUserOrGroup,
    valid: (h) =>
      typeof h.target === 'string' &&
      /^[0-9a-f]{64}$/.test(h.target) &&
      (h.of === undefined || isPlace(h)) &&
      (h.blobs === undefined || isBlobList(h.blobs)),
    mailboxes: both,
  },
  group: {
    to: isGroupId,
    valid: (h) => isNumber(h.v) && isChange(h.change) && isUsers(h.users),
    mailboxes: (h) => [groupMailbox(h.to)],
  },
}

/** Parses and checks the header's shape, not the signature. MESSAGE_INVALID says what is wrong. About 3 microseconds. */
export const openRecord = (sealed: Uint8Array): OpenRecord => {
  const h: Fields & { k: string } = openHeader(sealed)
  const rule = Object.hasOwn(kinds, h.k) ? kinds[h.k as RecordKind] : undefined // own key, so it is a RecordKind
  if (!rule)
    throw new ChatError('MESSAGE_INVALID', {
      message: `There is no record kind ${JSON.stringify(h.k.slice(0, MAX_SHOWN))}`,
    })
  if (!isRecordId(h.id) || !isDeviceId(h.dev) || !isUserName(h.from) || !isNumber(h.at)) {
    throw new ChatError('MESSAGE_INVALID', { message: 'id, from, dev or at of the record is malformed' })
  }
  if (!rule.to(h.to) || !rule.valid(h)) {
    throw new ChatError('MESSAGE_INVALID', { message: `A field of the ${h.k} record is missing or malformed` })
  }
  const header = h as unknown as RecordHeader // every field was checked above
  const group = isGroupId(header.to) ? { group: header.to } : {}
  return { header, sealed, mailboxes: rule.mailboxes(header), ...group }
}

type Place = Pick<Authored, 'at' | 'dev' | 'id'>
/** Total order in which everybody shows messages: (at, device, id). */
export const compareOrder = (a: Place, b: Place): number =>
  a.at - b.at || (a.dev < b.dev ? -1 : a.dev > b.dev ? 1 : 0) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** The hour since 1970 in which a record was made: the unit of expiry and of reconciliation. */
export const hourOf = (at: number): number => Math.floor(at / 3_600_000)
/** Splits concatenated record keys; a rest that is no whole key is RPC_INVALID. */
export const splitKeys = (keys: Uint8Array): Buffer[] => {
  if (keys.length % RECORD_KEY_BYTES !== 0) throw new ChatError('RPC_INVALID', { message: 'Record keys are not whole' })
  const bytes = asBuffer(keys)
  return Array.from({ length: bytes.length / RECORD_KEY_BYTES }, (_, i) =>
    bytes.subarray(i * RECORD_KEY_BYTES, (i + 1) * RECORD_KEY_BYTES),
  )
}
