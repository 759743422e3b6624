// The program chat: its verbs, each a file in chat/. The terminal client is loaded only when it runs.
import { Command } from '@commander-js/extra-typings'
import { registerBlock } from './chat/block.ts'
import { registerDevices } from './chat/devices.ts'
import { registerEdit } from './chat/edit.ts'
import { registerForward } from './chat/forward.ts'
import { registerGet } from './chat/get.ts'
import { registerGroup } from './chat/group.ts'
import { registerHistory } from './chat/history.ts'
import { registerInbox } from './chat/inbox.ts'
import { registerLink } from './chat/link.ts'
import { registerListen } from './chat/listen.ts'
import { gatewayOption, homeOption, insecureOption, jsonOption, profileOption } from './chat/options.ts'
import { registerMute } from './chat/mute.ts'
import { registerProfiles } from './chat/profiles.ts'
import { registerRead } from './chat/read.ts'
import { registerRegister } from './chat/register.ts'
import { registerSearch } from './chat/search.ts'
import { registerSend } from './chat/send.ts'
import { registerStatus } from './chat/status.ts'
import { registerTui } from './chat/tui.ts'
import { registerVerify } from './chat/verify.ts'
import { registerWhoami } from './chat/whoami.ts'
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

const verbs: ((program: Command) => void)[] = [
  registerRegister,
  registerLink,
  registerWhoami,
  registerDevices,
  registerSend,
  registerEdit,
  registerForward,
  registerGet,
  registerListen,
  registerHistory,
  registerInbox,
  registerRead,
  registerStatus,
  registerGroup,
  registerSearch,
  registerBlock,
  registerMute,
  registerProfiles,
  registerVerify,
  registerTui,
]
for (const register of verbs) register(program)

await runProgram(program)
