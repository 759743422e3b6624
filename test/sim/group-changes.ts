// Each change of a group as a person makes it with the client.
import type { ChatGroups, GroupChangeOptions } from '../../src/client/api.ts'
import type { GroupChange, Step } from './scenario.ts'

export type GroupStep = Pick<Extract<Step, { do: 'change-group' }>, 'group' | 'change' | 'users'>
type ChangeGroup = (
  groups: ChatGroups,
  of: { group: string; users: string[] },
  options: GroupChangeOptions,
) => Promise<unknown>
export const GROUP_CHANGES: Record<GroupChange, ChangeGroup> = {
  create: (groups, { group, users }, options) => groups.create(group, users, options),
  add: (groups, { group, users }, options) => groups.add(group, users, options),
  remove: (groups, { group, users }, options) => groups.remove(group, users, options),
  leave: (groups, { group }, options) => groups.leave(group, options),
  role: (groups, { group, users }, options) => groups.role(group, users[0] ?? '', 'admin', options),
}
