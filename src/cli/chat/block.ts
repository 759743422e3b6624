// chat block, chat unblock: nothing of a blocked user arrives on any device of this user, and that user learns nothing.
import type { Command } from '@commander-js/extra-typings'
import { examples } from '../output.ts'
import { checkUser } from './check-user.ts'
import { chatVerb } from './options.ts'
import { catchUp, settle, withChat } from './with-chat.ts'

export const registerBlock = (program: Command): void => {
  chatVerb(program, 'block <user>')
    .description('nothing of that user arrives')
    .addHelpText('before', examples('chat block mallory'))
    .action((user, _options, command) =>
      withChat(command, async (opened) => {
        if (await catchUp(opened)) await checkUser(opened.chat, user)
        await opened.chat.block(user)
        await settle(opened)
        opened.output.result({ user, blocked: true }, `${user} is blocked`)
      }),
    )

  chatVerb(program, 'unblock <user>')
    .description('ends a block')
    .addHelpText('before', examples('chat unblock mallory'))
    .action((user, _options, command) =>
      withChat(command, async (opened) => {
        await catchUp(opened)
        const wasBlocked = (await opened.chat.blocked()).includes(user)
        await opened.chat.unblock(user)
        await settle(opened)
        const done = wasBlocked ? `${user} is blocked no more` : `${user} was not blocked`
        opened.output.result({ user, blocked: false }, done)
      }),
    )
}
