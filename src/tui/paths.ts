// Paths as people type them in a command: `~` is the home, a backslash keeps a space. And what completes one.
import { readdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'

const MAX_CANDIDATES = 50

/** A path, in which a backslash or quotes of either kind keep spaces, and the text behind it as it stands. */
export const pathAndText = (typed: string): [path: string, text: string] | undefined => {
  const found = /^\s*(?:"([^"]*)"|'([^']*)'|((?:\\.|[^\s\\])+))(?=\s|$)/.exec(typed)
  if (!found) return undefined
  const [whole, double, single, bare = ''] = found
  return [double ?? single ?? unescaped(bare), typed.slice(whole.length).trim()]
}

const unescaped = (text: string): string => text.replace(/\\(.)/g, '$1')
const escaped = (text: string): string => text.replace(/[\s\\"']/g, '\\$&')

/** The path that is being written at the end of `typed`, if it is one still: quotes of it are open. */
export const pathInProgress = (typed: string): string | undefined =>
  /^(?:"[^"]*|'[^']*|(?!["'])(?:\\.|[^\s\\])*)$/.exec(typed)?.[0]

/** The quote that a path begins with, and what it says. */
const opened = (typed: string): { quote: string; path: string } => {
  const [quote] = /^["']?/.exec(typed) ?? ['']
  return { quote, path: quote === '' ? unescaped(typed) : typed.slice(1) }
}
/** A name that has the quote in it can only be written without. A directory goes on, so its quotes stay open. */
const written = (path: string, { quote, isDirectory }: { quote: string; isDirectory: boolean }): string => {
  const whole = path + (isDirectory ? '/' : '')
  if (quote === '' || path.includes(quote)) return escaped(whole)
  return quote + whole + (isDirectory ? '' : quote)
}

export const absolutePath = (path: string): string => {
  const whole = path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
  return isAbsolute(whole) ? whole : resolve(whole)
}

/** What `typed` may go on as, written as it would be typed; directories end with a slash. Hidden files only when asked for. */
export const pathCandidates = async (typed: string): Promise<string[]> => {
  const { quote, path } = opened(typed)
  const isWithin = path === '' || path.endsWith('/')
  const shown = isWithin ? path : path.slice(0, path.lastIndexOf('/') + 1)
  const start = path.slice(shown.length)
  const directory = absolutePath(isWithin ? path || '.' : dirname(path))
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  return entries
    .filter(({ name }) => name.startsWith(start) && (start.startsWith('.') || !name.startsWith('.')))
    .map((entry) => written(shown + entry.name, { quote, isDirectory: entry.isDirectory() }))
    .sort()
    .slice(0, MAX_CANDIDATES)
}
