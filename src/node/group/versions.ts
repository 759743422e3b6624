// Versions of groups as this node knows them: the newest of each, remembered. A remembered one may be old; nothing that matters
// is decided by it alone: homes take no message at a version that has ended, and whoever is about to be refused is looked up anew.
import { LruMap } from '../../platform/lru-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import { type GroupState, openGroup } from '../../protocol/group.ts'
import { groupMailbox, userMailbox } from '../../protocol/names.ts'
import { openRecord } from '../../protocol/records.ts'
import type { Decided, FanOut, GroupLedgerPort } from '../replication/group-ledger-port.ts'

/** A version with what every message needs of it. */
export interface Version extends GroupState {
  sealed: Uint8Array
  users: string[]
  mailboxes: Chunks
}
/** Mailboxes, in lists that stay the same objects as long as the version does: how to write to them is planned once for each. */
export type Chunks = readonly (readonly string[])[]

/** Entries that a store makes in one turn: 5 ms of its loop. */
const MAILBOXES_PER_WRITE = 500

const inChunks = (mailboxes: readonly string[]): Chunks =>
  Array.from({ length: Math.ceil(mailboxes.length / MAILBOXES_PER_WRITE) }, (_, i) =>
    mailboxes.slice(i * MAILBOXES_PER_WRITE, (i + 1) * MAILBOXES_PER_WRITE),
  )

/** Most groups are small; this many of a thousand members take 200 MiB. */
const MAX_GROUPS = 2_000

export const openVersion = (sealed: Uint8Array): Version => {
  const { state } = openGroup(sealed)
  const users = [...state.members.keys()]
  return { ...state, sealed, users, mailboxes: inChunks(users.map(userMailbox)) }
}

export class Versions {
  readonly #ledger: GroupLedgerPort
  /** A version that came from the homes and was not known here. */
  readonly #onFound: (version: Version) => void
  readonly #newest = new LruMap<string, Version>({ max: MAX_GROUPS })

  constructor(ledger: GroupLedgerPort, onFound: (version: Version) => void) {
    this.#ledger = ledger
    this.#onFound = onFound
  }

  /** The newest version, perhaps of a while ago. GROUP_UNKNOWN. */
  async recent(group: string): Promise<Version> {
    return this.#newest.get(group) ?? this.newest(group)
  }

  /** The newest version now. GROUP_UNKNOWN, QUORUM_UNAVAILABLE. */
  async newest(group: string): Promise<Version> {
    const version = await this.find(group)
    if (!version) throw new ChatError('GROUP_UNKNOWN')
    return version
  }

  /** As `newest`; undefined when there is no such group. */
  async find(group: string): Promise<Version | undefined> {
    const decided = await this.#ledger.newest(group)
    return decided && this.#found(group, decided)
  }

  /** A version that is decided, or undefined. */
  async at(group: string, version: number): Promise<Version | undefined> {
    const known = this.#newest.get(group)
    if (known?.version === version) return known
    const sealed = await this.#ledger.at(group, version)
    return sealed && openVersion(sealed)
  }

  /** A version that was decided through this node. */
  learn(version: Version): void {
    if ((this.#newest.get(version.group)?.version ?? 0) < version.version) this.#newest.set(version.group, version)
  }

  /** Whose mailboxes a record belongs in: a change is for those before it and after it, anything else for its version's members. */
  async mailboxesOf({ group, version, sealed }: Pick<FanOut, 'group' | 'version' | 'sealed'>): Promise<Chunks> {
    const { header } = openRecord(sealed)
    if (header.k !== 'group') return (await this.#decided(group, version)).mailboxes
    const before = header.v > 1 ? (await this.#decided(group, header.v - 1)).mailboxes : []
    return inChunks([...new Set([groupMailbox(group), ...before.flat(), ...openVersion(sealed).mailboxes.flat()])])
  }

  async #decided(group: string, version: number): Promise<Version> {
    const found = await this.at(group, version)
    if (!found) throw new ChatError('GROUP_UNKNOWN', { message: `Version ${version} of that group is not decided` })
    return found
  }

  #found(group: string, { version, sealed }: Decided): Version {
    const known = this.#newest.get(group)
    if (known && known.version >= version) return known
    const opened = openVersion(sealed)
    this.#newest.set(group, opened)
    this.#onFound(opened)
    return opened
  }
}
