// chatd cluster down: ends every node, paused ones too; the data stay.
import type { Command } from '@commander-js/extra-typings'
import { shutDown } from '../cluster/shutdown.ts'
import { createOutput, examples } from '../output.ts'
import { clusterDirectory, clusterVerb } from './cluster-options.ts'

export const registerDownVerb = (cluster: Command): void => {
  clusterVerb(cluster, 'down')
    .description('end all nodes within 10 s; the data stay, and `up` starts them again')
    .addHelpText('before', examples('chatd cluster down'))
    .action(async (options) => {
      const report = await shutDown(clusterDirectory(options.dir))
      const killed = report.killed.length === 0 ? '' : ` (${report.killed.join(', ')} had to be killed)`
      createOutput(options).result(report, `${report.stopped.length} nodes ended${killed}`)
    })
}
