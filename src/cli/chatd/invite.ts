// chatd invite: a code with which users may register.
import { type Command, Option } from '@commander-js/extra-typings'
import { adminCall } from '../admin-client.ts'
import { createOutput, examples } from '../output.ts'
import { adminVerb, dataDirectory, parseLifetime, parsePositive } from './node-options.ts'

export const registerInvite = (program: Command): void => {
  adminVerb(program, 'invite')
    .description('a code with which a user may register')
    .addHelpText('before', examples('chatd invite', 'chatd invite --uses 20 --ttl 1d'))
    .addOption(new Option('--uses <number>', 'how many users may use it').argParser(parsePositive).default(1))
    .addOption(
      new Option('--ttl <duration>', 'how long it can be used').argParser(parseLifetime).default(604_800_000, '7d'),
    )
    .action(async (options) => {
      const { uses, ttl: ttlMs, admin: url } = options
      const answer = await adminCall({ data: dataDirectory(options), url, path: '/invite', body: { uses, ttlMs } })
      const { code, expiresAt } = answer as { code: string; expiresAt: number } // by node/admin-routes.ts
      const shown = { code, uses, expiresAt: new Date(expiresAt).toISOString() }
      const output = createOutput(options)
      output.result(shown, code)
      if (!output.isJson) output.note(`Until ${shown.expiresAt}: chat register NAME --gateway URL --invite ${code}`)
    })
}
