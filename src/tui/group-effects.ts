// Groups: changing them, and who is in them. Every change is said with what the group is after it.
import type { GroupReport } from '../client/api.ts'
import { safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { memberCandidates } from './completing.ts'
import type { EffectTools, Runners } from './effect-tools.ts'
import { span } from './lines.ts'
import type { ListRow } from './state.ts'

const countText = ({ members }: GroupReport) =>
  members.length === 1 ? safe`1 member` : safe`${members.length} members`

const memberRows = ({ members }: GroupReport, me: string): ListRow[] =>
  members.map(({ user, role }) => ({
    line: [
      span(safeLine(user), 'name'),
      span(user === me ? safe` (you)` : safe``),
      span(role === 'member' ? safe`` : safe` ${safeLine(role)}`, 'unread'),
    ],
    ...(user === me ? {} : { opens: { conversation: user } }),
  }))

const groupRow = (report: GroupReport): ListRow => ({
  line: [span(safeLine(report.group), 'name'), span(safe` ${countText(report)}`, 'dim')],
  opens: { conversation: report.group },
})

type GroupEffect =
  | 'completeMember'
  | 'groups'
  | 'members'
  | 'compared'
  | 'createGroup'
  | 'addMembers'
  | 'removeMembers'
  | 'leaveGroup'
  | 'giveRole'
  | 'renameGroup'
  | 'setTopic'

export const groupRunners = ({ chat, store, loading, say, list }: EffectTools): Runners<GroupEffect> => {
  const changed = (report: GroupReport): void => {
    say(safe`${safeLine(report.group)} has ${countText(report)} now.`)
    loading.refresh()
  }
  return {
    groups: async () => list('Your groups', (await chat.group.list()).map(groupRow)),
    members: async ({ group }) => {
      const report = await chat.group.info(group)
      list(`${group}: ${countText(report)}`, memberRows(report, chat.user))
    },
    compared: async ({ group }) => {
      await chat.group.compared(group)
      say(safe`You compared who is in ${safeLine(group)}: no more warning, unless it changes and differs again.`)
      loading.refresh()
    },
    completeMember: async ({ group, from, draft, ...wanted }) => {
      // As far as this device has heard: a key is answered at once, without a gateway too.
      const report = (await chat.group.list()).find(({ group: name }) => name === group)
      const others = (report?.members ?? []).map(({ user }) => user).filter((user) => user !== chat.user)
      store.dispatch({ type: 'completed', from, draft, candidates: memberCandidates(wanted, others) })
    },
    createGroup: async ({ group, users }) => {
      const report = await chat.group.create(group, [...users])
      store.dispatch({ type: 'open', conversation: report.group })
      changed(report)
    },
    addMembers: async ({ group, users }) => changed(await chat.group.add(group, [...users])),
    removeMembers: async ({ group, users }) => changed(await chat.group.remove(group, [...users])),
    leaveGroup: async ({ group }) => {
      await chat.group.leave(group)
      say(safe`You are not in ${safeLine(group)} any more.`)
      loading.refresh()
    },
    giveRole: async ({ group, user, role }) => {
      await chat.group.role(group, user, role)
      say(safe`${safeLine(user)} is ${safeLine(role)} of ${safeLine(group)} now.`)
    },
    setTopic: async ({ group, topic }) => {
      await chat.group.topic(group, topic)
      say(topic === '' ? safe`${safeLine(group)} has no topic now.` : safe`${safeLine(group)}: ${safeLine(topic)}`)
      loading.refresh()
    },
    renameGroup: async ({ group, newName }) => {
      const report = await chat.group.rename(group, newName)
      store.dispatch({ type: 'renamed', from: group, to: report.group })
      say(safe`${safeLine(group)} is ${safeLine(report.group)} now.`)
      loading.refresh()
    },
  }
}
