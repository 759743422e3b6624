// chat verify: fingerprints of a user's devices, to be compared in person.
import type { Command } from '@commander-js/extra-typings'
import { examples } from '../output.ts'
import { formatTable } from '../table.ts'
import { chatVerb } from './options.ts'
import { withChat } from './with-chat.ts'

interface Row {
  device: string
  fingerprint: string
}
const columns = [
  { head: 'device', cell: (row: Row) => row.device },
  { head: 'fingerprint', cell: (row: Row) => row.fingerprint },
]

export const registerVerify = (program: Command): void => {
  chatVerb(program, 'verify <user>')
    .description('fingerprints of a user’s devices, to compare')
    .addHelpText('before', examples('chat verify bob'))
    .action((user, _options, command) =>
      withChat(command, async ({ chat, output }) => {
        const devices = await chat.fingerprints(user)
        output.result({ user, devices }, () => formatTable(columns, devices))
      }),
    )
}
