// What happened in a group, as one sentence. Pure.
import type { GroupEvent } from '../client/api.ts'
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'

interface Parts {
  by: SafeText
  whom: SafeText
  group: SafeText
  role: SafeText
}
const sentences: Record<GroupEvent['change'], (parts: Parts) => SafeText> = {
  create: ({ by, group }) => safe`${by} made ${group}`,
  add: ({ by, whom, group }) => safe`${by} added ${whom} to ${group}`,
  remove: ({ by, whom, group }) => safe`${by} removed ${whom} from ${group}`,
  leave: ({ by, group }) => safe`${by} left ${group}`,
  role: ({ by, whom, group, role }) => safe`${by} made ${whom} ${role} of ${group}`,
  rename: ({ by, group }) => safe`${by} renamed the group to ${group}`,
}

export const groupNews = ({ change, by, user, role, group }: GroupEvent, me: string): SafeText => {
  const name = (of: string | undefined): SafeText => (of === me ? safe`you` : safeLine(of ?? ''))
  return sentences[change]({ by: name(by), whom: name(user), group: safeLine(group), role: safeLine(role ?? '') })
}
