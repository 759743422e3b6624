// chat status: how far a message got.
import type { Command } from '@commander-js/extra-typings'
import { examples } from '../output.ts'
import { statusLines } from './message-lines.ts'
import { chatVerb } from './options.ts'
import { catchUp, withChat } from './with-chat.ts'

export const registerStatus = (program: Command): void => {
  chatVerb(program, 'status <id>')
    .description('how far a message got')
    .addHelpText('before', examples('chat status 01934c5e-7a2b-7c3d-8e4f-5a6b7c8d9e0f'))
    .action((id, _options, command) =>
      withChat(command, async (opened) => {
        await catchUp(opened)
        const report = await opened.chat.status(id)
        opened.output.result(report, () => statusLines(report))
      }),
    )
}
