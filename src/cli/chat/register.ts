// chat register: makes a device key and claims a name.
import type { Command } from '@commander-js/extra-typings'
import { registerProfile } from '../../client/index.ts'
import { createOutput, examples } from '../output.ts'
import { chatVerb, settingsOf, usage } from './options.ts'

export const registerRegister = (program: Command): void => {
  chatVerb(program, 'register <name>')
    .description('make a device key and claim a name')
    .addHelpText('before', examples('chat register alice --gateway ws://127.0.0.1:7400'))
    .option('--invite <code>', 'an invite, where registration needs one')
    .action(async (name, options, command) => {
      const settings = settingsOf(command)
      if (!settings.gateway) throw usage('Which cluster? Say --gateway ws://HOST:PORT')
      const { invite } = options
      const data = await registerProfile({ ...settings, name, ...(invite === undefined ? {} : { invite }) })
      const { user, device, cluster } = data
      createOutput(settings).result(
        { user, device, cluster },
        `You are ${user} on device ${device}, cluster ${cluster}`,
      )
    })
}
