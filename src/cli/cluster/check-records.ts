// Verifies records as a client would, offline: the bytes are those that the key names, the mailbox is one that the header names, the
// signature is of a device that the authority certified for that user.
import { equalBytes, toHex, toMapKey } from '../../protocol/bytes.ts'
import { type Certificate, openCertificate } from '../../protocol/certificate.ts'
import { type ClusterMap, isRevokedAt } from '../../protocol/cluster-map.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { openGroup } from '../../protocol/group.ts'
import { certificateMailbox, groupMailbox, isGroupId, mailboxOwner, userMailbox } from '../../protocol/names.ts'
import { idBytes, openRecord, type RecordHeader, recordKey } from '../../protocol/records.ts'
import { isSealedBy, openHeader } from '../../protocol/sealed.ts'
import type { Entry } from './check-homes.ts'

export type CheckedKind = RecordHeader['k'] | 'cert' | 'stub'
export interface CheckedRecord {
  kind: CheckedKind
  id: string
  /** Where it belongs; of one to a group only its author's: the rest is a matter of the group's versions. */
  mailboxes: string[]
  group?: GroupFacts
}
export interface GroupFacts {
  id: string
  /** A change's own, else the newest that the author knew. */
  version: number
  author: string
  /** Of a change: the members after it. */
  members?: string[]
}

type NamedBlob = [id: string, size: number]

export interface RecordCheckerOptions {
  map: ClusterMap
  /** Sealed certificates of a user, from any home: they prove themselves. */
  certificates: (user: string) => Promise<Uint8Array[]>
}

export class RecordChecker {
  readonly #options: RecordCheckerOptions
  readonly #certificates = new Map<string, Promise<Certificate[]>>()
  readonly #verified = new Map<string, CheckedRecord>()
  /** By record key in hex, and the keys that verified tombstones name. */
  readonly #stubs = new Map<string, CheckedRecord>()
  readonly #targets = new Set<string>()
  /** What messages name, by what lets go of it (see lettingGo), and whatever was let go of. */
  readonly #named = new Map<string, NamedBlob[]>()
  readonly #letGo = new Set<string>()

  constructor(options: RecordCheckerOptions) {
    this.#options = options
  }

  /** Throws a ChatError that says what is wrong. */
  async check({ mailbox, key }: Entry, sealed: Uint8Array): Promise<CheckedRecord> {
    const header = openHeader(sealed)
    if (header.k === 'stub') return this.#stub({ mailbox, key }, header)
    if (typeof header.id !== 'string' || !equalBytes(recordKey(header.id, sealed), key)) {
      throw new ChatError('MESSAGE_INVALID', { message: 'its bytes are not those that its key names' })
    }
    const checked = this.#verified.get(toMapKey(key)) ?? (await this.#verify(key, sealed))
    if (checked.group ? isPlaceOf(checked.group, mailbox) : checked.mailboxes.includes(mailbox)) return checked
    throw new ChatError('MESSAGE_INVALID', { message: `it belongs to ${checked.mailboxes.join(' and ')}` })
  }

  /** Stubs for which no tombstone was seen: somebody took a body away without being asked to. */
  get unexplained(): CheckedRecord[] {
    return [...this.#stubs].filter(([key]) => !this.#targets.has(key)).map(([, stub]) => stub)
  }

  /**
   * Attachments of the messages that were verified, ids with their sizes. Of what its author deleted for everybody none, though it may lie
   * whole in the mailbox of somebody who left the group before.
   */
  get attachments(): Map<string, number> {
    return new Map([...this.#named].flatMap(([name, blobs]) => (this.#letGo.has(name) ? [] : blobs)))
  }

  /** What was verified so far, each record once. */
  get verified(): Iterable<CheckedRecord> {
    return this.#verified.values()
  }

  /** A key holds a hash of the bytes: what was verified once need not be again, on whichever home it lies. */
  async #verify(key: Buffer, sealed: Uint8Array): Promise<CheckedRecord> {
    const isCertificate = openHeader(sealed).k === 'cert'
    const checked = isCertificate ? this.#certificate(sealed) : await this.#authored(key, sealed)
    this.#verified.set(toMapKey(key), checked)
    return checked
  }

  /** What is left of a deleted record: its bytes are gone, so only its place can be checked, and that it was deleted. */
  #stub({ mailbox, key }: Pick<Entry, 'mailbox' | 'key'>, { id, from, to }: Record<string, unknown>): CheckedRecord {
    const users = isGroupId(to) ? [mailboxOwner(mailbox)] : [String(to), String(from)]
    const stub: CheckedRecord = { kind: 'stub', id: String(id), mailboxes: users.map(userMailbox) }
    if (!idBytes(stub.id).equals(key.subarray(0, 16)) || !stub.mailboxes.includes(mailbox)) {
      throw new ChatError('MESSAGE_INVALID', { message: 'what is left of a deleted record is in a wrong place' })
    }
    this.#stubs.set(toHex(key), stub)
    return stub
  }

  #certificate(sealed: Uint8Array): CheckedRecord {
    const { id, user } = openCertificate(sealed, this.#options.map.cluster)
    return { kind: 'cert', id, mailboxes: [certificateMailbox(user)] }
  }

  async #authored(key: Buffer, sealed: Uint8Array): Promise<CheckedRecord> {
    const { header, mailboxes } = openRecord(sealed)
    const { map } = this.#options
    const certificate = (await this.#certificatesOf(header.from)).find((each) => each.dev === header.dev)
    if (!certificate) {
      throw new ChatError('AUTH_SIGNATURE', {
        message: `there is no certificate for device ${header.dev} of ${header.from}`,
      })
    }
    if (!isSealedBy(sealed, map.cluster, certificate.publicKey)) throw new ChatError('AUTH_SIGNATURE')
    if (isRevokedAt(map, header)) throw new ChatError('AUTH_REVOKED')
    if (header.k === 'msg' && header.blobs) this.#named.set(lettingGo(toHex(key), header), header.blobs)
    if (header.k === 'tomb') {
      this.#targets.add(header.target)
      this.#letGo.add(lettingGo(header.target, header))
    }
    const group = groupFacts(sealed, header)
    return { kind: header.k, id: header.id, mailboxes, ...(group ? { group } : {}) }
  }

  #certificatesOf(user: string): Promise<Certificate[]> {
    const known = this.#certificates.get(user)
    if (known) return known
    const reading = this.#readCertificates(user)
    this.#certificates.set(user, reading)
    return reading
  }

  /** Forged ones are left out here; they are found where they lie, in their own mailbox. */
  async #readCertificates(user: string): Promise<Certificate[]> {
    const sealed = await this.#options.certificates(user)
    return sealed.flatMap((bytes) => {
      try {
        return [openCertificate(bytes, this.#options.map.cluster)]
      } catch {
        return []
      }
    })
  }
}

/** Of a message and of the deletion by its author for everybody: the same. */
const lettingGo = (target: string, { from, to }: { from: string; to: string }): string => `${target} ${from} ${to}`

const groupFacts = (sealed: Uint8Array, header: RecordHeader): GroupFacts | undefined => {
  const { to: id, from: author } = header
  if (!isGroupId(id)) return undefined
  if (header.k !== 'group') return { id, author, version: header.k === 'msg' ? (header.gv ?? 1) : 1 }
  return { id, author, version: header.v, members: [...openGroup(sealed).state.members.keys()] }
}
const isPlaceOf = ({ id }: GroupFacts, mailbox: string): boolean =>
  mailbox === groupMailbox(id) || mailbox === userMailbox(mailboxOwner(mailbox))

export const whyNot = (error: unknown): string => asChatError(error).message
