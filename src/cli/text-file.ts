// A file that was named on the command line, as text. What cannot be read says so as any other file does: not there, or not allowed.
import { readFileSync } from 'node:fs'
import { fileError, hasSystemCode } from '../platform/file-error.ts'
import { ChatError } from '../protocol/errors.ts'

/** FILE_UNKNOWN, FILE_DENIED; USAGE for a directory. */
export const readTextFile = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (hasSystemCode(cause, 'EISDIR')) throw new ChatError('USAGE', { message: `${path} is a directory; name a file` })
    throw fileError(path, cause)
  }
}
