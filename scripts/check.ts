// Runs every check that needs no test to run, all of them, and says which failed: types, lint, format, layering,
// suites that would not run, generated documents. It must not change a file.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { killAll, type Run, runNode } from './run-file.ts'

const root = join(import.meta.dirname, '..')
const DEADLINE_MS = 300_000

/** `ifExists`: the check is skipped as long as that file is not there. */
const CHECKS: { name: string; args: string[]; ifExists?: string }[] = [
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.check.json'] },
  {
    name: 'lint',
    args: ['node_modules/oxlint/bin/oxlint', '--type-aware', '--tsconfig', 'tsconfig.check.json', '--deny-warnings'],
  },
  { name: 'format', args: ['node_modules/@biomejs/biome/bin/biome', 'format', '.'] },
  { name: 'layering', args: ['scripts/check-layering.ts'] },
  { name: 'suites', args: ['scripts/check-suites.ts'] },
  { name: 'docs', args: ['scripts/protocol-doc.ts', '--check'], ifExists: 'scripts/protocol-doc.ts' },
  { name: 'tui docs', args: ['scripts/terminal-doc.ts', '--check'], ifExists: 'scripts/terminal-doc.ts' },
]

process.once('SIGINT', stop)
process.once('SIGTERM', stop)

// Two at a time; the first three do their own threading.
const queue = CHECKS.filter(({ ifExists }) => ifExists === undefined || existsSync(join(root, ifExists)))
let failed = 0
await Promise.all([lane(), lane()])
process.exitCode = failed > 0 ? 1 : 0

async function lane(): Promise<void> {
  for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
    show(check.name, await runNode({ args: check.args, cwd: root, deadlineMs: DEADLINE_MS }))
  }
}

function show(name: string, run: Run): void {
  const isGood = run.exitCode === 0 && !run.hung
  if (!isGood) failed += 1
  console.log(`${isGood ? 'ok  ' : 'FAIL'} check: ${name.padEnd(10)} ${(run.durationMs / 1000).toFixed(2)} s`)
  if (!isGood || /^warning: /m.test(run.output)) process.stdout.write(run.output)
}

function stop(): void {
  killAll()
  process.exit(130)
}
