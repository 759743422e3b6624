// A change of a group as a line of its conversation. Pure.
import type { HistoryChange } from './api.ts'
import type { GroupVersion } from './groups.ts'
import { type NameOf, timestamp } from './message-view.ts'

const membersBut = (by: string, { members }: GroupVersion['state']): string[] =>
  [...members.keys()].filter((user) => user !== by)

export const showChange = ({ header, state }: GroupVersion, nameOf: NameOf): HistoryChange => {
  const { id, from: by, change, users = change === 'create' ? membersBut(by, state) : [] } = header
  const role = change === 'role' ? state.members.get(users[0] ?? '') : undefined
  return {
    type: 'group',
    id,
    conversation: nameOf(state.group),
    version: state.version,
    by,
    change,
    users,
    ...(role ? { role } : {}),
    ...(change === 'create' || change === 'rename' ? { name: state.name } : {}),
    ...(change === 'topic' ? { topic: state.topic ?? '' } : {}),
    at: timestamp(header.at),
  }
}
