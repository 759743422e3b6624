// The end of every generator of a document: writes it, or with --check fails when the one that is there differs.
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'

/** `path` of a file under docs/; absent counts as different. */
export const writeOrCheck = (path: string, text: string): void => {
  if (!process.argv.includes('--check')) return writeFileSync(path, text)
  let present = ''
  try {
    present = readFileSync(path, 'utf8')
  } catch {
    // absent
  }
  if (present === text) return
  console.error(`docs/${basename(path)} is not current; run npm run docs`)
  process.exit(1)
}
