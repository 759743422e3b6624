// The profile's database on disk. Whoever holds it owns the profile: LevelDB's lock falls with its process, however that ends.
import { ChatError } from '../protocol/errors.ts'
import { dataDirectoryError } from '../platform/data-directory.ts'
import { openLevelDatabase } from '../platform/level-database.ts'
import type { Database } from '../platform/ports.ts'

const LOCKED = /LEVEL_LOCKED|already held by process|Resource temporarily unavailable/

const isLocked = (error: unknown): boolean => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (LOCKED.test(`${'code' in cause ? String(cause.code) : ''} ${cause.message}`)) return true
  }
  return false
}

/** undefined when another process has it. DATA_DIRECTORY when it cannot be opened at all. */
export const tryOpenStorage = async (path: string): Promise<Database | undefined> => {
  try {
    return await openLevelDatabase(path)
  } catch (error) {
    if (isLocked(error)) return undefined
    const { message } = dataDirectoryError(path, error)
    throw new ChatError('DATA_DIRECTORY', { message, cause: error })
  }
}
