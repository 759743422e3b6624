// A change of a group: verified like every recipient will, checked against the newest version, decided by the group's homes.
// Of concurrent changes one wins; the others learn the newest version and are made anew by their devices.
import { mutant } from '../../platform/mutants.ts'
import type { ClusterView } from '../core/ports.ts'
import { equalBytes, toBase64 } from '../../protocol/bytes.ts'
import { isRevokedAt } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import { checkChange, openGroup } from '../../protocol/group.ts'
import type { GroupHeader } from '../../protocol/records.ts'
import { isSealedBy } from '../../protocol/sealed.ts'
import type { GroupLedgerPort } from '../replication/group-ledger-port.ts'
import type { Mailboxes } from '../replication/mailboxes.ts'
import { openVersion, type Version, type Versions } from './versions.ts'

export interface ChangesPorts {
  view: ClusterView
  ledger: GroupLedgerPort
  mailboxes: Mailboxes
  versions: Versions
}

/** Users whose certificates are read at once. */
const USERS_AT_ONCE = 50

export class Changes {
  readonly #ports: ChangesPorts
  readonly #maxMembers: number

  constructor(ports: ChangesPorts, maxMembers: number) {
    this.#ports = ports
    this.#maxMembers = maxMembers
  }

  /** Resolves once `sealed` is decided as the version it says; may be repeated. GROUP_*, USER_UNKNOWN, AUTH_*, QUORUM_UNAVAILABLE, OUTCOME_UNKNOWN. */
  async decide(sealed: Uint8Array): Promise<{ version: Version; before: Version | undefined }> {
    const { header } = openGroup(sealed)
    const { versions, ledger } = this.#ports
    await this.#verify(header, sealed)
    const newest = await versions.find(header.to)
    if (newest && newest.version >= header.v) return this.#decidedBefore(header, sealed, newest)
    const after = openVersion(sealed)
    if (!mutant('change-unchecked')) checkChange(newest, header, after)
    await this.#checkMembers(newest, after)
    if (newest?.name !== after.name) await this.#claimName(after)
    const decided = await ledger.propose(header.to, header.v, sealed)
    if (!equalBytes(decided, sealed)) throw lostTo(await versions.newest(header.to), header)
    versions.learn(after)
    return { version: after, before: newest }
  }

  /** The device that signed it is one of its author's, and not revoked. */
  async #verify({ from, dev, at }: GroupHeader, sealed: Uint8Array): Promise<void> {
    const { view, mailboxes } = this.#ports
    const { map } = view.current()
    const certificate = (await mailboxes.certificates(from)).find((each) => each.dev === dev)
    if (!certificate || !isSealedBy(sealed, map.cluster, certificate.publicKey)) throw new ChatError('AUTH_SIGNATURE')
    if (isRevokedAt(map, { from, dev, at })) throw new ChatError('AUTH_REVOKED')
  }

  /** The very same change, asked for again; else it came too late. */
  async #decidedBefore(
    header: GroupHeader,
    sealed: Uint8Array,
    newest: Version,
  ): Promise<{ version: Version; before: Version | undefined }> {
    const { to, v } = header
    const version = await this.#ports.versions.at(to, v)
    if (!version || !equalBytes(version.sealed, sealed)) throw lostTo(newest, header)
    return { version, before: v > 1 ? await this.#ports.versions.at(to, v - 1) : undefined }
  }

  /** Everyone who is new exists, and there is room for them. */
  async #checkMembers(before: Version | undefined, after: Version): Promise<void> {
    const added = after.users.filter((user) => !before?.members.has(user))
    if (added.length > 0 && after.users.length > this.#maxMembers) {
      throw new ChatError('GROUP_FULL', { message: `A group has at most ${this.#maxMembers} members here` })
    }
    const unknown: string[] = []
    for (let at = 0; at < added.length; at += USERS_AT_ONCE) {
      const users = added.slice(at, at + USERS_AT_ONCE)
      const exists = await Promise.all(users.map((user) => this.#ports.mailboxes.userExists(user)))
      unknown.push(...users.filter((_, i) => !exists[i]))
    }
    if (unknown.length === 0) return
    throw new ChatError('USER_UNKNOWN', { message: `There is no user ${unknown.slice(0, 10).join(', ')}` })
  }

  /** A name that was claimed for a group which nobody made yet is told with its id: whoever makes that group has it. */
  async #claimName({ name, group, version }: Version): Promise<void> {
    const { ledger, versions } = this.#ports
    const owner = await ledger.claimName(name, group)
    if (owner === group) return
    const isMade = version > 1 || (await versions.find(owner)) !== undefined
    throw new ChatError('GROUP_NAME_TAKEN', {
      message: `Another group has the name ${name}; choose another`,
      ...(isMade ? {} : { details: { group: owner } }),
    })
  }
}

/** What won is shown to members only. */
const lostTo = ({ sealed, members, name }: Version, { from, v }: GroupHeader): ChatError => {
  if (members.has(from)) return new ChatError('GROUP_CONFLICT', { details: { record: toBase64(sealed) } })
  if (v > 1) return new ChatError('GROUP_DENIED', { message: 'You are not a member of that group' })
  return new ChatError('GROUP_NAME_TAKEN', { message: `Another group has the name ${name}; choose another` })
}
