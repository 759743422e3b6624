// One thing that waits in the outbox, and its form on disk: a line of JSON, then the draft's content or the sealed record.
import { concat, fromUtf8, toUtf8 } from '../protocol/bytes.ts'
import { encryptedSize } from '../protocol/blob.ts'
import { type Content, CONTENT_TYPE, decodeContent, encodeContent } from '../protocol/content.ts'
import { ChatError, type ErrorCode } from '../protocol/errors.ts'
import type { MessageHeader, SettingHeader, TombstoneHeader, VoidHeader } from '../protocol/records.ts'
import { mutant } from '../platform/mutants.ts'
import type { Naming } from './conversations.ts'
import type { OutgoingFile } from './outgoing-file.ts'

export type Deleted = Required<Pick<TombstoneHeader, 'target' | 'of'>> & Pick<TombstoneHeader, 'blobs'>

export interface OutboxEntry {
  kind: 'msg' | 'void' | 'set' | 'tomb'
  id: string
  /** The conversation, `settings` or `deletions`: in a lane everything leaves in order. */
  lane: string
  /** Place in the lane; of messages and voids the sequence number. */
  place: number
  to: string
  /** Milliseconds since 1970 by this device: when it was written. */
  writtenAt: number
  /** Key of a setting. */
  setting?: string
  /** What a tombstone deletes. */
  deletes?: Deleted
  /** What must be in the cluster before the message may leave. */
  files?: OutgoingFile[]
  /** The content until it first leaves, then the sealed record. */
  bytes: Uint8Array
  isSealed: boolean
  /** An attempt may have had an effect: it can no longer be refused for good. */
  isUncertain: boolean
  /** Since when, by this device, the cluster says that attachments are gone which this device does not have; ms since 1970. */
  goneSince?: number
  /** Refused for good, with this code: it never leaves again, and is replaced before anything else. */
  refusedWith?: ErrorCode
  /** A void that waits for the next message of its conversation. */
  isParked: boolean
}

type Saved = Omit<OutboxEntry, 'bytes'>

export const encodeEntry = ({ bytes, ...rest }: OutboxEntry): Buffer => {
  const saved: Saved = rest
  return concat(toUtf8(`${JSON.stringify(saved)}\n`), bytes)
}

export const decodeEntry = (value: Uint8Array): OutboxEntry => {
  const end = value.indexOf(0x0a)
  if (end < 0) throw new ChatError('INTERNAL', { message: 'The outbox is damaged' })
  const saved = JSON.parse(fromUtf8(value.subarray(0, end))) as Saved // written by encodeEntry
  return { ...saved, bytes: value.slice(end + 1) }
}

/** How everything begins: not sealed, never tried. */
export const fresh = (writtenAt: number): Pick<OutboxEntry, 'writtenAt' | 'isSealed' | 'isUncertain' | 'isParked'> => ({
  writtenAt,
  isSealed: false,
  isUncertain: false,
  isParked: false,
})

/** All that the message refers to is in the cluster. */
export const isReady = ({ files = [] }: OutboxEntry): boolean =>
  files.every(({ isStored }) => isStored) || mutant('message-before-files')

/** The content of a draft with what is known of its files. */
export const withFiles = ({ bytes, files = [] }: OutboxEntry): Uint8Array => {
  const content = decodeContent(bytes)
  const named = new Set(content.attachments?.map(({ id }) => id))
  const known = files.flatMap(({ prepared }) => (prepared ? [prepared.attachment] : []))
  const added = known.filter(({ id }) => !named.has(id))
  return added.length === 0
    ? bytes
    : encodeContent({ ...content, attachments: [...(content.attachments ?? []), ...added] })
}

/** What the header of a message says of its attachments. */
export const blobsOf = ({ attachments = [] }: Pick<Content, 'attachments'>): [string, number][] => [
  ...new Map(attachments.map(({ id, size }) => [id, encryptedSize(size)])),
]

/** What takes the sequence number of a message that was refused for good. */
export const voidFor = (
  { lane, place, to }: OutboxEntry,
  { id, now, isParked }: { id: string; now: number; isParked: boolean },
): OutboxEntry => ({ ...fresh(now), kind: 'void', id, lane, place, to, bytes: new Uint8Array(0), isParked })

/** The header with which an entry leaves; `at` in milliseconds since 1970, `naming` to a group the version that its author knows. */
export const headerFor = (
  { kind, id, to, lane, place, setting, deletes, bytes }: OutboxEntry,
  { user, device }: { user: string; device: string },
  { at, naming }: { at: number; naming: Naming | undefined },
): MessageHeader | VoidHeader | SettingHeader | TombstoneHeader => {
  const author = { id, from: user, dev: device, to, at }
  if (kind === 'set') return { k: 'set', ...author, key: setting ?? '' }
  if (kind === 'tomb') return { k: 'tomb', ...author, target: '', ...deletes }
  if (kind === 'void') return { k: 'void', ...author, conv: lane, seq: place }
  const blobs = blobsOf(decodeContent(bytes))
  return {
    k: 'msg',
    ...author,
    conv: lane,
    seq: place,
    ct: CONTENT_TYPE,
    ...(naming ? { gv: naming.version, gh: naming.hash, ...(naming.from < place ? { gs: naming.from } : {}) } : {}),
    ...(blobs.length > 0 ? { blobs } : {}),
  }
}

/** What concerns the record itself and will not change by waiting; anything else says something about the moment. */
const FINAL = new Set([
  'MESSAGE_INVALID',
  'MESSAGE_TOO_LARGE',
  'FRAME_TOO_LARGE',
  'FRAME_INVALID',
  'USER_UNKNOWN',
  'GROUP_UNKNOWN',
  'BLOB_UNKNOWN',
])

/** `files`: after its files were sent once more. */
export type Fate = 'final' | 'again' | 'again-uncertain' | 'files'

/**
 * An earlier attempt may have left a copy at one home, which brings it to the others within this time. After it no earlier attempt can
 * succeed any more: a message is taken only when a quorum holds its attachments for it, and then no later attempt hears that they are gone.
 */
const GONE_MS = 60_000

/** An attempt of this entry failed: what is known of its attachments from now on. `now`: ms since 1970. */
export const noteGone = (entry: OutboxEntry, error: ChatError, now: number): void => {
  if (error.code === 'BLOB_UNKNOWN') entry.goneSince ??= now
  else if (error.outcome === 'unknown') delete entry.goneSince
}

/**
 * What becomes of an entry after an attempt that failed. Refused is final only if every attempt was refused; or if it is said of all
 * attempts, as of those of somebody who was removed from a group, or with attachments that are gone.
 */
export const fateOf = (
  { isUncertain, files, goneSince }: Pick<OutboxEntry, 'isUncertain' | 'files' | 'goneSince'>,
  error: ChatError,
  now: number,
): Fate => {
  const isGone = error.code === 'BLOB_UNKNOWN' && goneSince !== undefined && now - goneSince >= GONE_MS
  if (error.code === 'BLOB_UNKNOWN' && files) return 'files'
  if (error.outcome === 'unknown') return 'again-uncertain'
  if (error.code === 'GROUP_DENIED' || isGone) return 'final'
  return FINAL.has(error.code) && !isUncertain ? 'final' : 'again'
}
