// The one question everything received has to pass: did a device of the named author sign exactly this for this user's mailbox?
// The conversation was recomputed from sender and recipient when the record was opened; the signature is checked aside (ingest.ts).
import { type ClusterMap, isRevokedAt } from '../protocol/cluster-map.ts'
import type { OpenRecord } from '../protocol/records.ts'
import { mutant } from '../platform/mutants.ts'

export type Verdict = 'valid' | 'not-for-me' | 'revoked' | 'unsigned'

/** What is known beside the record. */
interface Judge {
  me: string
  map: ClusterMap | undefined
  /** The author's device signed exactly this. */
  isSigned: boolean
}

/** Receipts live in the mailbox of whom they are for only, everything else in both; of a group's records group-standing.ts decides. */
const isForMe = ({ header, group }: OpenRecord, me: string): boolean =>
  group !== undefined || header.to === me || (header.k !== 'rcpt' && header.from === me)

/** Expiry of the author's certificate is no matter here: it was certified once. */
export const judge = (record: OpenRecord, { me, map, isSigned }: Judge): Verdict => {
  if (!isForMe(record, me)) return 'not-for-me'
  if (map && isRevokedAt(map, record.header)) return 'revoked'
  return isSigned || mutant('signature-unchecked') ? 'valid' : 'unsigned'
}
