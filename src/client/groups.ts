// What this device knows of groups: every version that reached it and stands, and what follows from them: names, who is in, who was.
// Versions of times when this user was outside are unknown here, and stay so. Knows no connection.
import { fromUtf8, toUtf8 } from '../protocol/bytes.ts'
import { mutant } from '../platform/mutants.ts'
import { LruMap } from '../platform/lru-map.ts'
import { ChatError } from '../protocol/errors.ts'
import { checkChange, type GroupRole, type GroupState, openGroup, versionHash } from '../protocol/group.ts'
import type { GroupHeader, MessageHeader, OpenRecord } from '../protocol/records.ts'
import { type Disputes, dispute, disputeNamed, noteNamed, openDisputes, settle } from './disputes.ts'
import type { EventLog } from './event-log.ts'
import { type Standing, standingOf } from './group-standing.ts'
import { decodeNumber, encodeNumber, keys, ranges, textOfKey } from './keys.ts'
import type { LocalStore } from './local-store.ts'
import { addRange, type SequenceRanges, without } from './sequence-ranges.ts'

const MAX_OPENED = 64
const MAX_HASHES = 256
/** So many versions, when a message is the first to name one. */
const MAX_LOOKED_AT = 64

/** What is kept of a group besides its versions. */
interface Row extends Disputes {
  newest: number
  /** Versions that are here, and those of them in which this user is a member. */
  known: SequenceRanges
  mine: SequenceRanges
  /** Who left, or was removed, and the last version that did it. */
  left: Record<string, number>
  /** Every name it had: they are its own for ever. */
  names: string[]
}
interface Known {
  row: Row
  newest: GroupState
}

export interface GroupVersion {
  header: GroupHeader
  state: GroupState
}

export interface GroupsOptions {
  store: LocalStore
  events: EventLog
  me: string
  /** The cluster does not give this version to this user. */
  isWithheld: (group: string, version: number) => boolean
  /** The cluster, asked for this version, gave this very record. */
  isTold: (record: Uint8Array, header: GroupHeader) => boolean
  /** A version came that was not here. */
  onVersion: () => void
}

export class Groups {
  readonly #options: GroupsOptions
  readonly #groups = new Map<string, Known>()
  readonly #ids = new Map<string, string>()
  /** Older versions that were looked at, by `id version`. */
  readonly #opened = new LruMap<string, GroupState>({ max: MAX_OPENED })
  readonly #hashes = new LruMap<string, string>({ max: MAX_HASHES })

  constructor(options: GroupsOptions) {
    this.#options = options
  }

  async load(): Promise<void> {
    for (const [key, value] of await this.#options.store.range(ranges.groups())) {
      const row = JSON.parse(fromUtf8(value)) as Row // written by file()
      const newest = this.at(textOfKey(key), row.newest)
      if (newest) this.#adopt({ row, newest })
    }
  }

  /** The newest version known here. */
  newest(id: string): GroupState | undefined {
    return this.#groups.get(id)?.newest
  }

  at(id: string, version: number): GroupState | undefined {
    const newest = this.newest(id)
    if (newest?.version === version) return newest
    const name = `${id} ${version}`
    const opened = this.#opened.get(name)
    if (opened) return opened
    const sealed = this.#options.store.get(keys.groupVersion(id, version))
    if (!sealed) return undefined
    const { state } = openGroup(sealed)
    this.#opened.set(name, state)
    return state
  }

  /** The version that a change of this id became. */
  versionOf(id: string, change: string): number | undefined {
    const version = this.#options.store.get(keys.groupChange(id, change))
    return version && decodeNumber(version)
  }

  /** Who made that version, of what, and what came of it. */
  changeAt(id: string, version: number): GroupVersion | undefined {
    const sealed = this.#options.store.get(keys.groupVersion(id, version))
    return sealed && openGroup(sealed)
  }

  /** The newest version in which this user is a member: what its messages name. */
  ownVersion(id: string): { version: number; hash: string } | undefined {
    const version = this.#groups.get(id)?.row.mine.at(-1)?.[1]
    const hash = version === undefined ? undefined : this.#hashAt(id, version)
    return version === undefined || hash === undefined ? undefined : { version, hash }
  }

  /**
   * A message of a member who names a version: is it the one that is here? Else somebody showed the two of them different ones, which takes
   * a home that lies and somebody who may change the group; that is kept, and true is returned when it is news.
   */
  hear({ to: id, from, gv: version, gh: hash }: MessageHeader): boolean {
    const row = this.#groups.get(id)?.row
    if (!row || version === undefined || hash === undefined || mutant('fork-unseen')) return false
    const here = this.#hashAt(id, version)
    if (here === hash) return false
    const isNews = here ? dispute(row, from, version) : noteNamed(row, { version, by: from, hash })
    if (isNews) this.#save(id, row)
    return isNews && here !== undefined
  }

  /** Who has another history of the group than this device, as their messages say, and was not compared with since. */
  disputedBy(id: string): string[] {
    const row = this.#groups.get(id)?.row
    return row ? openDisputes(row) : []
  }

  /** The user knows of those. */
  compare(id: string): void {
    const row = this.#groups.get(id)?.row
    const users = this.disputedBy(id)
    if (!row || users.length === 0) return
    settle(row, users, row.newest)
    this.#save(id, row)
  }

  /** Did anybody come in after version `since`, up to `version`? Also true of more versions than are looked at, or known here. */
  hasNewcomers(id: string, since: number, version: number): boolean {
    if (version - since > MAX_LOOKED_AT) return true
    for (let each = since + 1; each <= version; each += 1) {
      const change = this.changeAt(id, each)?.header.change
      if (change === undefined || change === 'add') return true
    }
    return false
  }

  /** By its name, or a name that it had. */
  idOf(name: string): string | undefined {
    return this.#ids.get(name)
  }

  /** Its current name; the id as long as no version of it is known. */
  nameOf(id: string): string {
    return this.newest(id)?.name ?? id
  }

  /** Groups that this user is in, by name. */
  mine(): GroupState[] {
    const states = [...this.#groups.values()].map(({ newest }) => newest)
    return states.filter(({ members }) => members.has(this.#options.me)).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  isMember(id: string, user = this.#options.me): boolean {
    return this.newest(id)?.members.has(user) === true
  }

  /** In, or once in, as far as is known here. */
  wasMember(id: string, user: string): boolean {
    return this.isMember(id, user) || this.#leftAt(id, user) > 0
  }

  /** In at this version and ever since. */
  isMemberSince(id: string, version: number, user: string): boolean {
    return this.isMember(id, user) && this.#leftAt(id, user) <= version
  }

  /** Its role when a message was written, as far as that is known here. */
  roleAt(id: string, version: number, user: string): GroupRole | undefined {
    return (this.at(id, version) ?? this.newest(id))?.members.get(user)
  }

  /** Was this user outside of the group at some version of these? */
  wasAway(id: string, from: number, to: number): boolean {
    const row = this.#groups.get(id)?.row
    return row !== undefined && without([[from, Math.max(from, to)]], row.mine).length > 0
  }

  /** May this record be believed, its signature being right? Those of direct conversations may. */
  standing(record: OpenRecord): Standing {
    const { group } = record
    if (group === undefined) return 'valid'
    const { known = [], mine = [] } = this.#groups.get(group)?.row ?? {}
    return standingOf(record, {
      me: this.#options.me,
      known,
      mine,
      at: (version) => this.at(group, version),
      wasMember: (user) => this.wasMember(group, user),
      wasMemberSince: (user, version) => this.isMember(group, user) || this.#leftAt(group, user) > version,
      isWithheld: (version) => this.#options.isWithheld(group, version),
      isTold: this.#options.isTold,
    })
  }

  /** Keeps a version that stands, and tells listeners of it. `at`: milliseconds since 1970. */
  file(header: GroupHeader, sealed: Uint8Array, at: number): void {
    const { store, me } = this.#options
    const { state } = openGroup(sealed)
    const { group: id, version } = state
    const before = this.at(id, version - 1)
    store.put(keys.groupVersion(id, version), sealed)
    store.put(keys.groupChange(id, header.id), encodeNumber(version))
    const { row, newest } = this.#groups.get(id) ?? {
      row: { newest: 0, known: [], mine: [], left: {}, names: [] },
      newest: state,
    }
    addRange(row.known, version, version)
    if (state.members.has(me)) addRange(row.mine, version, version)
    for (const user of before?.members.keys() ?? []) {
      if (!state.members.has(user)) row.left[user] = Math.max(row.left[user] ?? 0, version)
    }
    // The first version that is known is believed because the cluster gave it; the one before it may come later, and speak against it.
    const after = this.changeAt(id, version + 1)
    if (after && !follows(state, after)) dispute(row, after.header.from, version + 1)
    disputeNamed(row, version, versionHash(sealed))
    row.names = [...new Set([...row.names, state.name])]
    row.newest = Math.max(row.newest, version)
    this.#save(id, row)
    this.#adopt({ row, newest: version === row.newest ? state : newest })
    this.#tell(header, state, at)
    this.#options.onVersion()
  }

  #save(id: string, row: Row): void {
    this.#options.store.put(keys.group(id), toUtf8(JSON.stringify(row)))
  }

  #hashAt(id: string, version: number): string | undefined {
    const name = `${id} ${version}`
    const known = this.#hashes.get(name)
    if (known !== undefined) return known
    const sealed = this.#options.store.get(keys.groupVersion(id, version))
    const hash = sealed && versionHash(sealed)
    if (hash !== undefined) this.#hashes.set(name, hash)
    return hash
  }

  #leftAt(id: string, user: string): number {
    const left = this.#groups.get(id)?.row.left
    return left && Object.hasOwn(left, user) ? (left[user] ?? 0) : 0
  }

  #adopt({ row, newest }: Known): void {
    this.#groups.set(newest.group, { row, newest })
    for (const name of row.names) if (!this.#ids.has(name)) this.#ids.set(name, newest.group)
  }

  /** One event for each user whom a change concerns. */
  #tell({ from: by, change, users = [] }: GroupHeader, state: GroupState, at: number): void {
    const { events } = this.#options
    const { group, version, topic = '', members } = state
    const said = change === 'topic' ? { topic } : {}
    if (users.length === 0) events.groupChange({ group, version, by, change, ...said, at })
    for (const user of users) {
      const role = change === 'role' ? members.get(user) : undefined
      events.groupChange({ group, version, by, change, user, ...(role ? { role } : {}), at })
    }
  }
}

const follows = (before: GroupState, { header, state }: GroupVersion): boolean => {
  try {
    checkChange(before, header, state)
    return true
  } catch (error) {
    if (error instanceof ChatError) return false
    throw error
  }
}
