// What happened in a group, as one sentence: as news of any group, and as a line within its own conversation. Pure.
import type { GroupEvent, HistoryChange } from '../client/api.ts'
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { joinText } from './cells.ts'

interface Parts {
  by: SafeText
  whom: SafeText
  group: SafeText
  role: SafeText
  /** Empty when it was taken away. */
  topic: SafeText
}
type Sentences = Record<GroupEvent['change'], (parts: Parts) => SafeText>

const news: Sentences = {
  create: ({ by, group }) => safe`${by} made ${group}`,
  add: ({ by, whom, group }) => safe`${by} added ${whom} to ${group}`,
  remove: ({ by, whom, group }) => safe`${by} removed ${whom} from ${group}`,
  leave: ({ by, group }) => safe`${by} left ${group}`,
  role: ({ by, whom, group, role }) => safe`${by} made ${whom} ${role} of ${group}`,
  rename: ({ by, group }) => safe`${by} renamed the group to ${group}`,
  topic: ({ by, group, topic }) =>
    topic === '' ? safe`${by} took the topic of ${group} away` : safe`${by} set the topic of ${group}: ${topic}`,
}
const within: Sentences = {
  create: ({ by, whom, group }) => (whom === '' ? safe`${by} made ${group}` : safe`${by} made ${group} with ${whom}`),
  add: ({ by, whom }) => safe`${by} added ${whom}`,
  remove: ({ by, whom }) => safe`${by} removed ${whom}`,
  leave: ({ by }) => safe`${by} left`,
  role: ({ by, whom, role }) => safe`${by} made ${whom} ${role}`,
  rename: ({ by, group }) => safe`${by} renamed the group to ${group}`,
  topic: ({ by, topic }) => (topic === '' ? safe`${by} took the topic away` : safe`${by} set the topic: ${topic}`),
}
/** More are counted. */
const MAX_NAMES = 12

const nameOf = (user: string, me: string): SafeText => (user === me ? safe`you` : safeLine(user))

const namesOf = (users: readonly string[], me: string): SafeText => {
  const names = users.slice(0, MAX_NAMES).map((user) => nameOf(user, me))
  const more = users.length - names.length
  const last = more > 0 ? safe`${more} more` : names.pop()
  if (last === undefined) return safe``
  return names.length === 0 ? last : safe`${joinText(names, ', ')} and ${last}`
}

/** Said wherever the user is. */
export const groupNews = ({ change, by, user, role, topic, group }: GroupEvent, me: string): SafeText => {
  const whom = nameOf(user ?? '', me)
  return news[change]({
    by: nameOf(by, me),
    whom,
    group: safeLine(group),
    role: safeLine(role ?? ''),
    topic: safeLine(topic ?? ''),
  })
}

/** Where the group is known. */
export const changeText = ({ change, by, users, role, name, topic }: HistoryChange, me: string): SafeText =>
  within[change]({
    by: nameOf(by, me),
    whom: namesOf(users, me),
    group: safeLine(name ?? ''),
    role: safeLine(role ?? ''),
    topic: safeLine(topic ?? ''),
  })
