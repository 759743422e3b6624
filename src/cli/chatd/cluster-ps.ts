// chatd cluster ps: the nodes of a local cluster and how each is.
import type { Command } from '@commander-js/extra-typings'
import type { NodeRow } from '../cluster/list.ts'
import { createOutput, examples } from '../output.ts'
import { type Column, formatTable } from '../table.ts'
import { clusterDirectory, clusterVerb } from './cluster-options.ts'

const COLUMNS: Column<NodeRow>[] = [
  { head: 'NODE', cell: (row) => row.name },
  { head: 'ROLES', cell: (row) => row.roles.join(',') },
  { head: 'STATE', cell: (row) => row.state },
  { head: 'PID', cell: (row) => (row.pid === null ? '-' : String(row.pid)) },
  { head: 'ADMIN', cell: (row) => row.admin ?? '-' },
  { head: 'CLIENTS', cell: (row) => row.ws ?? '' },
]

export const nodeTable = (rows: NodeRow[]): string => formatTable(COLUMNS, rows)

/** `store-1 is cut off from store-2, store-3 (reset)`: both ends say it, for either may be what one looks at. */
const cutLines = (rows: NodeRow[]): string[] => {
  const lines = rows.flatMap(({ name, cuts }) =>
    [...Map.groupBy(cuts, ({ mode }) => mode)].map(
      ([mode, some]) => `${name} is cut off from ${some.map(({ node }) => node).join(', ')} (${mode})`,
    ),
  )
  return lines.length === 0 ? [] : ['', ...lines]
}

export const registerPsVerb = (cluster: Command): void => {
  clusterVerb(cluster, 'ps')
    .description('the nodes, each with process, state and addresses, and the links that are cut')
    .addHelpText('before', examples('chatd cluster ps', 'chatd cluster ps --json'))
    .action(async (options) => {
      const [{ listNodes }, { requireState }] = await Promise.all([
        import('../cluster/list.ts'),
        import('../cluster/state.ts'),
      ])
      const dir = clusterDirectory(options.dir)
      const rows = await listNodes(dir, requireState(dir))
      const output = createOutput(options)
      output.result(rows, () => [nodeTable(rows), ...cutLines(rows)].join('\n'))
      if (rows.some(({ cuts }) => cuts.length > 0)) output.note('chatd cluster heal opens the links that are cut')
    })
}
