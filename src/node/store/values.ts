// The values of a store's database. LevelDB serves a flipped bit as a right answer, so each carries a check of its own:
// entries a CRC-32 over key and value, bodies the digest in their key.

import { crc32 } from 'node:zlib'
import { asBuffer, equalBytes } from '../../protocol/bytes.ts'
import { RECORD_KEY_BYTES, type RecordKind } from '../../protocol/records.ts'
import { sha256 } from '../../protocol/signing.ts'

/** On disk: never renumbered. */
const kindCodes = { msg: 1, void: 2, rcpt: 3, set: 4, tomb: 5, cert: 6, group: 7 } as const satisfies Record<
  RecordKind | 'cert',
  number
>
export type StoredKind = keyof typeof kindCodes
const HAS_EXPIRY = 0x80
export const flagsOf = (kind: StoredKind, hasExpiry: boolean): number => kindCodes[kind] | (hasExpiry ? HAS_EXPIRY : 0)
export const hasExpiry = (flags: number): boolean => (flags & HAS_EXPIRY) !== 0
export const isTomb = (flags: number): boolean => (flags & ~HAS_EXPIRY) === kindCodes.tomb

const CRC_BYTES = 4
/** Puts the checksum of key and value into the last four bytes. */
const seal = (key: Buffer, value: Buffer): Buffer => {
  const end = value.length - CRC_BYTES
  value.writeUInt32BE(crc32(value.subarray(0, end), crc32(key)), end)
  return value
}
const isIntact = (key: Uint8Array, value: Buffer, length: number): boolean =>
  value.length === length &&
  value.readUInt32BE(length - CRC_BYTES) === crc32(value.subarray(0, length - CRC_BYTES), crc32(key))

/** `value` with its checksum behind it. */
export const sealValue = (key: Buffer, value: Uint8Array): Buffer =>
  seal(key, Buffer.concat([value, Buffer.alloc(CRC_BYTES)]))
/** What was sealed so; undefined: damaged. */
export const openSealedValue = (key: Uint8Array, bytes: Uint8Array): Buffer | undefined => {
  const value = asBuffer(bytes)
  return value.length >= CRC_BYTES && isIntact(key, value, value.length) ? value.subarray(0, -CRC_BYTES) : undefined
}

const NUMBER_BYTES = 4 + RECORD_KEY_BYTES + 1 + CRC_BYTES
export interface NumberValue {
  hour: number
  recordKey: Buffer
  flags: number
}
export const numberValue = (key: Buffer, { hour, recordKey, flags }: NumberValue): Buffer => {
  const value = Buffer.allocUnsafe(NUMBER_BYTES)
  value.writeUInt32BE(hour, 0)
  value.set(recordKey, 4)
  value[4 + RECORD_KEY_BYTES] = flags
  return seal(key, value)
}
/** undefined: damaged. */
export const openNumberValue = (key: Uint8Array, bytes: Uint8Array): NumberValue | undefined => {
  const value = asBuffer(bytes)
  if (!isIntact(key, value, NUMBER_BYTES)) return undefined
  const end = 4 + RECORD_KEY_BYTES
  return { hour: value.readUInt32BE(0), recordKey: value.subarray(4, end), flags: value[end] ?? 0 }
}

const ENTRY_BYTES = 6 + 1 + CRC_BYTES
export interface EntryValue {
  number: number
  flags: number
}
export const entryValue = (key: Buffer, { number, flags }: EntryValue): Buffer => {
  const value = Buffer.allocUnsafe(ENTRY_BYTES)
  value.writeUIntBE(number, 0, 6)
  value[6] = flags
  return seal(key, value)
}
export const openEntryValue = (key: Uint8Array, bytes: Uint8Array): EntryValue | undefined => {
  const value = asBuffer(bytes)
  return isIntact(key, value, ENTRY_BYTES) ? { number: value.readUIntBE(0, 6), flags: value[6] ?? 0 } : undefined
}

/**
 * What an entry adds to the digests of its shard and hour: the SHA-256 part of its record key, mixed with the mailbox so that the same
 * record in two mailboxes, or two records swapped between them, never cancel. Mixing is that of MurmurHash3, 32 bits at a time.
 */
export const entryDigest = (salt: Buffer, recordKey: Uint8Array): Buffer => {
  const digest = Buffer.allocUnsafe(16)
  const hash = asBuffer(recordKey)
  for (let at = 0; at < 16; at += 4) {
    let lane = Math.imul(hash.readInt32LE(16 + at) ^ salt.readInt32LE(at), 0x85ebca6b)
    lane = Math.imul(lane ^ (lane >>> 13) ^ hash.readInt32LE(16 + ((at + 4) & 15)), salt.readInt32LE((at + 4) & 15) | 1)
    digest.writeInt32LE(lane ^ (lane >>> 16), at)
  }
  return digest
}

const TIME_BYTES = 6
export const bodyValue = (acceptedAt: number, sealed: Uint8Array): Buffer => {
  const value = Buffer.allocUnsafe(TIME_BYTES + sealed.length)
  value.writeUIntBE(acceptedAt, 0, TIME_BYTES)
  value.set(sealed, TIME_BYTES)
  return value
}
export interface BodyValue {
  acceptedAt: number
  sealed: Buffer
}
export const acceptedAtOf = (bytes: Uint8Array): number => asBuffer(bytes).readUIntBE(0, TIME_BYTES)
export const openBodyValue = (bytes: Uint8Array): BodyValue => {
  const value = asBuffer(bytes)
  return { acceptedAt: value.readUIntBE(0, TIME_BYTES), sealed: value.subarray(TIME_BYTES) }
}
/** Are these the bytes that the key names? */
export const isBodyOf = (recordKey: Uint8Array, sealed: Uint8Array): boolean =>
  equalBytes(sha256(sealed).subarray(0, 16), recordKey.subarray(16))

const BATCH_BYTES = 18 + CRC_BYTES
export interface BatchValue {
  /** Last feed number given out up to this batch. */
  number: number
  /** The oldest batch whose key must still be there. */
  oldest: number
  /** How many entries the home holds after it. */
  entries: number
}
export const batchValue = (key: Buffer, { number, oldest, entries }: BatchValue): Buffer => {
  const value = Buffer.allocUnsafe(BATCH_BYTES)
  value.writeUIntBE(number, 0, 6)
  value.writeUIntBE(oldest, 6, 6)
  value.writeUIntBE(entries, 12, 6)
  return seal(key, value)
}
export const openBatchValue = (key: Uint8Array, bytes: Uint8Array): BatchValue | undefined => {
  const value = asBuffer(bytes)
  if (!isIntact(key, value, BATCH_BYTES)) return undefined
  return { number: value.readUIntBE(0, 6), oldest: value.readUIntBE(6, 6), entries: value.readUIntBE(12, 6) }
}

/** Small facts about the home, as JSON behind a checksum. */
export const metaValue = (key: Buffer, fact: unknown): Buffer => sealValue(key, Buffer.from(JSON.stringify(fact)))
export const openMetaValue = (key: Uint8Array, bytes: Uint8Array | undefined): unknown => {
  const text = bytes && openSealedValue(key, bytes)
  return text && JSON.parse(text.toString('utf8'))
}
