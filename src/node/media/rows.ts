// The rows of a media home's database. A blob and its pins stand together, in the order of shards: B id -> what is known of it,
// B id pin -> the last hour of the pin; H hour id pin -> nothing, for expiry; U id -> an upload under way; M -> facts, counts.
// A pin is named by the record key of its message, and by the hash of its author and recipient; earlier versions left that out. Of a pin
// that was ended one byte more, and in the value what proves it: it stays in place of the pin, as long as that would have.
// Values end in a CRC-32 over key and value, since LevelDB serves a flipped bit as a right answer.
import { crc32 } from 'node:zlib'
import { asBuffer, concat, fromHex, fromUtf8, toHex, toUtf8 } from '../../protocol/bytes.ts'
import { type Deletion, PARTIES_BYTES } from '../../protocol/deletion.ts'
import { RECORD_KEY_BYTES } from '../../protocol/records.ts'

const PREFIX = { blob: 0x42, hour: 0x48, upload: 0x55, meta: 0x4d } as const
const CRC_BYTES = 4
const HOUR_BYTES = 4
const LENGTH_BYTES = 2
const ID_BYTES = 32
const BLOB_KEY_BYTES = 1 + ID_BYTES
const OWNED_PIN_BYTES = RECORD_KEY_BYTES + PARTIES_BYTES
const ENDED_PIN_BYTES = OWNED_PIN_BYTES + 1
const ENDED = Buffer.of(0xff)

/** What a home knows of a blob besides its bytes. */
export interface BlobFacts {
  size: number
  /** Who uploaded it, for the quota; empty when that was lost. */
  user: string
  /** When it became whole, or its upload began: milliseconds since 1970. */
  at: number
}

const key = (prefix: number, ...parts: Uint8Array[]): Buffer => Buffer.concat([Buffer.from([prefix]), ...parts])
const hourBytes = (hour: number): Buffer => {
  const bytes = Buffer.alloc(HOUR_BYTES)
  bytes.writeUInt32BE(hour)
  return bytes
}

export const blobKey = (blob: string): Buffer => key(PREFIX.blob, fromHex(blob))
export const pinKey = (blob: string, pin: Uint8Array): Buffer => key(PREFIX.blob, fromHex(blob), pin)
export const hourKey = (hour: number, blob: string, pin: Uint8Array): Buffer =>
  key(PREFIX.hour, hourBytes(hour), fromHex(blob), pin)
export const uploadKey = (blob: string): Buffer => key(PREFIX.upload, fromHex(blob))
export const metaKey = (name: string): Buffer => key(PREFIX.meta, toUtf8(name))

/** Of a row with prefix B or U, and of a pin's. */
export const blobOfKey = (row: Uint8Array): string => toHex(row.subarray(1, BLOB_KEY_BYTES))
/** undefined: it is the row of the blob itself. */
export const pinOfKey = (row: Uint8Array): Uint8Array | undefined =>
  row.length > BLOB_KEY_BYTES ? row.subarray(BLOB_KEY_BYTES) : undefined
export const openHourKey = (row: Uint8Array): { blob: string; pin: Uint8Array } => ({
  blob: toHex(row.subarray(1 + HOUR_BYTES, 1 + HOUR_BYTES + ID_BYTES)),
  pin: row.subarray(1 + HOUR_BYTES + ID_BYTES),
})

/** Of an earlier version: it ends with its hour only. */
export const isBarePin = (pin: Uint8Array): boolean => pin.length === RECORD_KEY_BYTES
export const isOwnedPin = (pin: Uint8Array): boolean => pin.length === OWNED_PIN_BYTES
export const isEndedPin = (pin: Uint8Array): boolean => pin.length === ENDED_PIN_BYTES
/** The name under which an owned pin is remembered once it was ended. */
export const endedPin = (pin: Uint8Array): Buffer => concat(pin, ENDED)

export const isBlobRow = (row: Uint8Array): boolean => row[0] === PREFIX.blob
/** Of a blob or an upload: its value is JSON. */
export const hasFacts = (row: Uint8Array): boolean =>
  row[0] === PREFIX.upload || (isBlobRow(row) && row.length === BLOB_KEY_BYTES)
export const allBlobs = { gte: key(PREFIX.blob), lt: key(PREFIX.blob + 1) }
export const allUploads = { gte: key(PREFIX.upload), lt: key(PREFIX.upload + 1) }
export const shardRange = (shard: number): { gte: Buffer; lt: Buffer } => ({
  gte: key(PREFIX.blob, Buffer.from([shard])),
  lt: shard === 255 ? key(PREFIX.blob + 1) : key(PREFIX.blob, Buffer.from([shard + 1])),
})
/** The pins of a blob, without the blob's own row. */
export const pinRange = (blob: string): { gt: Buffer; lt: Buffer } => ({
  gt: blobKey(blob),
  lt: key(PREFIX.blob, fromHex(blob), Buffer.alloc(RECORD_KEY_BYTES + 1, 0xff)),
})
export const hoursBefore = (hour: number): { gte: Buffer; lt: Buffer } => ({
  gte: key(PREFIX.hour),
  lt: key(PREFIX.hour, hourBytes(hour)),
})

const seal = (row: Uint8Array, value: Uint8Array): Buffer => {
  const sealed = Buffer.alloc(value.length + CRC_BYTES)
  sealed.set(value)
  sealed.writeUInt32BE(crc32(value, crc32(row)), value.length)
  return sealed
}
/** undefined: absent or damaged. */
const open = (row: Uint8Array, bytes: Uint8Array | undefined): Buffer | undefined => {
  if (!bytes || bytes.length < CRC_BYTES) return undefined
  const sealed = asBuffer(bytes)
  const value = sealed.subarray(0, -CRC_BYTES)
  return sealed.readUInt32BE(value.length) === crc32(value, crc32(row)) ? value : undefined
}

export const jsonValue = (row: Uint8Array, value: object): Buffer => seal(row, toUtf8(JSON.stringify(value)))
/** What jsonValue wrote under this key; undefined: absent or damaged. */
export const openJsonValue = <T extends object>(row: Uint8Array, bytes: Uint8Array | undefined): T | undefined => {
  const value = open(row, bytes)
  return value && (JSON.parse(fromUtf8(value)) as T) // checksummed, so it is what was written
}
/** The hour; of an ended pin also the length of the certificate in two bytes, the certificate, the tombstone. */
export const pinValue = (row: Uint8Array, hour: number, deletion?: Deletion): Buffer => {
  if (!deletion) return seal(row, hourBytes(hour))
  const { certificate, tombstone } = deletion
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt16BE(certificate.length)
  return seal(row, Buffer.concat([hourBytes(hour), length, certificate, tombstone]))
}
/** The hour. */
export const openPinValue = (row: Uint8Array, bytes: Uint8Array | undefined): number | undefined =>
  open(row, bytes)?.readUInt32BE(0)
/** Of an ended pin. */
export const openEndValue = (
  row: Uint8Array,
  bytes: Uint8Array | undefined,
): ({ hour: number } & Deletion) | undefined => {
  const value = open(row, bytes)
  if (!value) return undefined
  const [hour, start] = [value.readUInt32BE(0), HOUR_BYTES + LENGTH_BYTES]
  const end = start + value.readUInt16BE(HOUR_BYTES)
  return { hour, certificate: value.subarray(start, end), tombstone: value.subarray(end) }
}
export const hourValue = (row: Uint8Array): Buffer => seal(row, new Uint8Array(0))
