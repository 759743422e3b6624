// The one question everything received has to pass: did a device of the named author sign exactly this for this user's mailbox?
// The conversation was recomputed from sender and recipient when the record was opened.
import { isSealedBy } from '../protocol/sealed.ts'
import type { Certificate } from '../protocol/certificate.ts'
import type { ClusterMap } from '../protocol/cluster-map.ts'
import type { OpenRecord } from '../protocol/records.ts'
import { mutant } from '../platform/mutants.ts'

export type Verdict = 'valid' | 'not-for-me' | 'revoked' | 'unsigned'

interface Judge {
  me: string
  cluster: string
  map: ClusterMap | undefined
}

/** Receipts live in the mailbox of whom they are for only, everything else in both; of a group's records group-standing.ts decides. */
const isForMe = ({ header, group }: OpenRecord, me: string): boolean =>
  group !== undefined || header.to === me || (header.k !== 'rcpt' && header.from === me)

/** About 0.1 ms. Expiry of the certificate is no matter here: it was certified once. */
export const judge = (record: OpenRecord, certificate: Certificate, { me, cluster, map }: Judge): Verdict => {
  if (!isForMe(record, me)) return 'not-for-me'
  const { from, dev, at } = record.header
  const revoked = map?.revocations.find((revocation) => revocation.user === from && revocation.dev === dev)
  if (revoked && at > revoked.at) return 'revoked'
  if (mutant('signature-unchecked')) return 'valid'
  return isSealedBy(record.sealed, cluster, certificate.publicKey) ? 'valid' : 'unsigned'
}
