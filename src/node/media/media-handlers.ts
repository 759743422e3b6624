// A media home's answers: bytes in and out, pins, and what others compare. One function per method of protocol/rpc-media.ts.
import { createHash } from 'node:crypto'
import { isBlobId } from '../../protocol/blob.ts'
import { type ClusterMap, isRevokedAt } from '../../protocol/cluster-map.ts'
import { toHex } from '../../protocol/bytes.ts'
import { PARTIES_BYTES } from '../../protocol/deletion.ts'
import { ChatError, hasCode } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { isUserName } from '../../protocol/names.ts'
import { RECORD_KEY_BYTES } from '../../protocol/records.ts'
import {
  mediaDigests,
  mediaFinish,
  mediaList,
  mediaPin,
  mediaRead,
  mediaStat,
  mediaUnpin,
  mediaVerify,
  mediaWrite,
  type RequestOf,
  type ResponseOf,
} from '../../protocol/rpc.ts'
import { mediaHomesOf } from '../replication/placement.ts'
import {
  askForLost,
  assertCaller,
  enterEpoch,
  factsOf,
  type MediaContext,
  putFacts,
  wholeSize,
} from './media-context.ts'
import { pageOf } from './media-pages.ts'
import { endPin, hourOfPin, isEnded, openUnpin, ownedPin, putPin } from './pins.ts'
import type { Uploads } from './uploads.ts'

const invalid = (): never => {
  throw new ChatError('RPC_INVALID')
}
const assertBlob = (blob: unknown): void => void (isBlobId(blob) || invalid())
const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0
const assertAnnounced = ({ blob, user, size }: { blob: string; user: string; size: number }): void => {
  assertBlob(blob)
  if (!isUserName(user) || !isSize(size)) invalid()
}

const assertHome = ({ transport }: MediaContext, map: ClusterMap, blob: string): void => {
  if (mediaHomesOf(map, blob).all.includes(transport.self)) return
  throw new ChatError('RPC_INVALID', { message: 'This node is no home of that attachment' })
}

export const handleMedia = (context: MediaContext, uploads: Uploads): void => {
  const { transport, index } = context
  transport.handle(mediaWrite, async (request, from) => {
    assertCaller(context, from, ['gateway'])
    assertAnnounced(request)
    if (!isSize(request.offset) || request.bytes.length > limits.maxBlobPieceBytes) invalid()
    assertHome(context, await enterEpoch(context, request.epoch), request.blob)
    return uploads.write(request)
  })
  transport.handle(mediaFinish, async (request, from) => {
    assertCaller(context, from, ['gateway'])
    assertAnnounced(request)
    assertHome(context, await enterEpoch(context, request.epoch), request.blob)
    return uploads.finish(request)
  })
  transport.handle(mediaStat, async ({ epoch, blob }, from) => {
    assertCaller(context, from, ['gateway', 'home'])
    assertBlob(blob)
    await enterEpoch(context, epoch)
    const state = await uploads.stat(blob)
    return state ? { state } : {}
  })
  transport.handle(mediaPin, async (request, from) => {
    assertCaller(context, from, ['gateway'])
    return pin(context, request)
  })
  transport.handle(mediaUnpin, async (request, from) => {
    assertCaller(context, from, ['gateway'])
    return unpin(context, request)
  })
  transport.handle(mediaRead, (request, from) => {
    assertCaller(context, from, ['gateway', 'home'])
    return read(context, request)
  })
  transport.handle(mediaDigests, async ({ epoch }, from) => {
    assertCaller(context, from, ['member'])
    await enterEpoch(context, epoch)
    return { digests: index.digests.all, readable: index.facts.condition === 'up' }
  })
  transport.handle(mediaList, async (request, from) => {
    assertCaller(context, from, ['member'])
    await enterEpoch(context, request.epoch)
    return pageOf(context, request)
  })
  transport.handle(mediaVerify, ({ blob }, from) => {
    if (from !== transport.self) throw new ChatError('PEER_DENIED')
    return verify(context, blob)
  })
}

const pin = (context: MediaContext, request: RequestOf<typeof mediaPin>): Promise<{ pinned: boolean }> => {
  const { epoch, blob, size, message, parties, hour } = request
  assertBlob(blob)
  if (parties && parties.length !== PARTIES_BYTES) invalid()
  const pin = parties ? ownedPin(message, parties) : message
  if (message.length !== RECORD_KEY_BYTES || !Number.isInteger(hour) || hour < 0 || hour > 0xffffffff) invalid()
  return context.lock.run(blob, async () => {
    assertHome(context, await enterEpoch(context, epoch), blob)
    // Whoever sends it once more is told that it is stored: it is, and deleted.
    if (!isEnded(context, blob, pin)) {
      if ((await wholeSize(context, blob)) !== size) return { pinned: false }
      // It came in whole and found no room for its row: without one it would be what is left of an upload, and be taken away.
      if (!factsOf(context, blob)) await putFacts(context, blob, { size, user: '', at: context.clock.now() })
    }
    await putPin(context, { blob, pin, hour })
    return { pinned: true }
  })
}

const unpin = (context: MediaContext, request: RequestOf<typeof mediaUnpin>): Promise<{ ended: boolean }> => {
  const { epoch, blob, tombstone, certificate } = request
  assertBlob(blob)
  return context.lock.run(blob, async () => {
    const map = await enterEpoch(context, epoch)
    assertHome(context, map, blob)
    const { pin, header } = openUnpin({ tombstone, certificate }, map.cluster)
    if (isRevokedAt(map, header)) throw new ChatError('AUTH_REVOKED')
    const hour = hourOfPin(context, blob, pin)
    if (hour !== undefined) await endPin(context, { blob, pin, hour }, { tombstone, certificate })
    return { ended: hour !== undefined || isEnded(context, blob, pin) }
  })
}

const read = async (
  context: MediaContext,
  { blob, offset, length }: RequestOf<typeof mediaRead>,
): Promise<ResponseOf<typeof mediaRead>> => {
  assertBlob(blob)
  if (!isSize(offset) || !isSize(length) || length > limits.maxBlobPieceBytes) invalid()
  try {
    const [size, bytes] = [await context.blobs.size(blob), await context.blobs.read(blob, offset, length)]
    if (size !== undefined && bytes) return { size, bytes }
    askForLost(context, blob)
  } catch (error) {
    if (!hasCode(error, 'BLOB_HASH')) throw error
    const at = offset
    context.log.warn({ blob, at }, 'a blob is damaged here; it is fetched from another home')
    context.wanted(blob)
    throw new ChatError('BLOB_UNKNOWN', { message: 'The attachment is damaged on this home', cause: error })
  }
  throw new ChatError('BLOB_UNKNOWN', { message: 'This home does not hold that attachment' })
}

/** Read to the last byte, so damage shows that nobody met yet: it is mended like damage that a reader meets. */
const verify = async (context: MediaContext, blob: string): Promise<ResponseOf<typeof mediaVerify>> => {
  assertBlob(blob)
  const size = await verifiedSize(context, blob)
  if (size !== undefined) return { size }
  askForLost(context, blob)
  return {}
}

const verifiedSize = async (context: MediaContext, blob: string): Promise<number | undefined> => {
  const size = await wholeSize(context, blob)
  if (size === undefined) return undefined
  const hash = createHash('sha256')
  try {
    for (let offset = 0; offset < size; offset += limits.maxBlobPieceBytes) {
      hash.update((await context.blobs.read(blob, offset, limits.maxBlobPieceBytes)) ?? new Uint8Array(0))
    }
  } catch (error) {
    if (hasCode(error, 'BLOB_HASH')) return undefined
    throw error
  }
  return toHex(hash.digest()) === blob ? size : undefined
}
