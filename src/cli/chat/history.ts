// chat history: the messages of a conversation, oldest first.
import { type Command, Option } from '@commander-js/extra-typings'
import { examples } from '../output.ts'
import { checkUser } from './check-user.ts'
import { historyLine } from './message-lines.ts'
import { chatVerb, idsOption, parseCount } from './options.ts'
import { catchUp, withChat } from './with-chat.ts'

const DEFAULT_LIMIT = 50

export const registerHistory = (program: Command): void => {
  chatVerb(program, 'history <with>')
    .description('the messages of a conversation, oldest first')
    .addHelpText(
      'before',
      examples('chat history bob', 'chat history bob --ids', 'chat history bob --since 2026-11-23 --limit 1000 --json'),
    )
    .addOption(new Option('--limit <n>', 'at most so many, the newest').argParser(parseCount).default(DEFAULT_LIMIT))
    .addOption(idsOption())
    .option('--changes', 'with --json too: what was changed in the group, as objects of type group')
    .option('--before <id>', 'only those before this message')
    .addOption(new Option('--after <id>', 'the oldest after this message').conflicts('before'))
    .addOption(
      new Option('--since <time>', 'the oldest from that time on: 2026-11-23, or with T12:00').conflicts([
        'before',
        'after',
      ]),
    )
    .action((conversation, { limit, before, after, since, changes, ids }, command) =>
      withChat(command, async (opened) => {
        const isFresh = await catchUp(opened)
        const { chat, output } = opened
        const options = {
          limit,
          ...(before === undefined ? {} : { before }),
          ...(after === undefined ? {} : { after }),
          ...(since === undefined ? {} : { since }),
        }
        const isWhole = changes === true || !output.isJson
        const lines = await (isWhole ? chat.lines(conversation, options) : chat.history(conversation, options))
        if (isFresh && lines.length === 0) await checkUser(chat, conversation)
        output.result(lines, () => lines.map((line) => historyLine(line, chat.user, ids)).join('\n'))
      }),
    )
}
