// npm run bench [-- --write] [--tui] [--quick] [--only SYSTEM] [--load LOAD]: measures the ceiling, one process and a cluster in one run and
// prints one table, and one of the terminal client; --write puts them into docs/benchmarks.md.
import { parseArgs } from 'node:util'
import { attachments } from './attachments.ts'
import { fsyncMedianMs } from './disk.ts'
import { fanOut } from './fan-out.ts'
import { type Figures, lostBy, writeReport, printTable } from './report.ts'
import { idleConnections, latency, logins, type Measured, saturation } from './scenarios.ts'
import { offline } from './offline.ts'
import { systems } from './systems.ts'
import { measureTui } from './tui.ts'
import { printTui, writeTui } from './tui-report.ts'

const { values } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    load: { type: 'string' },
    tui: { type: 'boolean', default: false },
  },
})
const scale = values.quick ? 0.2 : 1
const terminalClient = async (): Promise<void> => {
  const figures = await measureTui(scale)
  printTui(figures)
  if (values.write) writeTui(figures)
}
if (values.tui) {
  await terminalClient()
  process.exit()
}

interface Load {
  name: string
  /** Not of the ceiling, which has no such thing. */
  needsIdentities?: boolean
  measure: (measured: Measured, figures: Figures) => Promise<unknown>
}
const loads: Load[] = [
  { name: 'saturation', measure: async (on, figures) => (figures.saturation = await saturation(on, false)) },
  // After the load: of a system that runs, not of one that was just started.
  { name: 'latency', measure: async (on, figures) => (figures.latency = await latency(on)) },
  {
    name: 'receipts',
    needsIdentities: true,
    measure: async (on, figures) => (figures.withReceipts = await saturation(on, true)),
  },
  { name: 'offline', needsIdentities: true, measure: async (on, figures) => (figures.offline = await offline(on)) },
  {
    name: 'groups',
    measure: async (on, figures) => (figures.fanOut = { 100: await fanOut(on, 100), 500: await fanOut(on, 500) }),
  },
  { name: 'attachments', measure: async (on, figures) => (figures.transfers = await attachments(on)) },
  { name: 'logins', measure: async (on, figures) => (figures.logins = await logins(on)) },
  { name: 'idle', measure: async (on, figures) => (figures.idle = await idleConnections(on)) },
]

const measureAll = async (measured: Measured): Promise<Figures> => {
  const { name } = measured.server
  const figures: Figures = { name }
  for (const { name: load, needsIdentities, measure } of loads) {
    if ((values.load && load !== values.load) || (needsIdentities && name === 'ceiling')) continue
    process.stderr.write(`${name}: ${load}\n`)
    await measure(measured, figures)
  }
  return figures
}

const results: Figures[] = []
const fsyncMs = await fsyncMedianMs()
for (const system of systems.filter(({ name }) => !values.only || name === values.only)) {
  const { server, target } = await system.start()
  try {
    results.push(await measureAll({ server, target, scale }))
  } finally {
    await server.stop()
  }
}
printTable(results, fsyncMs)
if (values.write) await writeReport(results, fsyncMs)
if (!values.only && !values.load) await terminalClient()
process.exit(results.some((figures) => lostBy(figures) > 0) ? 1 : 0)
