// The Disk port on a directory: LevelDB databases and markers in it, and a reserve of space.
// The reserve is given up when a database cannot be opened on a full disk, and made again before anybody may write.

import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { claimDataDirectory, dataDirectoryError } from './data-directory.ts'
import { openFileMarker } from './file-marker.ts'
import { openLevelDatabase } from './level-database.ts'
import type { Database, Disk } from './ports.ts'

/** On opening LevelDB writes what its log holds, up to 4 MiB, into a table; besides that it needs a manifest and a new log. */
const RESERVE_BYTES = 6 * 1024 * 1024
/** The next log and the table that it becomes. With less a write would fail again in a moment. */
const ROOM_BYTES = 8 * 1024 * 1024
/** On a disk with less than this a reserve would only be in the way. */
const MIN_FREE_BYTES = 2 * 1024 * 1024
const RESERVE_FILE = 'reserve'

/** A disk in the directory `dir`, which it claims on first use. Every failure is DATA_DIRECTORY with what to do. */
export const fileDisk = (dir: string): Disk => ({
  openDatabase: async (name) => {
    try {
      claimDataDirectory(dir)
      makeReserve(dir)
      return await openWithReserve(dir, name)
    } catch (error) {
      throw dataDirectoryError(dir, error)
    }
  },
  openMarker: async (name) => {
    try {
      claimDataDirectory(dir)
      return openFileMarker(join(dir, `${name}.marker`))
    } catch (error) {
      throw dataDirectoryError(dir, error)
    }
  },
  hasRoom: async () => makeReserve(dir) && freeBytes(dir) >= ROOM_BYTES,
})

const freeBytes = (dir: string): number => {
  const { bavail, bsize } = statfsSync(dir)
  return bavail * bsize
}

const openWithReserve = async (dir: string, name: string): Promise<Database> => {
  try {
    return await openLevelDatabase(join(dir, name))
  } catch (error) {
    if (!isDiskFull(error) || !existsSync(join(dir, RESERVE_FILE))) throw error
    rmSync(join(dir, RESERVE_FILE))
    return openLevelDatabase(join(dir, name))
  }
}

const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && (/No space left|ENOSPC/.test(error.message) || isDiskFull(error.cause))

/** True when the reserve is there; smaller on a small disk. A half-written one is removed: it would only take the last space. */
const makeReserve = (dir: string): boolean => {
  const path = join(dir, RESERVE_FILE)
  if (existsSync(path)) return true
  const free = freeBytes(dir)
  if (free < MIN_FREE_BYTES) return false
  try {
    writeFileSync(path, Buffer.alloc(Math.min(RESERVE_BYTES, Math.floor(free / 2))), { mode: 0o600 })
    return true
  } catch {
    rmSync(path, { force: true })
    return false
  }
}
