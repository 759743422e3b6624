// Groups as a person changes them: every change is made on the newest version there is, signed here and proposed; one that lost a race
// is made anew on what won. Needs a gateway. What is known of groups is in groups.ts, and only what was verified there is answered.
import { fromBase64, toBase64 } from '../protocol/bytes.ts'
import { asChatError, ChatError, hasCode } from '../protocol/errors.ts'
import { encodeGroup, type GroupChange, type GroupRole, type GroupState, nextState } from '../protocol/group.ts'
import { isGroupId, isGroupName, isUserName } from '../protocol/names.ts'
import { type GroupHeader, isRecordId, openRecord, recordKey } from '../protocol/records.ts'
import { mutant } from '../platform/mutants.ts'
import { sleep } from '../platform/timing.ts'
import type { Clock } from '../platform/ports.ts'
import type { ChatGroups, GroupChangeOptions, GroupReport } from './api.ts'
import type { ChatState } from './chat-state.ts'
import type { Identity } from './identity.ts'
import type { Online } from './online.ts'
import type { Session } from './session.ts'

const DEFAULT_TIMEOUT_MS = 30_000
/** A change waits for quorums of two registers, one after the other. */
const ANSWER_MS = 15_000
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 2_000

export interface LocalGroupsOptions {
  identity: Identity
  clock: Clock
  state: ChatState
  /** The time to sign with. */
  now: () => number
  /** The one that is open now; `online` waits for one. */
  session: () => Session | undefined
  online: Online
  /** Resolves once it holds; TIMEOUT. */
  until: (holds: () => boolean, timeoutMs: number) => Promise<void>
}
type Wanted = Omit<GroupChange, 'by'>
interface Attempt {
  /** Of the change: a change that is repeated under its id is made once. */
  id: string
  deadline: number
}

export class LocalGroups implements ChatGroups {
  readonly #options: LocalGroupsOptions

  constructor(options: LocalGroupsOptions) {
    this.#options = options
  }

  async create(name: string, users: string[] = [], options: GroupChangeOptions = {}): Promise<GroupReport> {
    assertGroupName(name)
    users.forEach(assertUserName)
    const attempt = this.#begin(options)
    const wanted: Wanted = { change: 'create', name, users }
    try {
      return await this.#make(`#${attempt.id}`, wanted, attempt)
    } catch (error) {
      // Whoever claimed the name for this id never made the group: it may be made by anybody.
      const claimed = error instanceof ChatError && error.code === 'GROUP_NAME_TAKEN' ? error.details?.group : undefined
      if (!isGroupId(claimed)) throw error
      return this.#make(claimed, wanted, attempt)
    }
  }

  add(name: string, users: string[], options?: GroupChangeOptions): Promise<GroupReport> {
    return this.#change(name, { change: 'add', users }, options)
  }

  remove(name: string, users: string[], options?: GroupChangeOptions): Promise<GroupReport> {
    return this.#change(name, { change: 'remove', users }, options)
  }

  leave(name: string, options?: GroupChangeOptions): Promise<GroupReport> {
    return this.#change(name, { change: 'leave' }, options)
  }

  role(name: string, user: string, role: GroupRole, options?: GroupChangeOptions): Promise<GroupReport> {
    return this.#change(name, { change: 'role', users: [user], role }, options)
  }

  async rename(name: string, newName: string, options?: GroupChangeOptions): Promise<GroupReport> {
    assertGroupName(newName)
    return this.#change(name, { change: 'rename', name: newName }, options)
  }

  topic(name: string, topic: string, options?: GroupChangeOptions): Promise<GroupReport> {
    return this.#change(name, { change: 'topic', topic }, options)
  }

  async compared(name: string): Promise<GroupReport> {
    const { groups, store } = this.#options.state
    const id = isGroupId(name) ? name : groups.idOf(name)
    const newest = id === undefined ? undefined : groups.newest(id)
    if (newest === undefined) throw new ChatError('GROUP_UNKNOWN')
    groups.compare(newest.group)
    await store.commit({ sync: true })
    return this.#reportOf(newest)
  }

  async info(name: string): Promise<GroupReport> {
    return this.#reportOf(await this.#own(name, {}))
  }

  async list(): Promise<GroupReport[]> {
    return this.#options.state.groups.mine().map((state) => this.#reportOf(state))
  }

  /** The id of a group that this user is in, asked of the cluster unless this device knows it. GROUP_UNKNOWN, GROUP_DENIED. */
  async join(name: string, options: GroupChangeOptions): Promise<string> {
    const { groups } = this.#options.state
    const known = isGroupId(name) ? name : groups.idOf(name)
    if (known !== undefined && groups.isMember(known)) return known
    return (await this.#own(name, options)).group
  }

  /** A version as the cluster gives it, unverified. */
  async fetch(group: string, version: number | undefined): Promise<Uint8Array> {
    const session = this.#options.session()
    if (!session) throw new ChatError('NET_UNAVAILABLE')
    const fields = { group, ...(version === undefined ? {} : { version }) }
    const { record } = await session.request('group.get', fields, 'group.record', ANSWER_MS)
    return fromBase64(record)
  }

  #begin({ id = this.#options.state.makeId(), timeoutMs = DEFAULT_TIMEOUT_MS }: GroupChangeOptions): Attempt {
    if (!isRecordId(id)) throw new ChatError('USAGE', { message: 'The id of a change is a UUID of version 7' })
    return { id, deadline: this.#options.clock.monotonic() + timeoutMs }
  }

  async #change(name: string, wanted: Wanted, options: GroupChangeOptions = {}): Promise<GroupReport> {
    wanted.users?.forEach(assertUserName)
    const attempt = this.#begin(options)
    const { group } = await this.#fresh(name, attempt)
    return this.#make(group, wanted, attempt)
  }

  /** Makes the change on the newest version known, again and again until it is decided or cannot be made. */
  async #make(group: string, wanted: Wanted, attempt: Attempt): Promise<GroupReport> {
    const { identity, state, now } = this.#options
    for (;;) {
      const decided = this.#decided(group, attempt.id)
      if (decided) return this.#reportOf(decided)
      const after = nextState(state.groups.newest(group), { ...wanted, by: identity.user }, group)
      // Behind everything that this device has seen in it, whatever the clocks say.
      const at = Math.max(now(), (state.conversations.get(group)?.maxAt ?? 0) + 1)
      const author = { id: attempt.id, from: identity.user, dev: identity.device, to: group, at }
      const { change, users } = wanted
      const concerned = change === 'create' || !users ? {} : { users: [...users] }
      const header: GroupHeader = { k: 'group', ...author, v: after.version, change, ...concerned }
      const sealed = identity.seal(header, encodeGroup(after))
      try {
        await this.#retried(attempt, async (session) => {
          const { record } = await session.request(
            'group.propose',
            { record: toBase64(sealed) },
            'group.record',
            ANSWER_MS,
          )
          await this.#take(fromBase64(record), attempt)
        })
      } catch (error) {
        if (!(error instanceof ChatError) || error.code !== 'GROUP_CONFLICT') throw error
        if (typeof error.details?.record !== 'string') throw error
        const won = await this.#take(fromBase64(error.details.record), attempt)
        if (mutant('lost-race-taken-for-won')) return this.#reportOf(won)
      }
    }
  }

  #reportOf({ group, name, version, topic, members }: GroupState): GroupReport {
    const disputedBy = this.#options.state.groups.disputedBy(group)
    return {
      group: name,
      version,
      ...(topic === undefined ? {} : { topic }),
      members: [...members].map(([user, role]) => ({ user, role })),
      ...(disputedBy.length > 0 ? { disputedBy } : {}),
    }
  }

  /** The version that this very change became. */
  #decided(group: string, id: string): GroupState | undefined {
    const { state } = this.#options
    const version = state.groups.versionOf(group, id)
    return version === undefined ? undefined : state.groups.at(group, version)
  }

  /** The newest version, linearizable. */
  async #fresh(name: string, attempt: Attempt): Promise<GroupState> {
    if (!isGroupName(name) && !isGroupId(name)) throw new ChatError('GROUP_NAME_ILLEGAL')
    const { groups } = this.#options.state
    const which = groups.idOf(name) ?? name
    const sealed = await this.#retried(attempt, () => this.fetch(which, undefined))
    return this.#take(sealed, attempt)
  }

  /** The same of a group that this user is in: GROUP_DENIED. */
  async #own(name: string, options: GroupChangeOptions): Promise<GroupState> {
    const state = await this.#fresh(name, this.#begin(options))
    if (!state.members.has(this.#options.identity.user)) throw new ChatError('GROUP_DENIED')
    return state
  }

  /** Verified and filed, with all before it. GROUP_INVALID when it does not stand. */
  async #take(sealed: Uint8Array, { deadline }: Attempt): Promise<GroupState> {
    const { state, until, clock } = this.#options
    const { header } = openRecord(sealed)
    if (header.k !== 'group') throw new ChatError('GROUP_INVALID')
    const key = recordKey(header.id, sealed)
    state.takeGroup(sealed)
    await until(() => state.records.has(key), Math.max(1, deadline - clock.monotonic()))
    const filed = state.records.disposition(key) === 'applied' ? state.groups.at(header.to, header.v) : undefined
    if (!filed) throw new ChatError('GROUP_INVALID', { message: 'The version that the gateway gave does not verify' })
    return filed
  }

  /** Again while trying again may help, the same bytes. */
  async #retried<T>({ deadline }: Attempt, ask: (session: Session) => Promise<T>): Promise<T> {
    const { clock, online } = this.#options
    let isUnknown = false
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(LONGEST_RETRY_MS, 2 * waitMs)) {
      try {
        return await ask(await online(deadline))
      } catch (error) {
        const reason = asChatError(error)
        isUnknown ||= reason.outcome === 'unknown'
        const isOver = clock.monotonic() + waitMs >= deadline
        if (isOver && isUnknown)
          throw new ChatError('OUTCOME_UNKNOWN', { message: `${UNKNOWN} (${reason.message})`, cause: reason })
        if (isOver || !reason.retryable || hasCode(reason, 'GROUP_CONFLICT', 'TIMEOUT')) throw reason
      }
      await sleep(clock, waitMs)
    }
  }
}

const UNKNOWN = 'The group may have been changed or not; look at it with chat group info'

const assertGroupName = (name: string): void => {
  if (!isGroupName(name)) throw new ChatError('GROUP_NAME_ILLEGAL')
}
const assertUserName = (name: string): void => {
  if (!isUserName(name)) throw new ChatError('AUTH_NAME_ILLEGAL')
}
