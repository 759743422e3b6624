// chatd cluster up: a whole cluster on this machine. Detached it returns when the cluster is ready; else it stays and ends it.
import type { Command } from '@commander-js/extra-typings'
import type { NodeRow } from '../cluster/list.ts'
import { createOutput, examples } from '../output.ts'
import { clusterDirectory, clusterVerb, parseCount } from './cluster-options.ts'
import { nodeTable } from './cluster-ps.ts'

interface UpReport {
  dir: string
  gateways: string[]
  nodes: NodeRow[]
}

const human = ({ dir, gateways, nodes }: UpReport): string =>
  [
    nodeTable(nodes),
    '',
    gateways.length > 0 ? `clients connect to ${gateways.join(' or ')}` : 'there is no gateway for clients',
    ...(gateways[0] ? [`  npx chat --profile alice register alice --gateway ${gateways[0]}`] : []),
    `ready; data in ${dir}`,
  ].join('\n')

const KEEP_ALIVE_MS = 60_000

/** A signal handler alone does not keep a process alive. */
const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    const alive = setInterval(() => {}, KEEP_ALIVE_MS)
    const end = (): void => {
      clearInterval(alive)
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end)
  })

export const registerUpVerb = (cluster: Command): void => {
  clusterVerb(cluster, 'up')
    .description('start a cluster on this machine, each node a process of its own')
    .option('--gateways <count>', 'gateways', parseCount, 1)
    .option('--routers <count>', 'routers; the first holds the authority', parseCount, 3)
    .option('--stores <count>', 'stores', parseCount, 3)
    .option('--groups <count>', 'group nodes', parseCount, 1)
    .option('--direct', 'link nodes directly, without the proxy that `partition` needs')
    .option('--detach', 'return when it is ready, and leave it running')
    .addHelpText(
      'before',
      examples('chatd cluster up --detach', 'chatd cluster up --dir /tmp/demo --gateways 2 --stores 5 --detach --json'),
    )
    .action(async (options) => {
      const [{ clusterUp }, { listNodes }, { shutDown }] = await Promise.all([
        import('../cluster/up.ts'),
        import('../cluster/list.ts'),
        import('../cluster/shutdown.ts'),
      ])
      const output = createOutput(options)
      const dir = clusterDirectory(options.dir)
      const { gateways: gateway, routers: router, stores: store, groups: group } = options
      const state = await clusterUp({
        dir,
        counts: { gateway, router, store, group },
        direct: options.direct === true,
        progress: (text) => output.note(text),
      })
      const nodes = await listNodes(dir, state)
      const report = { dir, gateways: nodes.flatMap(({ ws }) => ws ?? []), nodes }
      output.result(report, () => human(report))
      if (options.detach) return
      await interrupted()
      output.note('ending the nodes')
      await shutDown(dir)
    })
}
