// chatd node remove: takes a node out of the map for good. A store leaves only after its records are safe on others.
import type { Command } from '@commander-js/extra-typings'
import type { Removal } from '../../node/admin-routes.ts'
import { systemClock } from '../../platform/system.ts'
import { sleep } from '../../platform/timing.ts'
import { ChatError } from '../../protocol/errors.ts'
import { adminCall } from '../admin-client.ts'
import { createOutput, examples } from '../output.ts'
import { adminVerb, dataDirectory } from './node-options.ts'

const ASK_AGAIN_MS = 500
const WAIT_MS = 90_000

const unknownNode = (name: string): ChatError =>
  new ChatError('NODE_UNKNOWN', {
    message: `There is no node ${name} in this cluster, or it was removed before; chatd status lists those there are`,
  })

export const registerNode = (program: Command): void => {
  const node = program
    .command('node')
    .description('members of the cluster')
    .addHelpText('before', examples('chatd node remove store-2'))
  adminVerb(node, 'remove')
    .description('take a node out of the cluster for good')
    .argument('<node>', 'its name, see chatd status')
    .addHelpText('before', examples('chatd node remove store-2'))
    .action(async (name, options) => {
      const output = createOutput(options)
      const call = {
        data: dataDirectory({ data: options.data }),
        url: options.admin,
        path: '/node/remove',
        body: { name },
      }
      const deadline = systemClock.monotonic() + WAIT_MS
      for (let isFirst = true; ; isFirst = false) {
        const { removed, known, epoch } = (await adminCall(call)) as Removal // by node/admin-routes.ts
        if (isFirst && !known) throw unknownNode(name)
        if (removed)
          return output.result({ node: name, removed, epoch }, `${name} is out of the cluster since epoch ${epoch}.`)
        if (isFirst) output.note(`${name} keeps messages: waiting until other stores have them`)
        if (systemClock.monotonic() > deadline) {
          throw new ChatError('TIMEOUT', {
            message: `${name} is still leaving; see chatd status, and run the command again`,
          })
        }
        await sleep(systemClock, ASK_AGAIN_MS)
      }
    })
}
