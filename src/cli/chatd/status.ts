// chatd status: the cluster as one node sees it.
import type { Command } from '@commander-js/extra-typings'
import type { ClusterStatus, HomesReport, NodeRow } from '../../node/node-status.ts'
import { adminCall } from '../admin-client.ts'
import { createOutput, examples } from '../output.ts'
import { type Column, formatTable } from '../table.ts'
import { adminVerb, dataDirectory } from './node-options.ts'

const orDash = (value: number | null, unit = ''): string => (value === null ? '-' : `${value}${unit}`)

const COLUMNS: Column<NodeRow>[] = [
  { head: 'NODE', cell: (row) => row.name },
  { head: 'ROLES', cell: (row) => row.roles.join(',') + (row.authority ? ' (authority)' : '') },
  { head: 'STATE', cell: (row) => row.state },
  { head: 'RTT', cell: (row) => orDash(row.lagMs, ' ms') },
  { head: 'EPOCHS BEHIND', cell: (row) => orDash(row.epochLag) },
  { head: 'RECORDS', cell: (row) => orDash(row.records) + (row.recordLag ? ` (${row.recordLag} behind)` : '') },
  { head: 'SESSIONS', cell: (row) => orDash(row.sessions) },
  { head: 'LEASES', cell: (row) => orDash(row.leases) },
  { head: 'QUEUED', cell: (row) => (row.queued === null ? '-' : `${row.queued} · ${row.queuedBytes} B`) },
]

const homesText = (title: string, { n, w, r, homes }: HomesReport): string => {
  const listed = homes.map(({ name, readable, writable }) => {
    const missing = [readable ? '' : 'not readable', writable ? '' : 'not writable'].filter(Boolean).join(', ')
    return missing === '' ? name : `${name} (${missing})`
  })
  return `${title}: N=${n} W=${w} R=${r} on ${listed.join(', ') || 'no store yet'}`
}

const statusText = (status: ClusterStatus): string =>
  [
    `cluster ${status.cluster} · epoch ${status.epoch}${status.joint ? ' (joint)' : ''} · seen by ${status.node}`,
    homesText('messages', status.current),
    ...(status.next ? [homesText('changing to', status.next)] : []),
    '',
    formatTable(COLUMNS, status.nodes),
  ].join('\n')

export const registerStatus = (program: Command): void => {
  adminVerb(program, 'status')
    .description('the cluster as one node sees it')
    .addHelpText('before', examples('chatd status', 'chatd status --data /srv/chat --json'))
    .action(async (options) => {
      const answer = await adminCall({ data: dataDirectory(options), url: options.admin, path: '/status' })
      const status = answer as ClusterStatus // by node/admin-routes.ts
      createOutput(options).result(status, () => statusText(status))
    })
}
