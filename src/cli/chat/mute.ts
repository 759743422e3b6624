// chat mute, chat unmute, chat unread: how much a conversation draws attention. Loudness is a matter of this device, the mark of all.
import type { Command, CommandUnknownOpts } from '@commander-js/extra-typings'
import type { AttentionLevel } from '../../client/api.ts'
import { examples } from '../output.ts'
import { chatVerb } from './options.ts'
import { settle, withChat, withNews } from './with-chat.ts'

const texts: Record<AttentionLevel, string> = {
  all: 'notified of everything',
  mentions: 'notified of what names you',
  none: 'muted',
}

export const registerMute = (program: Command): void => {
  chatVerb(program, 'mute <with>')
    .description('be notified of nothing in a conversation, on this device')
    .addHelpText('before', examples('chat mute bob', "chat mute '#ops' --mentions   # but of what names you"))
    .option('--mentions', 'still be notified of what names you')
    .action((conversation, { mentions }, command) => setLevel(command, conversation, mentions ? 'mentions' : 'none'))

  chatVerb(program, 'unmute <with>')
    .description('be notified as usual again')
    .addHelpText('before', examples('chat unmute bob', "chat unmute '#ops' --all       # of everything"))
    .option('--all', 'of everything, in a group too')
    .action((conversation, { all }, command) => setLevel(command, conversation, all ? 'all' : undefined))

  chatVerb(program, 'unread <with>')
    .description('mark a conversation as unread, on all your devices')
    .addHelpText('before', examples('chat unread bob'))
    .action((conversation, _options, command) =>
      withChat(command, async (opened) => {
        await withNews(opened, (chat) => chat.markUnread(conversation))
        await settle(opened)
        opened.output.result({ conversation, marked: true }, `${conversation} is marked as unread`)
      }),
    )
}

const setLevel = (
  command: CommandUnknownOpts,
  conversation: string,
  level: AttentionLevel | undefined,
): Promise<void> =>
  withChat(command, async (opened) => {
    const now = await withNews(opened, (chat) => chat.setLevel(conversation, level))
    const result = { conversation, level: now }
    opened.output.result(result, `${conversation}: ${texts[result.level]}`)
  })
