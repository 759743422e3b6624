// A file that was named on the command line, as text. What cannot be read says so as any other file does: not there, or not allowed.
import { readFileSync } from 'node:fs'
import { fileError } from '../platform/file-error.ts'

/** FILE_UNKNOWN, FILE_DENIED; USAGE for a directory. */
export const readTextFile = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw fileError(path, cause)
  }
}
