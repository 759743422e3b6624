// The device certificates of users, in mailboxes of their own that only the authority's signature opens.

import { type Certificate, openCertificate } from '../../protocol/certificate.ts'
import { ChatError } from '../../protocol/errors.ts'
import { certificateMailbox } from '../../protocol/names.ts'
import { type StoredRecord, storeCertificates } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import { coverOf, homesOf } from '../replication/placement.ts'
import type { Home } from './home.ts'
import { numberKey, placeOf } from './keys.ts'
import { readRecord } from './lookup.ts'
import { openNumberValue } from './values.ts'

/** More than any user has devices and renewals within retention. */
const MAX_CERTIFICATES = 2_000

/** All certificates of a user that this home has. */
export const readCertificates = async (home: Home, user: string): Promise<StoredRecord[]> => {
  const place = placeOf(certificateMailbox(user))
  const upper = numberKey(place, home.numbers.durableNumber)
  const rows = await home.database.range({ gt: numberKey(place, 0), lte: upper, limit: MAX_CERTIFICATES })
  return rows.flatMap(([key, bytes]) => {
    const value = openNumberValue(key, bytes)
    const record = value && readRecord(home, place, { ...value, now: 0 })
    return record ? [record] : []
  })
}

/** The certificate of one device, from R homes of its user; undefined when they have none. PEER_UNREACHABLE when too few answer. */
export const findCertificate = async (
  { transport, view }: { transport: Pick<PeerTransport, 'call'>; view: ClusterView },
  { user, device }: { user: string; device: string },
): Promise<Certificate | undefined> => {
  const { map } = view.current()
  const { current } = homesOf(map, certificateMailbox(user))
  const request = { epoch: map.epoch, user }
  const answers = await Promise.allSettled(
    current.peers.map((peer) => transport.call(peer, storeCertificates, request)),
  )
  const records = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value.records : []))
  for (const { sealed } of records) {
    const certificate = openCertificate(sealed, map.cluster)
    if (certificate.dev === device && certificate.user === user) return certificate
  }
  if (answers.filter(({ status }) => status === 'fulfilled').length >= coverOf(current)) return undefined
  throw new ChatError('PEER_UNREACHABLE', { message: `The certificates of ${user} cannot be read at the moment` })
}
