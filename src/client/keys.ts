// The layout of the client's database: every key is made here, one letter for each kind. Numbers are big-endian, so that order is theirs.
// Conversations, users and settings end with a NUL, which no name contains.
import { concat, fromHex, toUtf8 } from '../protocol/bytes.ts'
import type { KeyRange } from '../platform/ports.ts'
import { idBytes } from '../protocol/records.ts'

export const NUMBER_BYTES = 6
export const encodeNumber = (value: number): Buffer => {
  const bytes = Buffer.alloc(NUMBER_BYTES)
  bytes.writeUIntBE(value, 0, NUMBER_BYTES)
  return bytes
}
export const decodeNumber = (bytes: Uint8Array, offset = 0): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readUIntBE(offset, NUMBER_BYTES)

const letter = (text: string): Buffer => Buffer.from(text, 'latin1')
const terminated = (text: string): Buffer => Buffer.from(`${text}\0`, 'utf8')

export interface Place {
  conversation: string
  device: string
}
const placeBytes = ({ conversation, device }: Place): Buffer => concat(terminated(conversation), fromHex(device))

export const keys = {
  /** Record key -> what became of the record, see held-records.ts. */
  record: (recordKey: Uint8Array): Buffer => concat(letter('k'), recordKey),
  /** Record key of an own message that was refused for good -> why, in one sentence. */
  refusal: (recordKey: Uint8Array): Buffer => concat(letter('R'), recordKey),
  /** id, author -> second half of the record key: the first one seen under that id. */
  id: (id: string, author: string): Buffer => concat(letter('i'), idBytes(id), toUtf8(author)),
  /**
   * Conversation, at, device, id -> second half of the record key of a message, or, in six bytes, the version that a change of the
   * group made. The order in which everybody shows them.
   */
  order: (conversation: string, { at, dev, id }: { at: number; dev: string; id: string }): Buffer =>
    concat(letter('o'), terminated(conversation), encodeNumber(at), fromHex(dev), idBytes(id)),
  /** Before the first message of that time or later. */
  orderFrom: (conversation: string, at: number): Buffer =>
    concat(letter('o'), terminated(conversation), encodeNumber(at)),
  /** Conversation, device, sequence -> record key of the message. */
  sequence: (place: Place, seq: number): Buffer => concat(letter('s'), placeBytes(place), encodeNumber(seq)),
  /** Conversation, id, author of a message -> the edits of it and the reactions to it, see references.ts. */
  references: (conversation: string, id: string, author: string): Buffer =>
    concat(letter('a'), terminated(conversation), idBytes(id), toUtf8(author)),
  /** Own messages: conversation, device, sequence, recipient -> when received, when read. */
  status: (place: Place, seq: number, user: string): Buffer =>
    concat(letter('t'), placeBytes(place), encodeNumber(seq), toUtf8(user)),
  /** Conversation, device -> receipts that came before their message. */
  earlyReceipts: (place: Place): Buffer => concat(letter('p'), placeBytes(place)),
  /** Conversation, device, sequence -> record key of a message held back because one before it lacks. */
  hold: (place: Place, seq: number): Buffer => concat(letter('h'), placeBytes(place), encodeNumber(seq)),
  conversation: (conversation: string): Buffer => concat(letter('c'), toUtf8(conversation)),
  /** Lane (a conversation, or the settings), place -> what waits to be stored. */
  outbox: (lane: string, place: number): Buffer => concat(letter('q'), terminated(lane), encodeNumber(place)),
  cursor: (home: string): Buffer => concat(letter('f'), toUtf8(home)),
  certificate: (user: string, device: string): Buffer => concat(letter('x'), terminated(user), fromHex(device)),
  setting: (key: string): Buffer => concat(letter('v'), toUtf8(key)),
  /** Position -> event. */
  event: (position: number): Buffer => concat(letter('e'), encodeNumber(position)),
  /** Name of a reader of the events -> its position. */
  mark: (name: string): Buffer => concat(letter('l'), toUtf8(name)),
  /** Record key, author of a tombstone that came before the record. */
  tombstone: (recordKey: Uint8Array, author: string): Buffer => concat(letter('d'), recordKey, toUtf8(author)),
  /** Group, version -> the sealed version. */
  groupVersion: (group: string, version: number): Buffer =>
    concat(letter('g'), terminated(group), encodeNumber(version)),
  /** Group, id of a change -> the version that it made. */
  groupChange: (group: string, id: string): Buffer => concat(letter('j'), terminated(group), idBytes(id)),
  /** Group -> what is known of it as a whole, see groups.ts. */
  group: (group: string): Buffer => concat(letter('G'), toUtf8(group)),
  /** The newest cluster map. */
  map: (): Buffer => letter('M'),
  /** Conversation -> how loud it is on this device. */
  level: (conversation: string): Buffer => concat(letter('L'), toUtf8(conversation)),
  /** User -> fingerprints that were compared. */
  verified: (user: string): Buffer => concat(letter('V'), toUtf8(user)),
} as const

const startingWith = (prefix: Buffer): { gte: Buffer; lt: Buffer } => {
  const after = Buffer.from(prefix)
  after.writeUInt8(after.readUInt8(after.length - 1) + 1, after.length - 1) // prefixes end with a letter, a NUL or less than 0xff
  return { gte: prefix, lt: after }
}

/** All keys of a kind, or of a part of it. */
export const ranges = {
  idsOf: (id: string): KeyRange => {
    const prefix = concat(letter('i'), idBytes(id))
    return { gte: prefix, lt: concat(prefix, Buffer.from([0xff])) }
  },
  order: (conversation: string): { gte: Buffer; lt: Buffer } =>
    startingWith(concat(letter('o'), terminated(conversation))),
  holds: (): KeyRange => startingWith(letter('h')),
  conversations: (): KeyRange => startingWith(letter('c')),
  outbox: (): KeyRange => startingWith(letter('q')),
  cursors: (): KeyRange => startingWith(letter('f')),
  certificates: (): KeyRange => startingWith(letter('x')),
  settings: (): KeyRange => startingWith(letter('v')),
  verified: (): KeyRange => startingWith(letter('V')),
  certificatesOf: (user: string): KeyRange => startingWith(concat(letter('x'), terminated(user))),
  groups: (): KeyRange => startingWith(letter('G')),
  events: (after: number): KeyRange => ({ gt: keys.event(after), lt: letter('f') }),
} as const

/** The text between the letter and the end (or the NUL) of a key. */
export const textOfKey = (key: Uint8Array): string => {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
  const end = bytes.indexOf(0, 1)
  return bytes.toString('utf8', 1, end < 0 ? bytes.length : end)
}
