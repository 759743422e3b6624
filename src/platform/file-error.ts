// What a system's error about a file means to a user.
import { ChatError } from '../protocol/errors.ts'

export const hasSystemCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code))

/** FILE_UNKNOWN, FILE_DENIED, else DATA_DIRECTORY; a ChatError as it is. */
export const fileError = (path: string, cause: unknown): ChatError => {
  if (cause instanceof ChatError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  const code = hasSystemCode(cause, 'ENOENT', 'ENOTDIR')
    ? 'FILE_UNKNOWN'
    : hasSystemCode(cause, 'EACCES', 'EPERM', 'EROFS', 'ELOOP')
      ? 'FILE_DENIED'
      : 'DATA_DIRECTORY'
  return new ChatError(code, { message: `${path} cannot be used (${reason})`, cause })
}
