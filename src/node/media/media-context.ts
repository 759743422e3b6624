// What the parts of a media home share: its ports, its blobs and what it knows of them, the lock of each blob, the epoch.
// Everything that makes, pins or removes a blob runs under that blob's lock.
import type { BlobStore, Clock, Logger } from '../../platform/ports.ts'
import { type ClusterMap, type MapNode, nodeOf } from '../../protocol/cluster-map.ts'
import { ChatError, hasCode } from '../../protocol/errors.ts'
import type { KeyedLock } from '../core/keyed-lock.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import type { MediaIndex } from './media-index.ts'
import { type BlobFacts, blobKey, jsonValue, uploadKey } from './rows.ts'

export interface MediaContext {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  log: Logger
  blobs: BlobStore
  index: MediaIndex
  lock: KeyedLock
  /** How old a blob without a pin becomes. */
  unpinnedMs: number
  /** This blob lacks here, or is damaged: it is fetched from another home. */
  wanted: (blob: string) => void
}

/** Its size if it is whole; undefined when it is not there or its files do not fit together. */
export const wholeSize = async ({ blobs }: MediaContext, blob: string): Promise<number | undefined> => {
  try {
    return await blobs.size(blob)
  } catch (error) {
    if (hasCode(error, 'BLOB_HASH')) return undefined
    throw error
  }
}

export const factsOf = ({ index }: MediaContext, blob: string): BlobFacts | undefined =>
  index.json<BlobFacts>(blobKey(blob))

/** What should be here and is not whole is fetched from another home; what nobody ever had here is not. */
export const askForLost = (context: MediaContext, blob: string): void => {
  if (factsOf(context, blob)) context.wanted(blob)
}

/** It is whole here. The first uploader pays; a later upload of the same keeps it for another day. */
export const putFacts = ({ index }: MediaContext, blob: string, facts: BlobFacts): Promise<void> => {
  const [key, upload] = [blobKey(blob), uploadKey(blob)]
  // Whoever announced it pays, too, when only the row of the whole blob was lost.
  const payers = [index.json<BlobFacts>(key), facts, index.json<BlobFacts>(upload)]
  const user = payers.find((payer) => payer?.user)?.user ?? ''
  return index.write([
    { key, value: jsonValue(key, { ...facts, user }) },
    { key: upload, value: undefined },
  ])
}

// ---- who may ask

const isHomeNode = ({ roles }: MapNode): boolean =>
  roles.some((role) => role === 'store' || role === 'messages' || role === 'media')
const callers = {
  gateway: ({ roles }: MapNode) => roles.includes('gateway'),
  home: isHomeNode,
  member: () => true,
} satisfies Record<string, (node: MapNode) => boolean>
export type Caller = keyof typeof callers

/** PEER_DENIED unless `peer` is this node itself or a member of one of these kinds. */
export const assertCaller = ({ transport, view }: MediaContext, peer: string, kinds: Caller[]): void => {
  if (peer === transport.self) return
  const node = nodeOf(view.current().map, peer)
  if (node && kinds.some((kind) => callers[kind](node))) return
  throw new ChatError('PEER_DENIED', { message: `Only a ${kinds.join(' or ')} of this cluster may ask that` })
}

/**
 * Every promise is made under one epoch: a home answers at its own only, never again at a lower one, and has written it down before it
 * answers. EPOCH_STALE with the newest map, EPOCH_AHEAD.
 */
export const enterEpoch = async ({ view, index }: MediaContext, epoch: number): Promise<ClusterMap> => {
  for (;;) {
    const { map, sealed } = view.current()
    if (epoch < Math.max(map.epoch, index.facts.epoch)) {
      throw new ChatError('EPOCH_STALE', { details: { epoch: map.epoch, map: Buffer.from(sealed).toString('base64') } })
    }
    if (epoch > map.epoch) throw new ChatError('EPOCH_AHEAD', { details: { epoch: map.epoch } })
    if (index.facts.epoch === map.epoch) return map
    await index.saveFacts({ epoch: map.epoch })
  }
}
