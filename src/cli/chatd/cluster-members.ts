// chatd cluster add, remove: nodes that come to a running cluster and leave it for good.
import type { Command } from '@commander-js/extra-typings'
import { createOutput, examples } from '../output.ts'
import { clusterDirectory, clusterVerb } from './cluster-options.ts'

export const registerMemberVerbs = (cluster: Command): void => {
  clusterVerb(cluster, 'add')
    .description('start a further node; a store is a home when this returns')
    .requiredOption('--role <roles>', 'gateway, router, store, group, media or messages; several with commas')
    .addHelpText('before', examples('chatd cluster add --role store', 'chatd cluster add --role gateway,router'))
    .action(async (options) => {
      const { addNode } = await import('../cluster/members.ts')
      const output = createOutput(options)
      const roles = options.role.split(',').map((role) => role.trim())
      const node = await addNode(clusterDirectory(options.dir), roles, (text) => output.note(text))
      output.result(node, `${node.name} is up${node.ws ? ` at ${node.ws}` : ''}`)
    })

  clusterVerb(cluster, 'remove <node>')
    .description('take a node out of the map and end it; a store first hands its messages to others')
    .addHelpText('before', examples('chatd cluster remove store-2'))
    .action(async (name, options) => {
      const { removeNode } = await import('../cluster/members.ts')
      const output = createOutput(options)
      const { epoch } = await removeNode(clusterDirectory(options.dir), name, (text) => output.note(text))
      output.result({ name, removed: true, epoch }, `${name} is removed; its data stay in its directory`)
    })
}
