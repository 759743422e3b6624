// chat read: marks a conversation as read, and tells those who wrote.
import type { Command } from '@commander-js/extra-typings'
import { examples } from '../output.ts'
import { checkUser } from './check-user.ts'
import { chatVerb } from './options.ts'
import { catchUp, settle, withChat } from './with-chat.ts'

export const registerRead = (program: Command): void => {
  chatVerb(program, 'read <with>')
    .description('mark a conversation as read')
    .addHelpText('before', examples('chat read bob'))
    .option('--up-to <id>', 'only up to this message')
    .action((conversation, { upTo }, command) =>
      withChat(command, async (opened) => {
        const isFresh = await catchUp(opened)
        const { chat, output } = opened
        const { marked } = await chat.markRead(conversation, upTo === undefined ? {} : { upTo })
        if (isFresh && marked === 0) await checkUser(chat, conversation)
        await settle(opened)
        output.result({ conversation, marked }, `${marked} marked as read`)
      }),
    )
}
