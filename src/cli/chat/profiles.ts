// chat profiles: the profiles in this home. Needs no gateway.
import type { Command } from '@commander-js/extra-typings'
import { listProfiles } from '../../client/index.ts'
import { createOutput, examples } from '../output.ts'
import { formatTable } from '../table.ts'
import { chatVerb, settingsOf } from './options.ts'

export const registerProfiles = (program: Command): void => {
  chatVerb(program, 'profiles')
    .description('the profiles here')
    .addHelpText('before', examples('chat profiles'))
    .action((_options, command) => {
      const settings = settingsOf(command)
      const profiles = listProfiles(settings.home)
      const columns = [
        { head: 'profile', cell: (row: (typeof profiles)[number]) => row.profile },
        { head: 'user', cell: (row: (typeof profiles)[number]) => row.user },
        { head: 'device', cell: (row: (typeof profiles)[number]) => row.device },
      ]
      createOutput(settings).result(profiles, () => formatTable(columns, profiles))
    })
}
