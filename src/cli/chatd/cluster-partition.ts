// chatd cluster partition, heal: cuts links between nodes for real, and closes the cuts.
import type { Command } from '@commander-js/extra-typings'
import { heal, partition } from '../cluster/partition.ts'
import { createOutput, examples } from '../output.ts'
import { clusterDirectory, clusterVerb, parseNames } from './cluster-options.ts'

export const registerPartitionVerbs = (cluster: Command): void => {
  clusterVerb(cluster, 'partition <left> <right>')
    .description('cut every link between two sides; nodes that are named on no side keep theirs')
    .option('--blackhole', 'bytes stop and connections stay open, as when a cable is pulled (default: they are reset)')
    .addHelpText(
      'before',
      examples(
        'chatd cluster partition store-1 store-2,store-3',
        'chatd cluster partition gateway-1,store-1 gateway-2,store-2,store-3 --blackhole',
      ),
    )
    .action(async (left, right, options) => {
      const cut = {
        left: parseNames(left),
        right: parseNames(right),
        mode: options.blackhole ? ('blackhole' as const) : ('reset' as const),
      }
      await partition(clusterDirectory(options.dir), cut)
      createOutput(options).result({ cut }, `cut: ${cut.left.join(', ')} | ${cut.right.join(', ')}`)
    })

  clusterVerb(cluster, 'heal')
    .description('close all cuts; nodes find each other again by themselves')
    .addHelpText('before', examples('chatd cluster heal'))
    .action(async (options) => {
      const healed = await heal(clusterDirectory(options.dir))
      createOutput(options).result({ healed }, healed.length === 0 ? 'nothing was cut' : 'all links are open')
    })
}
