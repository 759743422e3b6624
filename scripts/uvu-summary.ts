// Reads the counts that uvu prints at the end of a test file, and judges a finished file by them.
// Pure: it starts nothing and prints nothing. A file that proves nothing (no tests, no summary) is a failure.

import { stripVTControlCharacters } from 'node:util'

export type Counts = { passed: number; failed: number; skipped: number }
export type Ending = { output: string; exitCode: number | null; hung: boolean }
export type Verdict = Counts & { problems: string[] }

// The four lines, at the start of a line and in this order; a failing test that quotes them is indented deeper.
const SUMMARY = /^ {2}Total: {5}(\d+)\n {2}Passed: {4}(\d+)\n {2}Skipped: {3}(\d+)\n {2}Duration: /gm

export function parseSummaries(output: string): Counts[] {
  const plain = stripVTControlCharacters(output).replaceAll('\r\n', '\n')
  return [...plain.matchAll(SUMMARY)].map(([, total, passed, skipped]) => ({
    passed: Number(passed),
    failed: Number(total) - Number(passed),
    skipped: Number(skipped),
  }))
}

/** What a test file is worth: its own counts, and one more failure for what its counts cannot show. */
export function judge({ output, exitCode, hung }: Ending): Verdict {
  const summaries = parseSummaries(output)
  // uvu runs what is queued on the next timer: an `await` between two `.run()` makes it run, and print, twice.
  const counts = summaries.at(-1) ?? { passed: 0, failed: 0, skipped: 0 }
  const problems: string[] = []
  if (hung) problems.push(summaries.length > 0 ? 'hung after its tests had ended' : 'hung')
  else if (summaries.length === 0) problems.push(`printed no summary (exit code ${exitCode})`)
  else if (summaries.length > 1) problems.push('printed more than one summary (an await between two .run()?)')
  else if (counts.passed + counts.failed === 0) problems.push('ran no test')
  else if (exitCode !== 0 && counts.failed === 0) problems.push(`every test passed, but exit code ${exitCode}`)
  return { ...counts, failed: counts.failed + (problems.length > 0 ? 1 : 0), problems }
}

export function summaryLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
