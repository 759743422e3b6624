// chatd init: makes a cluster in a directory; nothing runs yet.
import type { Command } from '@commander-js/extra-typings'
import { DataFiles } from '../../node/data-files.ts'
import { initCluster } from '../../node/membership.ts'
import { systemRandom } from '../../platform/system.ts'
import { createOutput, examples } from '../output.ts'
import { dataDirectory, dataOption, jsonOption, nameOption } from './node-options.ts'

export const registerInit = (program: Command): void => {
  program
    .command('init')
    .description('make a cluster: the authority’s key and the first map')
    .addHelpText('before', examples('chatd init --data /srv/chat', 'chatd init --name router-1'))
    .addOption(dataOption())
    .addOption(nameOption())
    .addOption(jsonOption())
    .action(async (options) => {
      const data = dataDirectory(options)
      const files = new DataFiles(data)
      const lock = await files.lock()
      try {
        const cluster = initCluster({ files, random: systemRandom }, options.name)
        const human = `Made the cluster ${cluster} in ${data}.\nStart its first node: chatd start --role router,gateway,store --data ${data}`
        createOutput(options).result({ cluster, data }, human)
      } finally {
        await lock.close()
      }
    })
}
