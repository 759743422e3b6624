// chatd cluster: a cluster on this machine, started, broken, healed and checked.
import type { Command } from '@commander-js/extra-typings'
import { examples } from '../output.ts'
import { registerCheckVerb } from './cluster-check.ts'
import { registerDownVerb } from './cluster-down.ts'
import { registerLogsVerb } from './cluster-logs.ts'
import { registerMemberVerbs } from './cluster-members.ts'
import { registerPartitionVerbs } from './cluster-partition.ts'
import { registerProxyVerb } from './cluster-proxy.ts'
import { registerPsVerb } from './cluster-ps.ts'
import { registerNodeVerbs } from './cluster-signals.ts'
import { registerUpVerb } from './cluster-up.ts'

export const registerClusterCommands = (program: Command): void => {
  const cluster = program
    .command('cluster')
    .description('a cluster on this machine: start it, break it, heal it, check it')
    .addHelpText(
      'before',
      examples(
        'chatd cluster up --dir /tmp/demo --detach',
        'chatd cluster kill store-1 --dir /tmp/demo',
        'chatd cluster start store-1 --dir /tmp/demo',
        'chatd cluster check --dir /tmp/demo',
        'chatd cluster down --dir /tmp/demo',
      ),
    )
  registerUpVerb(cluster)
  registerPsVerb(cluster)
  registerNodeVerbs(cluster)
  registerMemberVerbs(cluster)
  registerPartitionVerbs(cluster)
  registerLogsVerb(cluster)
  registerCheckVerb(cluster)
  registerDownVerb(cluster)
  registerProxyVerb(cluster)
}
