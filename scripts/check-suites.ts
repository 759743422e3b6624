// Finds tests that would never run: uvu silently skips, and exits 0 for, a suite without `.run()`; tests that are added
// after `.run()` are lost; a left-over `.only` hides all others; a `.test.tsx` cannot be run as it is.
// It covers test files and the conformance suites that they call. It must not judge what a test tests.

import { join } from 'node:path'
import { blank, lineAt, readSources, type Source } from './source-text.ts'

export function suiteErrors({ path, text }: Source): string[] {
  if (path.endsWith('.test.tsx'))
    return [`${path}: never runs: Node strips types but not JSX; call createElement in a .test.ts`]
  const imported = /import\s*\{([^}]*)\}\s*from\s*['"]uvu['"]/.exec(blank(text, { strings: false }))?.[1]
  if (imported === undefined) return []
  const code = blank(text, { strings: true })
  const names = localNames(imported)
  const errors: string[] = []
  const complain = (index: number, what: string): number => errors.push(`${path}:${lineAt(code, index)}: ${what}`)

  const suiteName = names.get('suite')
  const declared = suiteName === undefined ? [] : declarations(code, { suiteName, complain })
  const testName = names.get('test')
  if (testName !== undefined) declared.push({ name: testName, index: 0 })
  if (declared.length === 0) errors.push(`${path}: imports uvu and makes no suite`)

  for (const name of new Set(declared.map((one) => one.name))) {
    const made = declared.filter((one) => one.name === name)
    const runs = [...code.matchAll(new RegExp(`(?<![\\w$.])${escape(name)}\\s*\\.\\s*run\\s*\\(`, 'g'))]
    if (runs.length < made.length) {
      complain(
        made[runs.length]?.index ?? 0,
        `${name} is made ${made.length} times, and ${name}.run() is called ${runs.length} times`,
      )
      continue
    }
    const last = runs.at(-1)?.index ?? 0
    for (const call of code.slice(last).matchAll(new RegExp(`(?<![\\w$.])${escape(name)}\\s*\\(`, 'g'))) {
      complain(last + call.index, `a test is added to ${name} after its last .run()`)
    }
    for (const only of code.matchAll(new RegExp(`(?<![\\w$.])${escape(name)}\\s*\\.\\s*only\\s*\\(`, 'g'))) {
      complain(only.index, `${name}.only() hides the other tests`)
    }
  }
  return errors
}

/** What uvu's exports are called here: `suite as group` is group. */
function localNames(imported: string): Map<string, string> {
  return new Map(
    imported.split(',').flatMap((part): [string, string][] => {
      const [, name, alias] = /^\s*(\w+)(?:\s+as\s+([\w$]+))?\s*$/.exec(part) ?? []
      return name === undefined ? [] : [[name, alias ?? name]]
    }),
  )
}

function declarations(
  code: string,
  { suiteName, complain }: { suiteName: string; complain: (index: number, what: string) => void },
): { name: string; index: number }[] {
  const calls = [...code.matchAll(new RegExp(`(?<![\\w$.])${escape(suiteName)}\\s*(?:<[\\s\\S]*?>)?\\s*\\(`, 'g'))]
  return calls.flatMap((call) => {
    const before = code.slice(0, call.index)
    const name = /\b(?:const|let)\s+([\w$]+)\s*(?::[^=;]+)?=\s*$/.exec(before)?.[1]
    if (name !== undefined) return [{ name, index: call.index }]
    complain(call.index, `the result of ${suiteName}() needs a name, so that its .run() can be found`)
    return []
  })
}

function escape(name: string): string {
  return name.replaceAll('$', '\\$')
}

if (import.meta.main) {
  const errors = readSources(join(import.meta.dirname, '..'), 'test').flatMap(suiteErrors)
  for (const error of errors) console.error(error)
  process.exitCode = errors.length > 0 ? 1 : 0
}
