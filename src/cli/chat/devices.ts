// chat devices, chat revoke: the devices of this user, and ending one.
import type { Command } from '@commander-js/extra-typings'
import type { DeviceReport } from '../../client/api.ts'
import { examples } from '../output.ts'
import { formatTable } from '../table.ts'
import { localTime } from './message-lines.ts'
import { chatVerb } from './options.ts'
import { withChat } from './with-chat.ts'

const columns = [
  { head: 'device', cell: (row: DeviceReport) => row.device },
  { head: 'since', cell: (row: DeviceReport) => localTime(row.since) },
  { head: 'expires', cell: (row: DeviceReport) => localTime(row.expires) },
  { head: '', cell: (row: DeviceReport) => (row.revoked ? 'revoked' : row.current ? 'this one' : '') },
]

export const registerDevices = (program: Command): void => {
  chatVerb(program, 'devices')
    .description('the devices of this user')
    .addHelpText('before', examples('chat devices'))
    .action((_options, command) =>
      withChat(command, async ({ chat, output }) => {
        const devices = await chat.devices()
        output.result(devices, () => formatTable(columns, devices))
      }),
    )

  chatVerb(program, 'revoke <device>')
    .description('end a device of this user')
    .addHelpText('before', examples('chat devices', 'chat revoke 0123456789abcdef'))
    .action((device, _options, command) =>
      withChat(command, async ({ chat, output }) => {
        await chat.revoke(device)
        output.result({ device, revoked: true }, `Device ${device} is revoked`)
      }),
    )
}
