// The benchmark's table: what is measured, how it is written, and the goals beside it.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Transfers } from './attachments.ts'
import type { FanOut } from './fan-out.ts'
import type { Offline } from './offline.ts'
import { sum } from './processes.ts'
import type { Idle, Latency, Logins, Saturation } from './scenarios.ts'

export interface Figures {
  name: string
  latency?: Latency
  saturation?: Saturation
  withReceipts?: Saturation
  logins?: Logins
  idle?: Idle
  offline?: Offline
  /** By number of members. */
  fanOut?: Record<number, FanOut>
  transfers?: Transfers
}

const digits = (value: number | undefined, places: number): string =>
  value === undefined ? '–' : value.toFixed(places)

/** Messages, and deliveries to members. */
export const lostBy = ({ saturation, withReceipts, fanOut = {} }: Figures): number =>
  sum([saturation?.lost ?? 0, withReceipts?.lost ?? 0, ...Object.values(fanOut).map(({ lost }) => lost)])

interface Row {
  title: string
  goal: string
  value: (figures: Figures) => string
}
const groupRows = (members: number): Row[] => [
  {
    title: `group of ${members}, all online: deliveries/s`,
    goal: '',
    value: (f) => digits(f.fanOut?.[members]?.deliveriesPerSecond, 0),
  },
  {
    title: `group of ${members}: CPU s of all servers per 10,000 deliveries`,
    goal: 'one process ≤ 0.3, cluster ≤ 0.8',
    value: (f) => digits(f.fanOut?.[members]?.cpuPer10k, 2),
  },
  {
    title: `group of ${members}: one message until all have it, ms`,
    goal: '',
    value: (f) => digits(f.fanOut?.[members]?.allReceivedMs, 1),
  },
]

const rows: Row[] = [
  { title: 'delivered messages/s at saturation', goal: '', value: (f) => digits(f.saturation?.messagesPerSecond, 0) },
  {
    title: 'CPU s of all servers per 10,000 messages',
    goal: 'one process ≤ 0.9, cluster ≤ 4',
    value: (f) => digits(f.saturation?.cpuPer10k, 2),
  },
  {
    title: 'delivered messages/s, every one receipted',
    goal: '',
    value: (f) => digits(f.withReceipts?.messagesPerSecond, 0),
  },
  {
    title: 'CPU s per 10,000 messages with their receipts',
    goal: '',
    value: (f) => digits(f.withReceipts?.cpuPer10k, 2),
  },
  { title: 'latency at 200/s, p50 ms', goal: 'cluster ≤ fsync + 4', value: (f) => digits(f.latency?.p50Ms, 2) },
  { title: 'latency at 200/s, p99 ms', goal: '', value: (f) => digits(f.latency?.p99Ms, 2) },
  { title: 'logins/s', goal: '', value: (f) => digits(f.logins?.perSecond, 0) },
  { title: 'KiB per idle connection', goal: '≤ 40', value: (f) => digits(f.idle?.kibPerConnection, 1) },
  {
    title: '1,000 offline messages: last frame at the socket, ms',
    goal: '≤ 100',
    value: (f) => digits(f.offline?.lastFrameMs, 0),
  },
  {
    title: '1,000 offline messages: verified and on the client’s disk, ms',
    goal: '≤ 300',
    value: (f) => digits(f.offline?.onDiskMs, 0),
  },
  ...groupRows(100),
  ...groupRows(500),
  {
    title: 'attachments up, MB/s (ceiling: a plain file server)',
    goal: 'cluster ≥ 35, three copies',
    value: (f) => digits(f.transfers?.uploadMBs, 0),
  },
  {
    title: 'attachments down, MB/s',
    goal: '≥ half of the file server',
    value: (f) => digits(f.transfers?.downloadMBs, 0),
  },
  { title: 'CPU s of all servers per 1,000 MB up', goal: '', value: (f) => digits(f.transfers?.uploadCpu, 1) },
  { title: 'CPU s of all servers per 1,000 MB down', goal: '', value: (f) => digits(f.transfers?.downloadCpu, 1) },
  {
    title: 'memory that transfers take at the largest server, MiB',
    goal: '≤ 64',
    value: (f) => digits(f.transfers?.grownMiB, 0),
  },
  { title: 'messages lost', goal: '0', value: (f) => digits(lostBy(f), 0) },
]

const table = (results: Figures[]): string[][] => [
  ['figure', ...results.map(({ name }) => name), 'goal'],
  ...rows.map(({ title, goal, value }) => [title, ...results.map(value), goal]),
]

export const printTable = (results: Figures[], fsyncMs: number): void => {
  const lines = table(results)
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length))) ?? []
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  console.log(`\nfsync under three writers, p50: ${fsyncMs.toFixed(2)} ms`)
}

const versionOf = (name: string): string => {
  const path = join(import.meta.dirname, '..', 'node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version // every package.json has one
}

export const writeReport = async (results: Figures[], fsyncMs: number): Promise<void> => {
  const lines = table(results).map((line) => `| ${line.join(' | ')} |`)
  lines.splice(1, 0, `|${'---|'.repeat(results.length + 2)}`)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const packages = ['libp2p', 'level', 'ws', 'msgpackr'].map((name) => `${name} ${versionOf(name)}`).join(', ')
  const text = `# Benchmarks

Written by \`npm run bench -- --write\`; what each figure means stands in \`bench/scenarios.ts\`. Wall times of such a machine vary
by half between runs: compare the columns of one run, and CPU seconds. Load generator and servers share the machine's cores.

- ${new Date().toISOString().slice(0, 10)}, commit ${commit} (the tree it was run on)
- ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}, ${packages}
- ceiling: a bare ws relay that keeps each message in LevelDB with grouped fsync and does nothing else; cluster: 1 gateway, 3 routers, 3 stores, 1 group node, each a process
- fsync of 600 bytes under three writers on this disk, p50: ${fsyncMs.toFixed(2)} ms

${lines.join('\n')}
`
  await writeFile(join(import.meta.dirname, '..', 'docs', 'benchmarks.md'), text)
}
