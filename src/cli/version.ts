// The version of this package, from its package.json; the same from sources and from the built program.
import { readFileSync } from 'node:fs'

export const packageVersion = (): string => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return String((JSON.parse(text) as { version: string }).version) // our own file
}
