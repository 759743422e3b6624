// May a record of a group be believed, by what this device knows of the group? Asked after the signature was verified. Pure.
// A version must follow from the one before it; the first one that a member sees is the one that added it, and since it follows from nothing
// known here it must be the one that the cluster decided. A message counts when its author was a member at the version that it
// names, or, if this user joined later, at the first version that it knows.
import { hasCode } from '../protocol/errors.ts'
import { checkChange, type GroupState, openGroup } from '../protocol/group.ts'
import type { GroupHeader, MessageHeader, OpenRecord } from '../protocol/records.ts'
import { mutant } from '../platform/mutants.ts'
import { firstFrom, includes, lastUpTo, type SequenceRanges } from './sequence-ranges.ts'

/** `valid`, or why not: the version that has to be known, or told of, first (0: the newest there is), or a reason for good. */
export type Standing = 'valid' | 'not a member' | 'not allowed' | number

/** What is known of one group. */
export interface GroupKnowledge {
  me: string
  /** Versions that are here, and those of them in which this user is a member. */
  known: SequenceRanges
  mine: SequenceRanges
  at: (version: number) => GroupState | undefined
  /** In, or once in. */
  wasMember: (user: string) => boolean
  /** In, or once in, at this version or a later one. */
  wasMemberSince: (user: string, version: number) => boolean
  /** The cluster does not give this version to this user. */
  isWithheld: (version: number) => boolean
  /** The cluster, asked for this version, gave this very record. */
  isTold: (record: Uint8Array, header: GroupHeader) => boolean
}

export const standingOf = ({ header, sealed }: OpenRecord, group: GroupKnowledge): Standing => {
  if (header.k === 'group') return standingOfVersion(header, sealed, group)
  if (header.k === 'msg') return standingOfMessage(header, group)
  // A void, a receipt, a deletion may come before the version that let its author in.
  return group.known.length > 0 && group.wasMember(header.from) ? 'valid' : 0
}

const standingOfVersion = (header: GroupHeader, sealed: Uint8Array, group: GroupKnowledge): Standing => {
  if (includes(group.known, header.v)) return 'not allowed' // it was decided once, and this is another
  try {
    const { state } = openGroup(sealed)
    const before = header.v === 1 ? undefined : group.at(header.v - 1)
    if (!before && header.v > 1) return standingOfFirst(header, sealed, { state, group })
    if (!mutant('group-version-unchecked')) checkChange(before, header, state)
    const isOfMine = before?.members.has(group.me) === true || header.from === group.me
    return isOfMine ? 'valid' : standingAsDecided(header, sealed, group)
  } catch (error) {
    if (!hasCode(error, ...REFUSALS)) throw error
    return 'not allowed'
  }
}
/** What the rules say of a version that does not follow from the one before it. */
const REFUSALS = [
  'AUTH_NAME_ILLEGAL',
  'GROUP_DENIED',
  'GROUP_INVALID',
  'GROUP_MEMBER_KNOWN',
  'GROUP_MEMBER_UNKNOWN',
  'GROUP_NAME_ILLEGAL',
  'GROUP_TOPIC_ILLEGAL',
  'GROUP_OWNER_NEEDED',
  'GROUP_UNKNOWN',
  'MESSAGE_INVALID',
] as const

/** Of somebody outside. Nothing known to him speaks for it: anybody can sign that he is an owner and adds this user, owners more than once. */
const standingAsDecided = (header: GroupHeader, sealed: Uint8Array, group: GroupKnowledge): Standing =>
  group.isTold(sealed, header) || mutant('invitation-believed') ? 'valid' : header.v

/** A version without the one before it: right when this user was outside until then. */
const standingOfFirst = (
  header: GroupHeader,
  sealed: Uint8Array,
  { state, group }: { state: GroupState; group: GroupKnowledge },
): Standing => {
  const { v: version, from, change, users = [] } = header
  const below = lastUpTo(group.known, version - 1)
  const wasIn = below !== undefined && includes(group.mine, below)
  if (wasIn) return version - 1
  const addsMe = change === 'add' && users.includes(group.me) && state.members.has(group.me)
  if (addsMe) return isManager(state, from) ? standingAsDecided(header, sealed, group) : 'not allowed'
  // Whoever is taken out was in just before: that may have been asked for ahead of the feed.
  const takesMeOut = change === 'leave' ? from === group.me : change === 'remove' && users.includes(group.me)
  const isOfMine = state.members.has(group.me) || (takesMeOut && !group.isWithheld(version - 1))
  if (below !== undefined && !isOfMine) return 'not a member'
  // What came before is gone everywhere: this is the first version that can be known.
  const isFirst = below === undefined && group.isWithheld(version - 1)
  return isFirst ? standingAsDecided(header, sealed, group) : version - 1
}
const isManager = ({ members }: GroupState, user: string): boolean =>
  members.get(user) === 'owner' || members.get(user) === 'admin'

const standingOfMessage = ({ gv = 1, from }: MessageHeader, group: GroupKnowledge): Standing => {
  const version = firstFrom(group.known, gv)
  if (version === undefined) return gv
  // Sent when this user was outside: right only if a version adds it again, and that is not here yet.
  if (from !== group.me && firstFrom(group.mine, gv) === undefined) return 0
  if (mutant('membership-unchecked')) return 'valid'
  if (version === gv) return group.at(version)?.members.has(from) ? 'valid' : 'not a member'
  // This user joined later: its author has been in since, or a version that says so is not here yet.
  return group.wasMemberSince(from, version) ? 'valid' : 0
}
