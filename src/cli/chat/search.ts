// chat search: full text over the history of this device.
import { type Command, Option } from '@commander-js/extra-typings'
import { examples } from '../output.ts'
import { historyLine } from './message-lines.ts'
import { chatVerb, idsOption, parseCount, usage } from './options.ts'
import { catchUp, withChat } from './with-chat.ts'

const DEFAULT_LIMIT = 50

export const registerSearch = (program: Command): void => {
  chatVerb(program, 'search <words...>')
    .description('search the history of this device')
    .addHelpText('before', examples('chat search deploy failed', 'chat search --in bob lunch'))
    .addOption(idsOption())
    .option('--in <with>', 'only in this conversation')
    .addOption(new Option('--limit <n>', 'at most so many, the newest').argParser(parseCount).default(DEFAULT_LIMIT))
    .action((words, { in: inside, limit, ids }, command) => {
      if (words.join('').trim() === '') throw usage('What for? chat search WORDS…')
      return withChat(command, async (opened) => {
        await catchUp(opened)
        const { chat, output } = opened
        const found = await chat.search(words.join(' '), { limit, ...(inside === undefined ? {} : { in: inside }) })
        output.result(found, () => found.map((message) => historyLine(message, chat.user, ids)).join('\n'))
      })
    })
}
