// chatd ticket: a ticket with which one node may join.
import { type Command, Option } from '@commander-js/extra-typings'
import { adminCall } from '../admin-client.ts'
import { createOutput, examples } from '../output.ts'
import { adminVerb, dataDirectory, parseLifetime, parseRoles } from './node-options.ts'

export const registerTicket = (program: Command): void => {
  adminVerb(program, 'ticket')
    .description('a ticket with which one node may join')
    .addHelpText(
      'before',
      examples('chatd ticket --role store', 'chatd ticket --role gateway,router --ttl 10m --data /srv/chat'),
    )
    .addOption(
      new Option('--role <roles>', 'what the node will run; several with commas')
        .argParser(parseRoles)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--ttl <duration>', 'how long it can be used').argParser(parseLifetime).default(3_600_000, '1h'),
    )
    .addOption(
      new Option('--join-url <url>', 'where the new node reaches the join port, when that is not its own address'),
    )
    .action(async (options) => {
      const { role: roles, ttl: ttlMs, admin: url, joinUrl } = options
      const answer = await adminCall({
        data: dataDirectory(options),
        url,
        path: '/ticket',
        body: { roles, ttlMs, joinUrl },
      })
      const { ticket, expiresAt } = answer as { ticket: string; expiresAt: number } // by node/admin-routes.ts
      const shown = { ticket, roles, expiresAt: new Date(expiresAt).toISOString() }
      const output = createOutput(options)
      output.result(shown, ticket)
      if (!output.isJson)
        output.note(`For one node, until ${shown.expiresAt}: chatd start --role ${roles.join(',')} --join TICKET`)
    })
}
