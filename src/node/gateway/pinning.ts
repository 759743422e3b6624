// Before a message with attachments is stored, each of its blobs is pinned: kept by W media homes until the message has expired.
// A blob that is gone refuses the message, which is nowhere yet; its client uploads again. After its author's deletion was stored the
// pins are ended, by what the author signed, and only then the deletion is acknowledged: until that the author's client sends it again,
// whichever gateways die. A client that never comes back leaves pins that end with their hour.
import { mutant } from '../../platform/mutants.ts'
import type { Certificate } from '../../protocol/certificate.ts'
import { partiesOf } from '../../protocol/deletion.ts'
import { ChatError } from '../../protocol/errors.ts'
import { hourOf, type MessageHeader, type OpenRecord, recordKey } from '../../protocol/records.ts'
import type { ClusterView } from '../core/ports.ts'
import type { Blobs } from '../replication/blobs.ts'

const HOUR_MS = 3_600_000

export interface PinningPorts {
  view: ClusterView
  blobs: Blobs
}

/**
 * The last hour in which a store may still hold the message: its own expiry, or the end of its hour and the retention after it; and one
 * more, since clocks of nodes differ.
 */
export const lastHourOf = ({ at, exp }: MessageHeader, retentionMs: number): number => {
  const kept = hourOf((hourOf(at) + 1) * HOUR_MS + retentionMs)
  return Math.min(kept, exp === undefined ? Infinity : hourOf(exp)) + 1
}

/** undefined when the record has no attachments, which is nearly always. Rejects with BLOB_UNKNOWN or QUORUM_UNAVAILABLE: refused. */
export const pinBlobs = (
  { header, sealed }: OpenRecord,
  { view, blobs }: PinningPorts,
): Promise<unknown> | undefined => {
  if (header.k !== 'msg' || !header.blobs?.length || mutant('pin-skipped')) return undefined
  const message = recordKey(header.id, sealed)
  const hour = lastHourOf(header, view.current().map.retentionMs)
  const parties = partiesOf(header)
  return Promise.all(header.blobs.map(([blob, size]) => blobs.pin({ blob, size, message, parties, hour })))
}

/** `record` is stored. undefined when it is no deletion of attachments. Rejects with OUTCOME_UNKNOWN: what is left to do is done again. */
export const unpinBlobs = (
  { header, sealed }: OpenRecord,
  certificate: Certificate,
  { blobs }: Pick<PinningPorts, 'blobs'>,
): Promise<unknown> | undefined => {
  if (header.k !== 'tomb' || !header.blobs?.length) return undefined
  const deletion = { tombstone: sealed, certificate: certificate.sealed }
  return Promise.all(header.blobs.map(([blob]) => blobs.unpin({ blob, ...deletion }))).catch((cause: unknown) => {
    throw new ChatError('OUTCOME_UNKNOWN', { message: 'The message is deleted; its attachments are not yet', cause })
  })
}
