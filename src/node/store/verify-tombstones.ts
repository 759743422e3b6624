// Tombstones delete for good, so a home checks their signature before it obeys: the one kind of record that nodes verify themselves.

import { isRevokedAt } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import { isSealedBy } from '../../protocol/sealed.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import type { AdmittedRecord } from './admission.ts'
import { findCertificate } from './certificates.ts'

/** AUTH_SIGNATURE or AUTH_REVOKED for one that its device may not have signed; PEER_UNREACHABLE when that cannot be found out now. */
export const verifyTombstone = async (
  ports: { transport: Pick<PeerTransport, 'call'>; view: ClusterView },
  record: AdmittedRecord,
): Promise<void> => {
  const { tombstone } = record
  if (!tombstone) return
  const { map } = ports.view.current()
  const certificate = await findCertificate(ports, { user: tombstone.from, device: tombstone.dev })
  if (!certificate || !isSealedBy(record.sealed, map.cluster, certificate.publicKey)) {
    throw new ChatError('AUTH_SIGNATURE', { message: 'The deletion is not signed by a device of its author' })
  }
  if (isRevokedAt(map, tombstone)) throw new ChatError('AUTH_REVOKED')
}
