// What a system's error about a file means to a user.
import { ChatError, type ErrorCode } from '../protocol/errors.ts'

export const hasSystemCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))

const meanings: [meaning: ErrorCode, codes: string[]][] = [
  ['FILE_UNKNOWN', ['ENOENT', 'ENOTDIR']],
  ['FILE_DENIED', ['EACCES', 'EPERM', 'EROFS', 'ELOOP']],
  ['USAGE', ['EISDIR']],
]

/** `ENOENT: no such file or directory, stat '/a'` without what says it to programmers; the path is named already. */
const plainReason = (cause: unknown): string =>
  cause instanceof Error ? cause.message.replace(/^E[A-Z\d]+: ([^,]+), \w+( .*)?$/s, '$1') : String(cause)

/** FILE_UNKNOWN, FILE_DENIED, USAGE where a directory is and no file, else DATA_DIRECTORY; a ChatError as it is. */
export const fileError = (path: string, cause: unknown): ChatError => {
  if (cause instanceof ChatError) return cause
  const [code = 'DATA_DIRECTORY'] = meanings.find(([, codes]) => hasSystemCode(cause, ...codes)) ?? []
  return new ChatError(code, { message: `${path} cannot be used (${plainReason(cause)})`, cause })
}
