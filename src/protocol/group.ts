// Groups: the body of a version, the roles, and the one set of rules by which a version follows from the one before it.
// Pure, and the same for the device that makes a change, the node that decides it and everyone who verifies it.
import { equalBytes, fromUtf8, toHex, toUtf8 } from './bytes.ts'
import { ChatError } from './errors.ts'
import { limits } from './limits.ts'
import { isGroupName, isUserName } from './names.ts'
import { type GroupChangeName, type GroupHeader, openRecord } from './records.ts'
import { openBody } from './sealed.ts'
import { sha256 } from './signing.ts'

export const groupRoles = ['owner', 'admin', 'member'] as const
export type GroupRole = (typeof groupRoles)[number]

export interface GroupState {
  /** The id. */
  group: string
  version: number
  /** `#ops`. */
  name: string
  /** What it is about, one line; absent when nothing is said. */
  topic?: string
  /** Sorted by name. */
  members: ReadonlyMap<string, GroupRole>
}

/** What somebody wants to be changed. */
export interface GroupChange {
  by: string
  change: GroupChangeName
  /** add, remove, role: whom; create: everyone besides the creator. */
  users?: readonly string[]
  /** role: the new one. */
  role?: GroupRole
  /** create, rename: the name. */
  name?: string
  /** topic: the new one; empty: none any more. */
  topic?: string
}

/** What messages carry of a version: half of SHA-256, in hex. */
export const versionHash = (sealed: Uint8Array): string => toHex(sha256(sealed).subarray(0, 16))

const invalid = (message?: string): never => {
  throw new ChatError('GROUP_INVALID', message === undefined ? {} : { message })
}
const denied = (message: string): never => {
  throw new ChatError('GROUP_DENIED', { message })
}

/** The body of a version. */
export const encodeGroup = ({ name, topic, members }: GroupState): Uint8Array =>
  toUtf8(JSON.stringify({ name, ...topicOf(topic), members: [...members] }))

/** A version of a group, its shape checked: GROUP_INVALID, MESSAGE_INVALID. Neither the signature nor the rules are. */
export const openGroup = (sealed: Uint8Array): { header: GroupHeader; state: GroupState } => {
  const { header } = openRecord(sealed)
  if (header.k !== 'group') return invalid('That is not a version of a group')
  return { header, state: { group: header.to, version: header.v, ...parseBody(sealed) } }
}

const parseBody = (sealed: Uint8Array): Pick<GroupState, 'name' | 'topic' | 'members'> => {
  let body: unknown
  try {
    body = JSON.parse(fromUtf8(openBody(sealed)))
  } catch {
    return invalid('The body of the version is not JSON')
  }
  if (typeof body !== 'object' || body === null || !('name' in body) || !('members' in body)) return invalid()
  const { name, members } = body
  if (!isGroupName(name) || !Array.isArray(members) || !members.every(isMember)) return invalid()
  const topic = 'topic' in body ? body.topic : undefined
  if (topic !== undefined && (topic === '' || !isTopic(topic))) return invalid()
  const isSorted = members.every(([user], i) => i === 0 || (members[i - 1]?.[0] ?? '') < user)
  return isSorted
    ? { name, ...topicOf(topic), members: new Map(members) }
    : invalid('The members of the version are not sorted')
}
const isMember = (value: unknown): value is [string, GroupRole] =>
  Array.isArray(value) && value.length === 2 && isUserName(value[0]) && groupRoles.includes(value[1])

/** Text in one line; empty takes a topic away. */
const isTopic = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.isWellFormed() &&
  !/[\p{Cc}\u2028\u2029]/u.test(value) &&
  toUtf8(value).length <= limits.maxTopicBytes
const topicOf = (topic: string | undefined): { topic?: string } =>
  topic === undefined || topic === '' ? {} : { topic }

const sorted = (members: Iterable<[string, GroupRole]>): Map<string, GroupRole> =>
  new Map([...members].sort(([a], [b]) => (a < b ? -1 : 1)))

interface Step extends GroupChange {
  state: GroupState
  /** The author's role before. */
  own: GroupRole
  users: readonly string[]
}
const roleIn = ({ members }: GroupState, user: string): GroupRole => {
  const role = members.get(user)
  if (!role) throw new ChatError('GROUP_MEMBER_UNKNOWN', { message: `${user} is not a member of the group` })
  return role
}
const assertName = (user: string): void => {
  if (!isUserName(user)) throw new ChatError('AUTH_NAME_ILLEGAL')
}
const mayManage = (own: GroupRole): boolean => own === 'owner' || own === 'admin'

/** What each change makes of the members, for those who may do it. */
const steps: Record<Exclude<GroupChangeName, 'create'>, (step: Step) => Iterable<[string, GroupRole]>> = {
  add: ({ state, own, users }) => {
    if (!mayManage(own)) return denied('Only owners and admins add members')
    for (const user of users) {
      assertName(user)
      if (state.members.has(user)) {
        throw new ChatError('GROUP_MEMBER_KNOWN', { message: `${user} is a member of the group already` })
      }
    }
    return [...state.members, ...users.map((user): [string, GroupRole] => [user, 'member'])]
  },
  remove: ({ state, own, users }) => {
    if (!mayManage(own)) return denied('Only owners and admins remove members')
    for (const user of users) {
      if (roleIn(state, user) !== 'member' && own !== 'owner') return denied('Only owners remove owners and admins')
    }
    return [...state.members].filter(([user]) => !users.includes(user))
  },
  leave: ({ state, by }) => [...state.members].filter(([user]) => user !== by),
  role: ({ state, own, users, role }) => {
    if (own !== 'owner') return denied('Only owners change roles')
    for (const user of users) roleIn(state, user)
    return [...state.members].map(([user, had]) => [user, role && users.includes(user) ? role : had])
  },
  rename: ({ state, own }) => (mayManage(own) ? state.members : denied('Only owners and admins rename the group')),
  topic: ({ state, own }) => (mayManage(own) ? state.members : denied('Only owners and admins set the topic')),
}
const concernsUsers = (change: GroupChangeName): boolean => change === 'add' || change === 'remove' || change === 'role'

/** The version after `before`, if its author may do that: GROUP_* says why not. A new group comes without `before`. */
export const nextState = (before: GroupState | undefined, change: GroupChange, group = before?.group): GroupState => {
  const { by, name = before?.name } = change
  if (group === undefined) return invalid('The group has no id')
  if (!isGroupName(name)) throw new ChatError('GROUP_NAME_ILLEGAL')
  if (change.change === 'create') {
    if (before) return invalid('The group exists already')
    const others = new Set(change.users).difference(new Set([by]))
    others.forEach(assertName)
    const members = sorted([[by, 'owner'], ...[...others].map((user): [string, GroupRole] => [user, 'member'])])
    return { group, version: 1, name, members }
  }
  if (!before) throw new ChatError('GROUP_UNKNOWN')
  const members = membersAfter(before, change, change.change)
  const topic = change.change === 'topic' ? change.topic : before.topic
  if (topic !== undefined && !isTopic(topic)) throw new ChatError('GROUP_TOPIC_ILLEGAL')
  return { group, version: before.version + 1, name, ...topicOf(topic), members }
}

const membersAfter = (
  state: GroupState,
  change: GroupChange,
  step: Exclude<GroupChangeName, 'create'>,
): Map<string, GroupRole> => {
  const { by, users = [] } = change
  const own = state.members.get(by)
  if (!own) return denied('You are not a member of that group')
  if (concernsUsers(step) !== users.length > 0 || new Set(users).size < users.length) {
    return invalid('The change does not say whom it concerns, or names somebody twice')
  }
  const members = sorted(steps[step]({ ...change, state, own, users }))
  if (members.size === 0) {
    const message = 'A group cannot be left by its last member; add somebody and make them owner, or mute it'
    throw new ChatError('GROUP_OWNER_NEEDED', { message })
  }
  if (![...members.values()].includes('owner')) throw new ChatError('GROUP_OWNER_NEEDED')
  return members
}

/** Is `after` what the header's change makes of `before`, and may its author do it? Throws GROUP_* when not. */
export const checkChange = (before: GroupState | undefined, header: GroupHeader, after: GroupState): void => {
  const { from: by, change, users } = header
  const wanted: GroupChange = { by, change, ...(users ? { users } : {}) }
  if (change === 'create') wanted.users = [...after.members.keys()]
  if (change === 'create' || change === 'rename') wanted.name = after.name
  if (change === 'topic') wanted.topic = after.topic ?? ''
  if (change === 'role') wanted.role = after.members.get(users?.[0] ?? '') ?? 'member'
  const expected = nextState(before, wanted, header.to)
  if (before && before.group !== header.to) invalid('The version is of another group')
  if (expected.version !== after.version || !equalBytes(encodeGroup(expected), encodeGroup(after))) invalid()
}
