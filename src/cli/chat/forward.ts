// chat forward: sends a message's text and attachments on; what it refers to is not uploaded again.
import type { Command } from '@commander-js/extra-typings'
import { examples } from '../output.ts'
import { chatVerb } from './options.ts'
import { printSent, timeoutOption, waitOption, waitOptions } from './sent.ts'
import { mustKnow, withChat } from './with-chat.ts'

export const registerForward = (program: Command): void => {
  chatVerb(program, 'forward <id> <to>')
    .description('send a message with its attachments to someone else')
    .addHelpText('before', examples('chat forward 01934c5e-7a2b-7c3d-8e4f-5a6b7c8d9e0f carol'))
    .addOption(waitOption())
    .addOption(timeoutOption())
    .action((id, to, flags, command) =>
      withChat(command, async (opened) => {
        await mustKnow(opened, id)
        await printSent(opened, () => opened.chat.forward(id, to, waitOptions(flags)))
      }),
    )
}
