// Commands about groups. Without a group they mean the one that is open.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { groupRoles } from '../protocol/group.ts'
import { isGroupName, isUserName } from '../protocol/names.ts'
import { confirming } from './confirm.ts'
import { notAName, type SlashCommand, wordsOf } from './slash-command.ts'
import { conversationNamed } from './listing.ts'
import type { State } from './state.ts'
import { type Step, step, withToast } from './step.ts'

const groupNames = safe`names of groups begin with #, then a-z, 0-9, dot, underscore and dash`
const noGroup = safe`Which group? Open it, or name it first: #group`

/** The group that is meant, and the words after it. */
const groupAnd = (state: State, argument: string): { group: string | undefined; words: string[] } => {
  const [first = '', ...others] = wordsOf(argument)
  if (isGroupName(first)) return { group: first, words: others }
  const { current = '' } = state
  return { group: isGroupName(current) ? current : undefined, words: wordsOf(argument) }
}

type Run = (state: State, group: string, words: string[]) => Step | SafeText
const onGroup =
  (run: Run) =>
  (state: State, argument: string): Step | SafeText => {
    const { group, words } = groupAnd(state, argument)
    return group === undefined ? noGroup : run(state, group, words)
  }

const create = (state: State, argument: string): Step | SafeText => {
  const [group = '', ...users] = wordsOf(argument)
  if (!isGroupName(group)) return safe`/create #NAME [USER…]: ${groupNames}`
  const wrong = users.find((user) => !isUserName(user))
  return wrong === undefined ? step(state, { type: 'createGroup', group, users }) : notAName(wrong)
}

const withUsers =
  (type: 'addMembers' | 'removeMembers'): Run =>
  (state, group, users) => {
    if (users.length === 0) return safe`Who? Name one user or several.`
    const wrong = users.find((user) => !isUserName(user))
    if (wrong !== undefined) return notAName(wrong)
    const effect = { type, group, users } as const
    if (type === 'addMembers') return step(state, effect)
    return step(confirming(state, safe`Remove ${safeLine(users.join(', '))} from ${safeLine(group)}?`, effect))
  }

const giveRole: Run = (state, group, [user = '', name]) => {
  const role = groupRoles.find((known) => known === name)
  if (!isUserName(user) || !role) return safe`/role USER ${safeLine(groupRoles.join(' or '))}`
  return step(state, { type: 'giveRole', group, user, role })
}

/** One name is the new one of the open group. */
const rename = (state: State, argument: string): Step | SafeText => {
  const [first = '', second] = wordsOf(argument)
  const [group = '', newName] = second === undefined ? [state.current, first] : [first, second]
  if (!isGroupName(newName)) return safe`/rename #NEW: ${groupNames}`
  return isGroupName(group) ? step(state, { type: 'renameGroup', group, newName }) : noGroup
}

const NO_TOPIC = '--clear'

/** Its text stands as it was typed. Alone it tells the topic that there is. */
const topic = (state: State, argument: string): Step | SafeText => {
  const { group } = groupAnd(state, argument)
  if (group === undefined) return noGroup
  const text = argument.replace(/^#\S+\s*/, (first) => (first.trim() === group ? '' : first))
  if (text !== '') return step(state, { type: 'setTopic', group, topic: text === NO_TOPIC ? '' : text })
  const known = conversationNamed(state, group)
  if (known?.topic === undefined) return step(withToast(state, safe`${safeLine(group)} has no topic.`))
  return step(withToast(state, safe`${known.title}: ${known.topic}`))
}

const verbs: readonly SlashCommand[] = [
  {
    name: 'create',
    takes: safe`#NAME [USER…]`,
    completes: ['group'],
    completesRest: 'user',
    help: safe`make a group with these users`,
    run: create,
  },
  {
    name: 'add',
    takes: safe`[#GROUP] USER…`,
    completesRest: 'user',
    help: safe`take users into the group`,
    run: onGroup(withUsers('addMembers')),
  },
  {
    name: 'remove',
    takes: safe`[#GROUP] USER…`,
    completesRest: 'user',
    help: safe`take users out of the group`,
    run: onGroup(withUsers('removeMembers')),
  },
  {
    name: 'leave',
    takes: safe`[#GROUP]`,
    completes: ['group'],
    help: safe`leave the group`,
    run: onGroup((state, group) =>
      step(confirming(state, safe`Leave ${safeLine(group)}?`, { type: 'leaveGroup', group })),
    ),
  },
  {
    name: 'role',
    takes: safe`[#GROUP] USER ROLE`,
    completes: ['user', 'role'],
    completesRest: 'role',
    help: safe`make a member ${safeLine(groupRoles.join(', '))}`,
    run: onGroup(giveRole),
  },
  { name: 'rename', takes: safe`[#GROUP] #NEW`, help: safe`give the group another name`, run: rename },
  {
    name: 'topic',
    takes: safe`[#GROUP] [TEXT]`,
    completes: ['group'],
    help: safe`say what the group is about; without a text, tell it; ${safeLine(NO_TOPIC)} takes it away`,
    run: topic,
  },
  {
    name: 'names',
    takes: safe`[#GROUP]`,
    completes: ['group'],
    help: safe`who is in the group`,
    run: onGroup((state, group) => step(state, { type: 'members', group })),
  },
  { name: 'groups', takes: safe``, help: safe`the groups you are in`, run: (state) => step(state, { type: 'groups' }) },
]

/** As on the command line: `/group add bob`. */
const groupCommand: SlashCommand = {
  name: 'group',
  takes: safe`VERB …`,
  completes: ['groupVerb'],
  completesRest: 'user',
  help: safe`${safeLine(verbs.map(({ name }) => name).join(', '))}: the same as these commands alone`,
  run: (state, argument) => {
    const [, name = '', rest = ''] = /^(\S*)\s*([^]*)$/.exec(argument) ?? []
    const verb = verbs.find((command) => command.name === name)
    return verb ? verb.run(state, rest) : safe`/group ${safeLine(verbs.map((known) => known.name).join(', '))}`
  },
}

export const groupVerbs = verbs.map(({ name }) => name)
export const groupCommands: readonly SlashCommand[] = [groupCommand, ...verbs]
