// chatd repair --accept-loss: a store whose disk lost records takes writes again, without them.
import { type Command, Option } from '@commander-js/extra-typings'
import { adminCall } from '../admin-client.ts'
import { createOutput, examples } from '../output.ts'
import { adminVerb, dataDirectory } from './node-options.ts'

export const registerRepair = (program: Command): void => {
  adminVerb(program, 'repair')
    .description('let a damaged store serve again')
    .addHelpText('before', examples('chatd repair --accept-loss --data /srv/chat'))
    .addOption(
      new Option('--accept-loss', 'what its disk lost and no other store has stays lost').makeOptionMandatory(),
    )
    .action(async (options) => {
      await adminCall({ data: dataDirectory(options), url: options.admin, path: '/repair/accept-loss', body: {} })
      createOutput(options).result({ accepted: true }, 'The store goes on with what it has.')
    })
}
