// What a hostile user of the cluster signs about a group in which he has no right to it. The signatures are true; that he may not is
// for the group's nodes to see, and for every member's device.
import { encodeContent } from '../../src/protocol/content.ts'
import { encodeGroup } from '../../src/protocol/group.ts'
import type { GroupHeader, MessageHeader } from '../../src/protocol/records.ts'
import { seal } from '../../src/protocol/sealed.ts'
import type { SeenVersion } from './checker.ts'
import { keyOf } from './keys.ts'

export interface Intruder {
  /** Of the device in the simulator, and its id. */
  name: string
  user: string
  id: string
}
export interface Intrusion {
  by: Intruder
  newest: SeenVersion
  id: string
  at: number
  cluster: string
}

/** From outside, naming the version that says so; undefined for a member, who may. */
export const messageOf = ({ by, newest, id, at, cluster }: Intrusion): Uint8Array | undefined => {
  if (newest.members.includes(by.user)) return undefined
  const { group, version: gv } = newest
  const author = { id, from: by.user, dev: by.id, to: group, at }
  const header: MessageHeader = { k: 'msg', ...author, conv: group, seq: 1, ct: 'chat/1', gv }
  return seal({ cluster, header, body: encodeContent({ text: `intruded ${id}` }), sign: keyOf(by.name).sign })
}

/** The next version, in which he is an owner; undefined for one who is. */
export const versionOf = ({ by, newest, ...about }: Intrusion): Uint8Array | undefined => {
  if (newest.roles[by.user] === 'owner') return undefined
  const change = newest.roles[by.user] ? 'role' : 'add'
  return sealVersion({ by, newest, ...about }, { change, users: [by.user] }, { [by.user]: 'owner' })
}

/** The next version, in which he, an owner as he says, adds somebody who knows nothing of the group. */
export const invitationOf = (intrusion: Intrusion, guest: string): Uint8Array =>
  sealVersion(intrusion, { change: 'add', users: [guest] }, { [intrusion.by.user]: 'owner', [guest]: 'member' })

const sealVersion = (
  { by, newest: { group, name, roles, version: before }, id, at, cluster }: Intrusion,
  change: Pick<GroupHeader, 'change' | 'users'>,
  changed: SeenVersion['roles'],
): Uint8Array => {
  const version = before + 1
  const header: GroupHeader = { k: 'group', id, from: by.user, dev: by.id, to: group, at, v: version, ...change }
  const members = new Map(Object.entries({ ...roles, ...changed }).sort(([a], [b]) => (a < b ? -1 : 1)))
  return seal({ cluster, header, body: encodeGroup({ group, version, name, members }), sign: keyOf(by.name).sign })
}
