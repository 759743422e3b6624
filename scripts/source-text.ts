// Reads TypeScript as text, for the checks: TypeScript 7 has no compiler API. Finds files, blanks comments and strings,
// lists imports. It is a lexer of what these checks need, not a parser, and must not grow into one.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Source = { path: string; text: string }
export type Import = { specifier: string; line: number; isDynamic: boolean }

// In this order: comments, strings, regular expressions (a slash where a value may begin), all kept on their lines.
const TOKENS =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|(?<=(?:^|[=(,:;[!&|?{}]|=>|\breturn)\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/gm

export function readSources(root: string, folder: string): Source[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => /\.(ts|tsx|js)$/.test(path))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** The text with comments blanked, and with `strings: true` also the insides of strings; every line stays where it is. */
export function blank(text: string, options: { strings: boolean }): string {
  return text.replace(TOKENS, (token) => {
    const isComment = token.startsWith('//') || token.startsWith('/*')
    if (!isComment && !options.strings && !token.startsWith('/')) return token
    const inside = token.slice(1, -1).replace(/[^\n]/g, ' ')
    return isComment ? ` ${inside} `.slice(0, token.length) : `${token[0]}${inside}${token.at(-1)}`
  })
}

/** Every module that the text names: import, export from, import() and require(), of types as well. */
export function importsOf(text: string): Import[] {
  const code = blank(text, { strings: false })
  const statements = /(?:^|[;}\n])\s*(?:import|export)\b(?:[\w$\s{},*]*?\bfrom)?\s*(['"])([^'"\n]+)\1/g
  const calls = /\b(?:import|require)\s*\(\s*(['"`])([^'"`\n]+)\1/g
  const list = (pattern: RegExp, isDynamic: boolean): Import[] =>
    [...code.matchAll(pattern)].map((match) => ({
      specifier: match[2] ?? '',
      line: lineAt(code, match.index + match[0].length),
      isDynamic,
    }))
  return [...list(statements, false), ...list(calls, true)]
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
