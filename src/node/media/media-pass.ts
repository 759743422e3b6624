// One comparison with another media home: digests of shards, then the blobs and pins of those that differ; what lacks here is fetched.
// A blob moves before its pins count. What the other one is about to throw away is left where it is.
import { mutant } from '../../platform/mutants.ts'
import { asChatError, ChatError, hasCode } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { hourOf } from '../../protocol/records.ts'
import { mediaDigests, type MediaEntry, mediaList, mediaRead } from '../../protocol/rpc.ts'
import { mediaHomesOf } from '../replication/placement.ts'
import { differing } from './media-digests.ts'
import { factsOf, type MediaContext, putFacts, wholeSize } from './media-context.ts'
import { endPin, hourOfPin, isEnded, openUnpin, putPin } from './pins.ts'
import { isBarePin, isOwnedPin } from './rows.ts'
import type { Uploads } from './uploads.ts'

export interface PassOptions {
  peer: string
  epoch: number
  /** Those that both homes hold. */
  shards: readonly number[]
}

/** Resolves once we hold what the other home held when the pass began. Rejects when it cannot be finished. */
export const pullFrom = async (
  context: MediaContext,
  uploads: Uploads,
  { peer, epoch, shards }: PassOptions,
): Promise<{ readable: boolean; fetched: number }> => {
  const { transport, index } = context
  const { digests, readable } = await transport.call(peer, mediaDigests, { epoch })
  let fetched = 0
  for (const shard of differing(digests, index.digests.all, shards)) {
    let after: Uint8Array | undefined
    do {
      const request = { epoch, shard, ...(after ? { after } : {}) }
      const { entries, next } = await transport.call(peer, mediaList, request)
      for (const entry of entries) fetched += Number(await take(context, uploads, entry))
      after = next
    } while (after)
  }
  return { readable, fetched }
}

/** True when its bytes had to be fetched. */
const take = async (context: MediaContext, uploads: Uploads, entry: MediaEntry): Promise<boolean> => {
  const { clock, lock, unpinnedMs } = context
  const { blob, whole } = entry
  const now = clock.now()
  for (const ended of entry.ended ?? []) if (ended[1] >= hourOf(now)) await takeEnd(context, blob, ended)
  const pins = [
    ...entry.pins.filter(([pin]) => isBarePin(pin)),
    ...(entry.owned ?? []).filter(([pin]) => isOwnedPin(pin)),
  ]
    .filter(([pin, hour]) => hour >= hourOf(now) && hourOfPin(context, blob, pin) === undefined)
    .filter(([pin]) => !isEnded(context, blob, pin))
  const isNews = whole !== undefined && factsOf(context, blob) === undefined
  const isFetched = isNews && (pins.length > 0 || whole.at > now - unpinnedMs)
  if (isFetched && !mutant('pins-before-blob')) {
    await context.lock.run(blob, async () => {
      await fetchLocked(context, uploads, { blob, size: whole.size })
      await putFacts(context, blob, whole) // with the lock: a whole file without its row is whatever is left of an upload
    })
  }
  for (const [pin, hour] of pins) {
    await lock.run(blob, async () => {
      if (factsOf(context, blob) || mutant('pins-before-blob'))
        await putPin(context, { blob, pin: Uint8Array.from(pin), hour })
    })
  }
  return isFetched
}

/** Wherever the blob is: it must not come back here. Of a home's word on a deletion nothing is believed that is not proved. */
const takeEnd = async (
  context: MediaContext,
  blob: string,
  [said, hour, tombstone, certificate]: NonNullable<MediaEntry['ended']>[number],
): Promise<void> => {
  const { lock, log, view } = context
  if (isEnded(context, blob, said)) return
  const pin = Uint8Array.from(said)
  const deletion = { tombstone: Uint8Array.from(tombstone), certificate: Uint8Array.from(certificate) }
  try {
    const proved = openUnpin(deletion, view.current().map.cluster).pin
    if (!proved.equals(pin)) throw new ChatError('AUTH_SIGNATURE', { message: 'It is another message' })
  } catch (error) {
    log.warn({ blob, error: asChatError(error).message }, 'a media home cannot prove that a message was deleted')
    return
  }
  await lock.run(blob, () => endPin(context, { blob, pin, hour }, deletion))
}

/** Whole and right here afterwards: from what is right of a damaged copy, and the rest from other homes. BLOB_UNKNOWN when none has it. */
export const fetchBlob = (context: MediaContext, uploads: Uploads, wanted: WantedBlob): Promise<void> =>
  context.lock.run(wanted.blob, () => fetchLocked(context, uploads, wanted))

interface WantedBlob {
  blob: string
  size: number
  isDamaged?: boolean
}
const fetchLocked = async (
  context: MediaContext,
  uploads: Uploads,
  { blob, size, isDamaged = false }: WantedBlob,
): Promise<void> => {
  await uploads.giveUp(blob)
  const hasCopy = (await wholeSize(context, blob)) === size
  if (hasCopy && !isDamaged) return // an upload was faster
  const unfinished = await context.blobs.begin(blob, size)
  try {
    while (unfinished.written < size) {
      const at = unfinished.written
      const own = hasCopy ? await readOwn(context, blob, at) : undefined
      await unfinished.append(own ?? (await readElsewhere(context, blob, at)))
    }
    await unfinished.finish()
  } finally {
    await unfinished.close()
  }
}

const readOwn = async ({ blobs }: MediaContext, blob: string, at: number): Promise<Uint8Array | undefined> => {
  try {
    return await blobs.read(blob, at, limits.maxBlobPieceBytes)
  } catch (error) {
    if (hasCode(error, 'BLOB_HASH')) return undefined
    throw error
  }
}

const readElsewhere = async ({ transport, view }: MediaContext, blob: string, at: number): Promise<Uint8Array> => {
  const { all } = mediaHomesOf(view.current().map, blob)
  let last: unknown
  for (const peer of all) {
    if (peer === transport.self || !transport.isConnected(peer)) continue
    try {
      const { bytes } = await transport.call(peer, mediaRead, { blob, offset: at, length: limits.maxBlobPieceBytes })
      if (bytes.length > 0) return bytes
    } catch (error) {
      last = error
    }
  }
  throw new ChatError('BLOB_UNKNOWN', { message: 'No other home of the attachment has it', cause: last })
}
