// Runs every test/**/*.test.ts in a process of its own and prints one line per file, the full output of failures only,
// and last `N passed, N failed`. With --full it builds and checks first; a failure there counts as one failed.
// It must not decide what a count means: that is scripts/uvu-summary.ts.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { killAll, runNode } from './run-file.ts'
import { type Counts, judge, summaryLine } from './uvu-summary.ts'

/** Of a file that says nothing else: only what hangs takes so long, also on a machine that is busy with other things. */
const DEFAULT_DEADLINE_MS = 300_000
/** Two: enough to hide the start of a process, few enough that timing in tests stays honest on a small machine. */
const CONCURRENCY = 2
const CHECK_DEADLINE_MS = 600_000

const root = join(import.meta.dirname, '..')
const preload = join(import.meta.dirname, 'print-handles.ts')

export function deadlineMsOf(source: string): number {
  const seconds = /^\/\/ deadline: (\d+)s\s*$/m.exec(source.split('\n', 1)[0] ?? '')?.[1]
  return seconds === undefined ? DEFAULT_DEADLINE_MS : Number(seconds) * 1000
}

/** A filter is a path, or the beginning of one, or any part of one. */
export function matches(file: string, filters: string[]): boolean {
  return filters.length === 0 || filters.some((filter) => file.includes(filter.replace(/^\.\//, '')))
}

function findTests(filters: string[]): string[] {
  const folder = join(root, 'test')
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => `test/${path.replaceAll('\\', '/')}`)
    .filter((path) => /\.test\.[jt]s$/.test(path) && matches(path, filters))
    .sort()
}

function report(mark: string, name: string, result: { text: string; durationMs: number }): void {
  console.log(
    `${mark.padEnd(4)} ${name.padEnd(52)} ${result.text.padEnd(24)} ${(result.durationMs / 1000).toFixed(2)} s`,
  )
}

async function runTestFile(file: string): Promise<Counts> {
  const deadlineMs = deadlineMsOf(readFileSync(join(root, file), 'utf8'))
  const run = await runNode({ args: ['--import', preload, file], cwd: root, deadlineMs })
  const verdict = judge(run)
  report(verdict.failed === 0 ? 'ok' : 'FAIL', file, { text: summaryLine(verdict), durationMs: run.durationMs })
  if (verdict.failed > 0) {
    if (run.output !== '') console.log(run.output.trimEnd())
    for (const problem of verdict.problems) {
      console.log(`FAIL ${file}: ${problem}${run.hung ? ` (deadline ${deadlineMs / 1000} s)` : ''}`)
    }
  }
  return verdict
}

async function runAll(files: string[], concurrency: number): Promise<Counts[]> {
  const queue = [...files]
  const counts: Counts[] = []
  const lane = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) counts.push(await runTestFile(file))
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  return counts
}

async function passes(name: string): Promise<boolean> {
  const run = await runNode({ args: [`scripts/${name}.ts`], cwd: root, deadlineMs: CHECK_DEADLINE_MS })
  const isGood = run.exitCode === 0 && !run.hung
  report(isGood ? 'ok' : 'FAIL', name, { text: '', durationMs: run.durationMs })
  if (!isGood || process.stdout.isTTY) process.stdout.write(run.output)
  return isGood
}

async function main(): Promise<Counts> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { full: { type: 'boolean', default: false }, jobs: { type: 'string', default: String(CONCURRENCY) } },
  })
  const total: Counts = { passed: 0, failed: 0, skipped: 0 }
  if (values.full && !(await passes('build'))) return { ...total, failed: 1 }
  if (values.full && !(await passes('check'))) total.failed += 1

  const files = findTests(positionals)
  const isProcessTest = (file: string): boolean => file.startsWith('test/process/')
  const shared = await runAll(
    files.filter((file) => !isProcessTest(file)),
    Math.max(1, Number(values.jobs) || CONCURRENCY),
  )
  // Alone: they start clusters, take ports and measure time.
  const alone = await runAll(files.filter(isProcessTest), 1)
  for (const counts of [...shared, ...alone]) {
    total.passed += counts.passed
    total.failed += counts.failed
    total.skipped += counts.skipped
  }
  return total
}

if (import.meta.main) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      killAll()
      process.exit(130)
    })
  }
  const total = await main()
  console.log(summaryLine(total))
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
}
