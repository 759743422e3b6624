// The figures of the terminal client beside their goals: on the terminal, and as the end of docs/benchmarks.md.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Spread, TuiFigures } from './tui.ts'

const HEADING = '## The terminal client'
const DOCUMENT = join(import.meta.dirname, '..', 'docs', 'benchmarks.md')

const spreadText = ({ p50, p95 }: Spread): string => `${p50.toFixed(1)} / ${p95.toFixed(1)}`
const rows: { title: string; goal: string; value: (figures: TuiFigures) => string }[] = [
  { title: 'Node itself starts, ms', goal: '', value: (f) => f.runtimeMs.toFixed(0) },
  { title: 'first paint after that, ms', goal: '< 300', value: (f) => f.firstPaintMs.toFixed(0) },
  { title: 'the newest message is there, ms', goal: '< 1,000', value: (f) => f.usableMs.toFixed(0) },
  { title: 'key to paint, idle, p50 / p95 ms', goal: '– / < 16', value: (f) => spreadText(f.idleKeyMs) },
  {
    title: 'key to paint, 50 messages/s arrive, p50 / p95 ms',
    goal: '– / < 33',
    value: (f) => spreadText(f.busyKeyMs),
  },
  { title: 'bytes for a key', goal: '', value: (f) => f.bytesPerKey.toFixed(0) },
  { title: 'Enter to `received`, p50 / p95 ms', goal: '– / < 50', value: (f) => spreadText(f.receivedMs) },
  { title: 'memory of the client, MiB', goal: '< 150', value: (f) => f.memoryMiB.toFixed(0) },
]

const historyText = ({ messages }: TuiFigures): string => `${messages.toLocaleString('en')} messages of history`

export const printTui = (figures: TuiFigures): void => {
  console.log(`\nterminal client, ${historyText(figures)}`)
  for (const { title, goal, value } of rows)
    console.log(`${title.padEnd(50)} ${value(figures).padEnd(16)} ${goal}`.trimEnd())
}

/** The rest of the document stays. */
export const writeTui = (figures: TuiFigures): void => {
  const [rest = ''] = readFileSync(DOCUMENT, 'utf8').split(`\n${HEADING}\n`)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const lines = rows.map(({ title, goal, value }) => `| ${title} | ${value(figures)} | ${goal} |`)
  const text = `${HEADING}

\`chat tui\` in a real pty of 120x40, as \`bench/tui.ts\` measures it: one node, a profile with ${historyText(figures)},
everything on this machine. A time ends when the bytes are at the terminal. ${new Date().toISOString().slice(0, 10)}, commit ${commit}.

| figure | measured | goal |
|---|---|---|
${lines.join('\n')}
`
  writeFileSync(DOCUMENT, `${rest.trimEnd()}\n\n${text}`)
}
