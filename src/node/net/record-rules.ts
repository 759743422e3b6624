// Which records this node takes from the DHT: the cluster map, and certificates of users, both signed by the authority.
// kad-dht asks validators on put and get, but never compares with what it has; so they also refuse what is older.
import { LruMap } from '../../platform/lru-map.ts'
import { fromUtf8, toUtf8 } from '../../protocol/bytes.ts'
import { openCertificate } from '../../protocol/certificate.ts'
import { openMap } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import { openHeader } from '../../protocol/sealed.ts'
import type { ClusterView } from '../core/ports.ts'
import { unpackCertificates } from './certificate-list.ts'

const MAP_NAMESPACE = 'chatd-map'
const CERTIFICATE_NAMESPACE = 'chatd-cert'
/** Keys whose greatest serial is remembered. */
const MAX_REMEMBERED = 10_000
const MAX_RECORD_BYTES = 512 * 1024

export const mapKey = (cluster: string): Uint8Array => toUtf8(`/${MAP_NAMESPACE}/${cluster}`)
export const certificateKey = (user: string): Uint8Array => toUtf8(`/${CERTIFICATE_NAMESPACE}/${user}`)
/** What follows the namespace. */
const nameIn = (key: Uint8Array): string => fromUtf8(key).split('/').slice(2).join('/')

type Validator = (key: Uint8Array, value: Uint8Array) => void
type Selector = (key: Uint8Array, records: Uint8Array[]) => number
export interface RecordRules {
  validators: Record<string, Validator>
  selectors: Record<string, Selector>
}

const refuse = (message: string): never => {
  throw new ChatError('PEER_DENIED', { message })
}

/** `view` is asked late: it is made after the transport. */
export const recordRules = (cluster: string, view: () => ClusterView): RecordRules => {
  const serials = new LruMap<string, number>({ max: MAX_REMEMBERED })
  const validateMap: Validator = (key, value) => {
    if (nameIn(key) !== cluster || value.length > MAX_RECORD_BYTES) refuse('That is not the map of this cluster')
    const { map } = openMap(value, cluster)
    if (map.epoch < view().current().map.epoch) refuse(`Epoch ${map.epoch} is over`)
    view().adopt(Uint8Array.from(value)) // a newer one is welcome from wherever it comes
  }
  const validateCertificates: Validator = (key, value) => {
    if (value.length > MAX_RECORD_BYTES) refuse('Too large')
    const user = nameIn(key)
    const rank = rankOf(value, user, cluster)
    if (rank < (serials.get(user) ?? 0)) refuse('Older certificates than those known')
    serials.set(user, rank)
  }
  return {
    validators: {
      [MAP_NAMESPACE]: validateMap,
      [CERTIFICATE_NAMESPACE]: validateCertificates,
      pk: () => refuse('Public keys are not kept here'), // built into kad-dht
    },
    selectors: {
      [MAP_NAMESPACE]: (_key, records) => greatest(records, epochOf),
      [CERTIFICATE_NAMESPACE]: (key, records) => greatest(records, (value) => rankOf(value, nameIn(key), cluster)),
    },
  }
}

const epochOf = (sealed: Uint8Array): number => Number(openHeader(sealed)['epoch'])

/** The greatest serial: serials of a user only rise. Throws unless the authority signed each for this user. */
const rankOf = (value: Uint8Array, user: string, cluster: string): number => {
  const certificates = unpackCertificates(value).map((sealed) => openCertificate(sealed, cluster))
  if (certificates.length === 0 || certificates.some((certificate) => certificate.user !== user))
    refuse('Certificates of someone else')
  return Math.max(...certificates.map(({ serial, at }) => (Number.isSafeInteger(serial) ? serial : at)))
}

const greatest = (records: Uint8Array[], rank: (record: Uint8Array) => number): number => {
  const ranks = records.map(rank)
  return ranks.indexOf(Math.max(...ranks))
}
