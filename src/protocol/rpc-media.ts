// What gateways and media homes ask of media homes: bytes of attachments, pins, and what repair compares.
// Numbers are append-only: they are on the wire.
import { limits } from './limits.ts'
import { declare } from './rpc-method.ts'

/** What a media home has of a blob. */
export interface BlobState {
  size: number
  /** Bytes from the beginning that no power cut takes; `size` once it is whole. */
  offset: number
  /** All bytes are there, fsynced, and hash to the id. */
  whole: boolean
}

const stateShape = { size: 'count', offset: 'count', whole: 'flag' } as const

/** The user and the size count for the quota; every request of an upload carries them, so that any of them may be the first. */
export const mediaWrite = declare<
  { epoch: number; blob: string; user: string; size: number; offset: number; bytes: Uint8Array },
  { offset: number }
>({
  name: 'media.write',
  number: 90,
  stream: 'bulk',
  timeoutMs: limits.blobWriteTimeoutMs,
  request: { epoch: 'count', blob: 'text', user: 'text', size: 'count', offset: 'count', bytes: 'bytes' },
  answer: { offset: 'count' },
  doc: 'Bytes of a blob at `offset`, at most 512 KiB; the answer is how far the home has it now, not yet fsynced. What the home has already is skipped; BLOB_INCOMPLETE with details.offset when bytes before `offset` lack. BLOB_QUOTA, BLOB_FULL, EPOCH_STALE, EPOCH_AHEAD.',
})
export const mediaFinish = declare<{ epoch: number; blob: string; user: string; size: number }, BlobState>({
  name: 'media.finish',
  number: 91,
  stream: 'bulk',
  timeoutMs: limits.blobFinishTimeoutMs,
  request: { epoch: 'count', blob: 'text', user: 'text', size: 'count' },
  answer: stateShape,
  doc: 'Makes a blob whole: its bytes are hashed and fsynced, then it may be read and pinned, and it is kept for a day without a pin. BLOB_HASH (what was sent is thrown away), BLOB_INCOMPLETE.',
})
export const mediaStat = declare<{ epoch: number; blob: string }, { state?: BlobState }>({
  name: 'media.stat',
  number: 92,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count', blob: 'text' },
  answer: { state: ['optional', stateShape] },
  doc: 'What the home has of a blob, after an fsync of what was written so far.',
})
export const mediaRead = declare<{ blob: string; offset: number; length: number }, { size: number; bytes: Uint8Array }>(
  {
    name: 'media.read',
    number: 93,
    stream: 'bulk',
    timeoutMs: limits.rpcTimeoutMs,
    request: { blob: 'text', offset: 'count', length: 'count' },
    answer: { size: 'count', bytes: 'bytes' },
    doc: 'Bytes of a whole blob, verified, at most 512 KiB; fewer only at its end. Any home that has them answers, at any epoch. BLOB_UNKNOWN when it has them not, or damaged.',
  },
)
export const mediaPin = declare<
  { epoch: number; blob: string; size: number; message: Uint8Array; parties?: Uint8Array; hour: number },
  { pinned: boolean }
>({
  name: 'media.pin',
  number: 94,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: {
    epoch: 'count',
    blob: 'text',
    size: 'count',
    message: 'bytes',
    parties: ['optional', 'bytes'],
    hour: 'count',
  },
  answer: { pinned: 'flag' },
  doc: 'Keeps a whole blob of this size for a message (its record key) until the end of `hour` (hours since 1970); answered after fsync, false when the home does not have it. `parties`: hash of its author and recipient, whose deletion ends it; such a one that was ended stays so, and true is the answer.',
})
export interface MediaState {
  /** syncing: pins or blobs may be missing here. read-only: its disk failed. */
  state: 'up' | 'syncing' | 'read-only'
  epoch: number
  /** The last joint epoch for which this home holds everything of the old homes. */
  reconciled: number
  /** Whole ones, and their bytes. */
  blobs: number
  bytes: number
}
export const mediaState = declare<{ epoch: number }, MediaState>({
  name: 'media.state',
  number: 95,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count' },
  answer: { state: 'text', epoch: 'count', reconciled: 'count', blobs: 'count', bytes: 'count' },
  doc: 'State of a media home.',
})
export const mediaDigests = declare<{ epoch: number }, { digests: Uint8Array; readable: boolean }>({
  name: 'media.digests',
  number: 96,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count' },
  answer: { digests: 'bytes', readable: 'flag' },
  doc: 'One digest of 16 bytes for each shard (first byte of the blob id), in order: XOR of truncated hashes of its whole blobs and their pins.',
})
/** A blob of a page: `at` = when it became whole (ms); absent when the home has only pins of it. */
export interface MediaEntry {
  blob: string
  whole?: { size: number; user: string; at: number }
  /** Record key and last hour of each message that it is kept for. */
  pins: [message: Uint8Array, hour: number][]
  /** The same of those that a deletion ends: the key is followed by the hash of author and recipient. */
  owned?: [pin: Uint8Array, hour: number][]
  /** Those that were ended, with what proves it. */
  ended?: [pin: Uint8Array, hour: number, tombstone: Uint8Array, certificate: Uint8Array][]
}
export const mediaList = declare<
  { epoch: number; shard: number; after?: Uint8Array },
  { entries: MediaEntry[]; next?: Uint8Array }
>({
  name: 'media.list',
  number: 97,
  stream: 'bulk',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count', shard: 'count', after: ['optional', 'bytes'] },
  answer: {
    entries: [
      'list',
      {
        blob: 'text',
        whole: ['optional', { size: 'count', user: 'text', at: 'count' }],
        pins: ['list', ['tuple', ['bytes', 'count']]],
        owned: ['optional', ['list', ['tuple', ['bytes', 'count']]]],
        ended: ['optional', ['list', ['tuple', ['bytes', 'count', 'bytes', 'bytes']]]],
      },
    ],
    next: ['optional', 'bytes'],
  },
  doc: 'The blobs of a shard with their pins, and with those that were ended, page by page.',
})
export const mediaVerify = declare<{ blob: string }, { size?: number }>({
  name: 'media.verify',
  number: 98,
  stream: 'bulk',
  timeoutMs: limits.blobFinishTimeoutMs,
  request: { blob: 'text' },
  answer: { size: ['optional', 'count'] },
  doc: 'Reads a blob from its first to its last byte and hashes it; no size when it is not whole or not right. Answered to the node itself only.',
})
export const mediaUnpin = declare<
  { epoch: number; blob: string; tombstone: Uint8Array; certificate: Uint8Array },
  { ended: boolean }
>({
  name: 'media.unpin',
  number: 99,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count', blob: 'text', tombstone: 'bytes', certificate: 'bytes' },
  answer: { ended: 'flag' },
  doc: 'A blob is no longer kept for the message that this sealed tombstone deletes: only if the author of the message signed it, to the recipient of the message, with the device of this certificate. Answered after fsync, false when the home has no such pin. AUTH_SIGNATURE, AUTH_EXPIRED, AUTH_REVOKED.',
})
