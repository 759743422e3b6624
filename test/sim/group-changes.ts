// Each change of a group as a person makes it with the client.
import type { ChatGroups, GroupChangeOptions } from '../../src/client/api.ts'
import type { GroupChangeName } from '../../src/protocol/records.ts'
import type { GroupStep } from './scenario.ts'

type ChangeGroup = (
  groups: ChatGroups,
  of: Pick<GroupStep, 'group' | 'users' | 'role' | 'name' | 'topic'>,
  options: GroupChangeOptions,
) => Promise<unknown>
export const GROUP_CHANGES: Record<GroupChangeName, ChangeGroup> = {
  create: (groups, { group, users }, options) => groups.create(group, users, options),
  add: (groups, { group, users }, options) => groups.add(group, users, options),
  remove: (groups, { group, users }, options) => groups.remove(group, users, options),
  leave: (groups, { group }, options) => groups.leave(group, options),
  role: (groups, { group, users, role = 'admin' }, options) => groups.role(group, users[0] ?? '', role, options),
  rename: (groups, { group, name = group }, options) => groups.rename(group, name, options),
  topic: (groups, { group, topic = '' }, options) => groups.topic(group, topic, options),
}
