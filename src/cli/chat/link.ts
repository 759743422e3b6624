// chat link: makes this profile one more device of a user, or approves such a device.
import type { Command } from '@commander-js/extra-typings'
import { linkProfile } from '../../client/index.ts'
import { createOutput, EXIT_INTERRUPTED, examples } from '../output.ts'
import { chatVerb, settingsOf, usage } from './options.ts'
import { withChat } from './with-chat.ts'

export const registerLink = (program: Command): void => {
  chatVerb(program, 'link')
    .description('add a device to a user: run it on the new device, approve it on an old one')
    .addHelpText(
      'before',
      examples('chat --profile laptop link --gateway ws://127.0.0.1:7400', 'chat link --approve ABCD-EFGH-IJKL-MNOP'),
    )
    .option('--approve <code>', 'approve the device that shows this code')
    .action(async ({ approve }, command) => {
      const settings = settingsOf(command)
      if (approve !== undefined) {
        return withChat(command, async ({ chat, output }) => {
          const { device } = await chat.approveLink(approve)
          output.result({ user: chat.user, device }, `Device ${device} is yours now`)
        })
      }
      if (!settings.gateway) throw usage('Which cluster? Say --gateway ws://HOST:PORT')
      process.once('SIGINT', () => process.exit(EXIT_INTERRUPTED))
      const output = createOutput(settings)
      const onCode = (code: string): void => {
        output.event({ code }, code)
        output.note(`On a device that is linked already: chat link --approve ${code}`)
      }
      const { user, device, cluster } = await linkProfile({ ...settings, onCode })
      output.event({ user, device, cluster }, `You are ${user} on device ${device}, cluster ${cluster}`)
    })
}
