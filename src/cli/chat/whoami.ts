// chat whoami: who this profile is. Needs no gateway.
import type { Command } from '@commander-js/extra-typings'
import { readProfile } from '../../client/index.ts'
import { createOutput, examples } from '../output.ts'
import { chatVerb, settingsOf } from './options.ts'

export const registerWhoami = (program: Command): void => {
  chatVerb(program, 'whoami')
    .description('who this profile is')
    .addHelpText('before', examples('chat whoami', 'chat whoami --json'))
    .action((_options, command) => {
      const settings = settingsOf(command)
      const { user, device, cluster, gateways } = readProfile(settings)
      createOutput(settings).result(
        { user, device, cluster, gateways },
        `${user} on device ${device}, cluster ${cluster}`,
      )
    })
}
