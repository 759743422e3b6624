// The program chat: its verbs, each a file in chat/ that is loaded when it may be meant.
import { Command } from '@commander-js/extra-typings'
import { gatewayOption, homeOption, insecureOption, jsonOption, profileOption } from './chat/options.ts'
import { examples, runProgram } from './output.ts'
import { packageVersion } from './version.ts'

const program = new Command('chat')
  .description('the client of a self-hosted chat cluster')
  .version(packageVersion())
  .addHelpText(
    'before',
    examples(
      'chat register alice --gateway ws://127.0.0.1:7400',
      'chat send bob Hello Bob',
      'chat listen --json --mark-read',
      'chat tui',
    ),
  )
program
  .addOption(profileOption())
  .addOption(homeOption())
  .addOption(gatewayOption())
  .addOption(insecureOption())
  .addOption(jsonOption())

type Register = (program: Command) => void
/** The verbs of each file. The one that is meant loads alone, so that the terminal client waits for nothing else; all for help and for what is none. */
const verbs: { names: string[]; load: () => Promise<Register> }[] = [
  { names: ['register'], load: async () => (await import('./chat/register.ts')).registerRegister },
  { names: ['link'], load: async () => (await import('./chat/link.ts')).registerLink },
  { names: ['whoami'], load: async () => (await import('./chat/whoami.ts')).registerWhoami },
  { names: ['devices', 'revoke'], load: async () => (await import('./chat/devices.ts')).registerDevices },
  { names: ['send'], load: async () => (await import('./chat/send.ts')).registerSend },
  { names: ['edit', 'delete', 'react'], load: async () => (await import('./chat/edit.ts')).registerEdit },
  { names: ['forward'], load: async () => (await import('./chat/forward.ts')).registerForward },
  { names: ['get'], load: async () => (await import('./chat/get.ts')).registerGet },
  { names: ['listen'], load: async () => (await import('./chat/listen.ts')).registerListen },
  { names: ['history'], load: async () => (await import('./chat/history.ts')).registerHistory },
  { names: ['inbox'], load: async () => (await import('./chat/inbox.ts')).registerInbox },
  { names: ['read'], load: async () => (await import('./chat/read.ts')).registerRead },
  { names: ['status'], load: async () => (await import('./chat/status.ts')).registerStatus },
  { names: ['group'], load: async () => (await import('./chat/group.ts')).registerGroup },
  { names: ['search'], load: async () => (await import('./chat/search.ts')).registerSearch },
  { names: ['block', 'unblock'], load: async () => (await import('./chat/block.ts')).registerBlock },
  { names: ['mute', 'unmute', 'unread'], load: async () => (await import('./chat/mute.ts')).registerMute },
  { names: ['profiles'], load: async () => (await import('./chat/profiles.ts')).registerProfiles },
  { names: ['verify'], load: async () => (await import('./chat/verify.ts')).registerVerify },
  { names: ['tui'], load: async () => (await import('./chat/tui.ts')).registerTui },
]
const [verb] = program.parseOptions(process.argv.slice(2)).operands
const named = verbs.filter(({ names }) => verb !== undefined && names.includes(verb))
for (const { load } of named.length > 0 ? named : verbs) {
  const register = await load()
  register(program)
}

await runProgram(program)
