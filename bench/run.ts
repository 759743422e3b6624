// npm run bench [-- --write] [--quick] [--only NAME]: measures the ceiling, one process and a cluster in one run and prints one table;
// --write puts it into docs/benchmarks.md.
import { parseArgs } from 'node:util'
import { fsyncMedianMs } from './disk.ts'
import { type Figures, writeReport, printTable } from './report.ts'
import { idleConnections, latency, logins, type Measured, saturation } from './scenarios.ts'
import { offline } from './offline.ts'
import { systems } from './systems.ts'

const { values } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})
const scale = values.quick ? 0.2 : 1
const say = (text: string): void => void process.stderr.write(`${text}\n`)

const measure = async (measured: Measured): Promise<Figures> => {
  const { name } = measured.server
  const figures: Figures = { name }
  say(`${name}: saturation`)
  figures.saturation = await saturation(measured, false)
  // After the load: of a system that runs, not of one that was just started.
  say(`${name}: latency at 200 messages/s`)
  figures.latency = await latency(measured)
  if (name !== 'ceiling') {
    say(`${name}: saturation with receipts`)
    figures.withReceipts = await saturation(measured, true)
    say(`${name}: 1,000 offline messages`)
    figures.offline = await offline(measured)
  }
  say(`${name}: logins`)
  figures.logins = await logins(measured)
  say(`${name}: idle connections`)
  figures.idle = await idleConnections(measured)
  return figures
}

const results: Figures[] = []
const fsyncMs = await fsyncMedianMs()
for (const system of systems.filter(({ name }) => !values.only || name === values.only)) {
  const { server, target } = await system.start()
  try {
    results.push(await measure({ server, target, scale }))
  } finally {
    await server.stop()
  }
}
printTable(results, fsyncMs)
if (values.write) await writeReport(results, fsyncMs)
process.exit(results.some(({ saturation: s, withReceipts: r }) => (s?.lost ?? 0) + (r?.lost ?? 0) > 0) ? 1 : 0)
