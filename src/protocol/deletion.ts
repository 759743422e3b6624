// What proves that an author deleted a message for everybody, to whoever holds neither the message nor its mailboxes: the tombstone and
// the certificate of the device that signed it. Verified offline, by everybody alike.
import { toUtf8 } from './bytes.ts'
import { openCertificate } from './certificate.ts'
import { ChatError } from './errors.ts'
import { limits } from './limits.ts'
import { openRecord, type TombstoneHeader } from './records.ts'
import { isSealedBy } from './sealed.ts'
import { sha256 } from './signing.ts'

/** Both sealed. */
export interface Deletion {
  tombstone: Uint8Array
  certificate: Uint8Array
}

export const PARTIES_BYTES = 16
/** Author and recipient of a message, hashed: only its author deletes it for everybody, and only by a tombstone to the same recipient. */
export const partiesOf = ({ from, to }: { from: string; to: string }): Buffer =>
  sha256(toUtf8(`${from}\n${to}`)).subarray(0, PARTIES_BYTES)

/**
 * The tombstone's header. MESSAGE_INVALID: it is none, or is larger than any has to be. AUTH_SIGNATURE: not by this device, or not by one
 * of its author. AUTH_EXPIRED: its certificate was over when it was signed.
 */
export const openDeletion = ({ tombstone, certificate }: Deletion, cluster: string): TombstoneHeader => {
  if (Math.max(tombstone.length, certificate.length) > limits.maxTombstoneBytes)
    throw new ChatError('MESSAGE_TOO_LARGE')
  const { header } = openRecord(tombstone)
  if (header.k !== 'tomb') throw new ChatError('MESSAGE_INVALID', { message: 'That is no deletion' })
  const { user, dev, exp, publicKey } = openCertificate(certificate, cluster)
  if (user !== header.from || dev !== header.dev || !isSealedBy(tombstone, cluster, publicKey)) {
    throw new ChatError('AUTH_SIGNATURE', { message: 'The deletion is not signed by a device of its author' })
  }
  if (header.at > exp + limits.maxAheadMs) throw new ChatError('AUTH_EXPIRED')
  return header
}
