// chat verify: fingerprints of a user's devices, to be compared in person; once they were, devices that come later are told of.
import type { Command } from '@commander-js/extra-typings'
import type { DeviceFingerprint } from '../../client/api.ts'
import { examples } from '../output.ts'
import { formatTable } from '../table.ts'
import { chatVerb } from './options.ts'
import { withChat } from './with-chat.ts'

const columns = [
  { head: 'device', cell: (row: DeviceFingerprint) => row.device },
  { head: 'fingerprint', cell: (row: DeviceFingerprint) => row.fingerprint },
  { head: 'verified', cell: (row: DeviceFingerprint) => (row.verified ? 'yes' : 'no') },
]

export const registerVerify = (program: Command): void => {
  chatVerb(program, 'verify <user>')
    .description('fingerprints of a user’s devices, to compare')
    .addHelpText('before', examples('chat verify bob', 'chat verify bob --accept     # they were compared'))
    .option('--accept', 'remember that they were compared')
    .action((user, { accept }, command) =>
      withChat(command, async ({ chat, output }) => {
        const devices = await (accept ? chat.verify(user) : chat.fingerprints(user))
        const isNew = devices.some(({ verified }) => verified) && devices.some(({ verified }) => !verified)
        if (isNew)
          output.note(`${user} has devices that were not there when you verified: compare them before you trust them`)
        output.result({ user, devices }, () => formatTable(columns, devices))
      }),
    )
}
