// chat group: makes, changes and shows groups. A change is answered once the cluster has decided it; `info` asks the cluster.
import { Argument, type Command, type CommandUnknownOpts } from '@commander-js/extra-typings'
import type { ChatGroups, GroupReport } from '../../client/api.ts'
import { safeLine } from '../../client/safe-text.ts'
import { ChatError } from '../../protocol/errors.ts'
import { groupRoles } from '../../protocol/group.ts'
import { examples } from '../output.ts'
import { formatTable } from '../table.ts'
import { chatVerb } from './options.ts'
import { catchUp, withChat } from './with-chat.ts'

/** A shell takes an unquoted # for a comment, so here a name may come without it. */
const named = (group: string): string => (group.startsWith('#') ? group : `#${group}`)

const members = [
  { head: 'member', cell: (row: GroupReport['members'][number]) => safeLine(row.user) },
  { head: 'role', cell: (row: GroupReport['members'][number]) => row.role },
]
const disputeText = (users: string[]): string =>
  `${safeLine(users.join(', '))} has another history of this group than you: compare with them who is in it`
const reportText = (report: GroupReport): string =>
  [
    `${safeLine(report.group)}, version ${report.version}`,
    ...(report.topic === undefined ? [] : [`topic: ${safeLine(report.topic)}`]),
    ...(report.disputedBy ? [disputeText(report.disputedBy)] : []),
    formatTable(members, report.members),
  ].join('\n')

const groups = [
  { head: 'group', cell: (row: GroupReport) => safeLine(row.group) },
  { head: 'members', cell: (row: GroupReport) => String(row.members.length) },
  { head: 'version', cell: (row: GroupReport) => String(row.version) },
]
const columnsOf = (reports: GroupReport[]): typeof groups =>
  reports.some(({ disputedBy }) => disputedBy) ? [...groups, disputes] : groups
const disputes = { head: 'disputed by', cell: (row: GroupReport) => safeLine(row.disputedBy?.join(', ') ?? '') }

/** Runs one question or change, and shows the group that it answers. */
const show = (command: CommandUnknownOpts, run: (group: ChatGroups) => Promise<GroupReport>): Promise<void> =>
  withChat(command, async ({ chat, output }) => {
    const report = await run(chat.group)
    output.result(report, () => reportText(report))
  })

export const registerGroup = (program: Command): void => {
  const group = program
    .command('group')
    .description('make, change and show groups')
    .addHelpText(
      'before',
      examples(
        "chat group create '#ops' bob carol",
        "chat group add '#ops' dave",
        "chat group role '#ops' bob admin",
        "chat send '#ops' The build is green",
      ),
    )

  chatVerb(group, 'create <group> [user...]')
    .description('make a group with these members; you are its owner')
    .addHelpText('before', examples("chat group create '#ops' bob carol"))
    .action((name, users, _options, command) => show(command, (all) => all.create(named(name), users)))
  registerMembers(group)

  chatVerb(group, 'rename <group> <name>')
    .description('give a group another name')
    .addHelpText('before', examples("chat group rename '#ops' '#on-call'"))
    .action((name, newName, _options, command) => show(command, (all) => all.rename(named(name), named(newName))))

  registerTopic(group)

  chatVerb(group, 'info <group>')
    .description('the members of a group, as the cluster has them now')
    .addHelpText('before', examples("chat group info '#ops' --json"))
    .option('--accept', 'you compared them with who has another history of it, and are warned of that no more')
    .action((name, { accept }, command) =>
      show(command, (all) => (accept ? all.compared(named(name)) : all.info(named(name)))),
    )

  chatVerb(group, 'list')
    .description('the groups you are in')
    .addHelpText('before', examples('chat group list'))
    .action((_options, command) =>
      withChat(command, async (opened) => {
        await catchUp(opened)
        const reports = await opened.chat.group.list()
        opened.output.result(reports, () => (reports.length > 0 ? formatTable(columnsOf(reports), reports) : ''))
      }),
    )
}

const registerTopic = (group: Command): void => {
  chatVerb(group, 'topic <group> [text...]')
    .description('say what a group is about, in one line; without a text, tell it')
    .option('--clear', 'take the topic away')
    .addHelpText('before', examples("chat group topic '#ops' Deploys on Thursdays", "chat group topic '#ops' --clear"))
    .action((name, words, { clear }, command) => {
      const topic = words.join(' ').trim()
      if (clear && topic !== '') throw new ChatError('USAGE', { message: 'A text or --clear, not both' })
      if (!clear && words.length > 0 && topic === '')
        throw new ChatError('USAGE', { message: 'That topic is empty; --clear takes the topic away' })
      if (clear || topic !== '') return show(command, (all) => all.topic(named(name), topic))
      return withChat(command, async ({ chat, output }) => {
        const report = await chat.group.info(named(name))
        output.result(report, () => safeLine(report.topic ?? ''))
      })
    })
}

const registerMembers = (group: Command): void => {
  chatVerb(group, 'add <group> <user...>')
    .description('add members')
    .addHelpText('before', examples("chat group add '#ops' dave erin"))
    .action((name, users, _options, command) => show(command, (all) => all.add(named(name), users)))

  chatVerb(group, 'remove <group> <user...>')
    .description('remove members')
    .addHelpText('before', examples("chat group remove '#ops' dave"))
    .action((name, users, _options, command) => show(command, (all) => all.remove(named(name), users)))

  chatVerb(group, 'leave <group>')
    .description('leave a group')
    .addHelpText('before', examples("chat group leave '#ops'"))
    .action((name, _options, command) => show(command, (all) => all.leave(named(name))))

  chatVerb(group, 'role <group> <user>')
    .description('give a member another role: owners do everything, admins add, remove, rename and set the topic')
    .addArgument(new Argument('<role>', 'the new role').choices(groupRoles))
    .addHelpText('before', examples("chat group role '#ops' bob admin"))
    .action((name, user, role, _options, command) => show(command, (all) => all.role(named(name), user, role)))
}
