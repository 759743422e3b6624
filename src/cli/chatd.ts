// The program chatd: its verbs, each a file beside this one. What a verb needs of libp2p or of clusters is loaded when it runs.
import { Command } from '@commander-js/extra-typings'
import { registerAuthority } from './chatd/authority.ts'
import { registerClusterCommands } from './chatd/cluster.ts'
import { registerDoctor } from './chatd/doctor.ts'
import { registerInit } from './chatd/init.ts'
import { registerInvite } from './chatd/invite.ts'
import { registerNode } from './chatd/node.ts'
import { registerRepair } from './chatd/repair.ts'
import { registerStart } from './chatd/start.ts'
import { registerStatus } from './chatd/status.ts'
import { registerTicket } from './chatd/ticket.ts'
import { examples, runProgram } from './output.ts'
import { packageVersion } from './version.ts'

const program = new Command('chatd')
  .description('the node of a self-hosted chat cluster')
  .version(packageVersion())
  .addHelpText(
    'before',
    examples(
      'chatd start --role all              # a cluster of one',
      'chatd cluster up --detach           # a whole cluster on this machine',
      'chatd status',
    ),
  )

registerInit(program)
registerStart(program)
registerTicket(program)
registerInvite(program)
registerStatus(program)
registerNode(program)
registerAuthority(program)
registerRepair(program)
registerClusterCommands(program)
registerDoctor(program)

await runProgram(program)
