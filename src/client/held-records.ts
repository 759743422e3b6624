// What became of each record this device has seen, by record key: bodies of messages, and a mark for everything else,
// so that nothing is fetched, verified or shown twice. Value: disposition (1 byte), acceptedAt (6), the sealed bytes of messages;
// of a deleted message its header alone.
import { LruMap } from '../platform/lru-map.ts'
import { concat, fromUtf8, toMapKey, toUtf8 } from '../protocol/bytes.ts'
import { type Content, decodeContent } from '../protocol/content.ts'
import { openBody, unsealed } from '../protocol/sealed.ts'
import { idFromBytes, openRecord, recordKey, type MessageHeader } from '../protocol/records.ts'
import { decodeNumber, encodeNumber, keys, NUMBER_BYTES, ranges } from './keys.ts'
import type { LocalStore } from './local-store.ts'

const ID_BYTES = 16
const dispositions = { message: 1, applied: 2, invalid: 3, doubled: 4, refused: 5, deleted: 6 } as const
export type Disposition = keyof typeof dispositions
const names = Object.entries(dispositions) as [Disposition, number][] // entries() forgets the keys' type

export interface HeldMessage {
  readonly header: Readonly<MessageHeader>
  readonly sealed: Buffer
  /** Milliseconds since 1970 by the cluster's clock; 0 while one's own message is not stored. */
  readonly acceptedAt: number
  /** A message of one's own that was refused for good. */
  readonly isRefused: boolean
  /** Only its place is left: there is no body. */
  readonly isDeleted: boolean
  readonly key: Uint8Array
}

/** A screen is read again with each change, and most of its messages are those of before; long ones cost little to read beside what they hold. */
const MAX_KNOWN = 256
const MAX_KNOWN_BYTES = 4_096

export class HeldRecords {
  readonly #store: LocalStore
  /** Messages as they were read last, by record key; forgotten when they change. */
  readonly #known = new LruMap<string, HeldMessage>({ max: MAX_KNOWN })

  constructor(store: LocalStore) {
    this.#store = store
  }

  has(key: Uint8Array): boolean {
    return this.#store.has(keys.record(key))
  }

  disposition(key: Uint8Array): Disposition | undefined {
    const value = this.#store.get(keys.record(key))
    return value && names.find(([, number]) => number === value[0])?.[0]
  }

  mark(key: Uint8Array, disposition: Disposition, acceptedAt = 0): void {
    this.#put(key, concat(Buffer.of(dispositions[disposition]), encodeNumber(acceptedAt)))
  }

  keep(key: Uint8Array, sealed: Uint8Array, { acceptedAt }: { acceptedAt: number }): void {
    this.#put(key, concat(Buffer.of(dispositions.message), encodeNumber(acceptedAt), sealed))
  }

  /** An own message that was refused for good stays on show, with the reason. */
  keepRefused(key: Uint8Array, sealed: Uint8Array, reason: string): void {
    this.#put(key, concat(Buffer.of(dispositions.refused), encodeNumber(0), sealed))
    this.#store.put(keys.refusal(key), toUtf8(reason))
  }

  /** undefined also of one that was refused before reasons were kept. */
  refusalOf(key: Uint8Array): string | undefined {
    const reason = this.#store.get(keys.refusal(key))
    return reason && fromUtf8(reason)
  }

  /** The body goes, the place stays. */
  keepDeleted(key: Uint8Array, header: MessageHeader, acceptedAt: number): void {
    const { k, id, from, dev, to, at, conv, seq, ct, gv } = header
    const left: MessageHeader = { k, id, from, dev, to, at, conv, seq, ct, ...(gv === undefined ? {} : { gv }) }
    this.#put(key, concat(Buffer.of(dispositions.deleted), encodeNumber(acceptedAt), unsealed(left)))
  }

  #put(key: Uint8Array, value: Uint8Array): void {
    this.#known.delete(toMapKey(key))
    this.#store.put(keys.record(key), value)
  }

  /** The message under a record key, or what is left of it; undefined when it is none. */
  message(key: Uint8Array): HeldMessage | undefined {
    const mapKey = toMapKey(key)
    const known = this.#known.get(mapKey)
    if (known) return known
    const message = this.#read(key)
    if (message && message.sealed.length <= MAX_KNOWN_BYTES) this.#known.set(mapKey, message)
    return message
  }

  #read(key: Uint8Array): HeldMessage | undefined {
    const value = this.#store.get(keys.record(key))
    if (!value || value.length === 1 + NUMBER_BYTES) return undefined
    const sealed = Buffer.from(value.buffer, value.byteOffset + 1 + NUMBER_BYTES, value.length - 1 - NUMBER_BYTES)
    const { header } = openRecord(sealed)
    if (header.k !== 'msg') return undefined
    const isRefused = value[0] === dispositions.refused
    const isDeleted = value[0] === dispositions.deleted
    return { header, sealed, acceptedAt: decodeNumber(value, 1), isRefused, isDeleted, key }
  }

  /** Record key of the first record of this author under this id. */
  keyOf(id: string, author: string): Uint8Array | undefined {
    const digest = this.#store.get(keys.id(id, author))
    return digest && concat(recordKeyStart(id), digest)
  }

  claimId(id: string, author: string, key: Uint8Array): void {
    this.#store.put(keys.id(id, author), key.subarray(ID_BYTES))
  }

  forgetId(id: string, author: string): void {
    this.#store.put(keys.id(id, author), undefined)
  }

  /** The message of that id by whomever; one's own first. */
  async messageById(id: string, me: string): Promise<HeldMessage | undefined> {
    const own = this.keyOf(id, me)
    if (own) return this.message(own)
    const [first] = await this.#store.range({ ...ranges.idsOf(id), limit: 1 })
    return first && this.message(concat(recordKeyStart(id), first[1]))
  }
}

const recordKeyStart = (id: string): Buffer => recordKey(id, Buffer.alloc(0)).subarray(0, ID_BYTES)
export const idOfRecordKey = (key: Uint8Array): string => idFromBytes(key.subarray(0, ID_BYTES))

/** What its author wrote; nothing, when that cannot be read: signed like this, so there is nothing else to show. */
export const contentOf = ({ sealed }: { sealed: Uint8Array }): Content => {
  try {
    return decodeContent(openBody(sealed))
  } catch {
    return { text: '' }
  }
}
