// The key space of a store's database: every prefix is declared here and nowhere else. Numbers are big-endian, so bytes sort as numbers.
// Mailbox names end with a zero byte, which no name contains: no name is the beginning of another.

import { asBuffer, toUtf8 } from '../../protocol/bytes.ts'
import { mailboxOwner } from '../../protocol/names.ts'
import { hourOf, RECORD_KEY_BYTES } from '../../protocol/records.ts'
import { sha256 } from '../../protocol/signing.ts'
import { shardOf } from '../replication/placement.ts'

const BODY = 0x42 // B | hour | record key                      -> accepted at, sealed bytes
const NUMBER = 0x4e // N | mailbox | feed number                  -> hour, record key, flags, checksum
const ENTRY = 0x4b // K | shard | hour | mailbox | record key    -> feed number, flags, checksum
const LATE = 0x4c // L | mailbox | record key                   -> hour, when it is not the one in the id
const TOMB = 0x54 // T | mailbox | record key | author          -> key of the tombstone
const EXPIRY = 0x58 // X | hour of expiry | rest of the entry key -> nothing; only records with an expiry of their own
const BATCH = 0x53 // S | batch number                           -> last feed number, first batch that must still be there, number of entries
const META = 0x4d // M | name
const REGISTER = 0x52 // R | shard | key of the register               -> its state, checksum
const GROUP = 0x47 // G | group                             -> highest version accepted here, checksum
const FAN_OUT = 0x46 // F | shard | hour of id | group | record key -> version, accepted at, sealed bytes until it is done, checksum
const OPEN = 0x4f // O | rest of the fan-out key              -> nothing, until it is done

/** Certificates never expire: their hour is beyond every time. */
export const FOREVER = 0xffffffff
export const isCertificateMailbox = (mailbox: string): boolean => mailbox.startsWith('c:')

/** What is computed once for a mailbox: its shard, the bytes of its name with the zero at the end, and what mixes it into digests. */
export interface Place {
  mailbox: string
  shard: number
  name: Buffer
  salt: Buffer
  /** 32 bits of the salt. */
  mix: number
}
const places = new Map<string, Place>()
const MAX_PLACES = 50_000

export const placeOf = (mailbox: string): Place => {
  const known = places.get(mailbox)
  if (known) return known
  const name = asBuffer(toUtf8(`${mailbox}\0`))
  const salt = sha256(name).subarray(0, 16)
  const place = { mailbox, shard: shardOf(mailbox), name, salt, mix: salt.readInt32LE(0) }
  if (places.size >= MAX_PLACES) places.delete(places.keys().next().value ?? '')
  places.set(mailbox, place)
  return place
}

export const bodyKey = (hour: number, recordKey: Uint8Array): Buffer => {
  const key = Buffer.allocUnsafe(5 + RECORD_KEY_BYTES)
  key[0] = BODY
  key.writeUInt32BE(hour, 1)
  key.set(recordKey, 5)
  return key
}

export const numberKey = ({ name }: Place, number: number): Buffer => {
  const key = Buffer.allocUnsafe(1 + name.length + 6)
  key[0] = NUMBER
  key.set(name, 1)
  key.writeUIntBE(number, 1 + name.length, 6)
  return key
}
export const allNumbers = { gte: Buffer.from([NUMBER]), lt: Buffer.from([NUMBER + 1]) }
export const mailboxOfNumberKey = (key: Buffer): string => key.toString('utf8', 1, key.length - 7)
export const numberOfKey = (key: Uint8Array): number => asBuffer(key).readUIntBE(key.length - 6, 6)

const ENTRY_HEAD = 7
export const entryKey = ({ shard, name }: Place, hour: number, recordKey: Uint8Array): Buffer => {
  const key = Buffer.allocUnsafe(ENTRY_HEAD + name.length + RECORD_KEY_BYTES)
  key[0] = ENTRY
  key.writeUInt16BE(shard, 1)
  key.writeUInt32BE(hour, 3)
  key.set(name, ENTRY_HEAD)
  key.set(recordKey, ENTRY_HEAD + name.length)
  return key
}
export interface EntryParts {
  shard: number
  hour: number
  mailbox: string
  recordKey: Buffer
}
export const openEntryKey = (bytes: Uint8Array): EntryParts => {
  const key = asBuffer(bytes)
  const end = key.length - RECORD_KEY_BYTES
  return {
    shard: key.readUInt16BE(1),
    hour: key.readUInt32BE(3),
    mailbox: key.toString('utf8', ENTRY_HEAD, end - 1),
    recordKey: key.subarray(end),
  }
}
export const shardStart = (shard: number): Buffer => Buffer.from([ENTRY, shard >> 8, shard & 0xff])
export const shardHourStart = (shard: number, hour: number): Buffer => {
  const key = Buffer.allocUnsafe(ENTRY_HEAD)
  key[0] = ENTRY
  key.writeUInt16BE(shard, 1)
  key.writeUInt32BE(hour, 3)
  return key
}
export const allEntries = { gte: Buffer.from([ENTRY]), lt: Buffer.from([ENTRY + 1]) }

export const lateKey = ({ name }: Place, recordKey: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([LATE]), name, recordKey])
export const tombKey = ({ name }: Place, target: Uint8Array, author: string): Buffer =>
  Buffer.concat([Buffer.from([TOMB]), name, target, toUtf8(author)])
export const allTombs = { gte: Buffer.from([TOMB]), lt: Buffer.from([TOMB + 1]) }

export const expiryKey = (hour: number, key: Buffer): Buffer => {
  const head = Buffer.allocUnsafe(5)
  head[0] = EXPIRY
  head.writeUInt32BE(hour, 1)
  return Buffer.concat([head, key.subarray(1)])
}
/** Everything that expires by itself in or before `hour`. */
export const expiriesUpTo = (hour: number): { gte: Buffer; lt: Buffer } => {
  const lt = Buffer.allocUnsafe(5)
  lt[0] = EXPIRY
  lt.writeUInt32BE(hour + 1, 1)
  return { gte: Buffer.from([EXPIRY]), lt }
}
export const entryKeyOfExpiry = (key: Uint8Array): Buffer => Buffer.concat([Buffer.from([ENTRY]), key.subarray(5)])

export const batchKey = (batch: number): Buffer => {
  const key = Buffer.allocUnsafe(7)
  key[0] = BATCH
  key.writeUIntBE(batch, 1, 6)
  return key
}
export const allBatches = { gte: Buffer.from([BATCH]), lt: Buffer.from([BATCH + 1]) }
export const metaKey = (name: string): Buffer => Buffer.concat([Buffer.from([META]), toUtf8(name)])

/** The hour in a UUIDv7: in nearly every record the hour of `at` too, so that a record is found by its key alone. */
export const hourOfId = (recordKey: Uint8Array): number => hourOf(asBuffer(recordKey).readUIntBE(0, 6))

export const registerKey = (shard: number, name: string): Buffer =>
  Buffer.concat([Buffer.from([REGISTER, shard >> 8, shard & 0xff]), toUtf8(name)])
export const nameOfRegisterKey = (key: Uint8Array): string => asBuffer(key).toString('utf8', 3)
export const shardOfLedgerKey = (key: Uint8Array): number => asBuffer(key).readUInt16BE(1)
export const isRegisterKey = (key: Uint8Array): boolean => key[0] === REGISTER
export const allRegisters = { gte: Buffer.from([REGISTER]), lt: Buffer.from([REGISTER + 1]) }
export const groupKey = (group: string): Buffer => Buffer.concat([Buffer.from([GROUP]), toUtf8(group)])

/** Places like those of mailboxes: groups are kept where their mailbox is. */
export const fanOutKey = ({ shard, name }: Place, recordKey: Uint8Array): Buffer => {
  const head = Buffer.allocUnsafe(ENTRY_HEAD)
  head[0] = FAN_OUT
  head.writeUInt16BE(shard, 1)
  head.writeUInt32BE(hourOfId(recordKey), 3)
  return Buffer.concat([head, name, recordKey])
}
export const allFanOuts = { gte: Buffer.from([FAN_OUT]), lt: Buffer.from([FAN_OUT + 1]) }
export const recordKeyOf = (key: Buffer): Buffer => key.subarray(key.length - RECORD_KEY_BYTES)
export const groupOfFanOut = (key: Buffer): string =>
  mailboxOwner(key.toString('utf8', ENTRY_HEAD, key.length - RECORD_KEY_BYTES - 1))
/** Of one shard, whose ids were made before `hour`. */
export const fanOutsBefore = (shard: number, hour: number): { gte: Buffer; lt: Buffer } => {
  const gte = Buffer.from([FAN_OUT, shard >> 8, shard & 0xff])
  const lt = Buffer.allocUnsafe(ENTRY_HEAD)
  lt.set(gte)
  lt.writeUInt32BE(hour, gte.length)
  return { gte, lt }
}
export const openKey = (key: Uint8Array): Buffer => Buffer.concat([Buffer.from([OPEN]), key.subarray(1)])
export const fanOutKeyOfOpen = (key: Uint8Array): Buffer => Buffer.concat([Buffer.from([FAN_OUT]), key.subarray(1)])
export const allOpen = { gte: Buffer.from([OPEN]), lt: Buffer.from([OPEN + 1]) }
