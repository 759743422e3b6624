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
interface Intrusion {
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
export const versionOf = ({ by, newest, id, at, cluster }: Intrusion): Uint8Array | undefined => {
  const { group, name, roles } = newest
  if (roles[by.user] === 'owner') return undefined
  const version = newest.version + 1
  const change = roles[by.user] ? 'role' : 'add'
  const author = { id, from: by.user, dev: by.id, to: group, at }
  const header: GroupHeader = { k: 'group', ...author, v: version, change, users: [by.user] }
  const entries = Object.entries({ ...roles, [by.user]: 'owner' as const }).sort(([a], [b]) => (a < b ? -1 : 1))
  const body = encodeGroup({ group, version, name, members: new Map(entries) })
  return seal({ cluster, header, body, sign: keyOf(by.name).sign })
}
