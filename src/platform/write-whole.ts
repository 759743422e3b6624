// Small files that are written whole or not at all, also where the disk is full or the power goes: beside their place, synced, then
// renamed. They are their owner's only.
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const PRIVATE = 0o600

/** In place of what is there. Returns once it is on disk; throws the system's error, and then the file is as it was. */
export const writeWhole = (path: string, content: string | Uint8Array): void => {
  const fresh = `${path}.${process.pid}.new`
  writeSynced(fresh, content, 'w')
  renameSync(fresh, path)
  syncDirectory(dirname(path))
}

/** The same of a file that must not be there: EEXIST. */
export const writeNew = (path: string, content: string | Uint8Array): void => {
  writeSynced(path, content, 'wx')
  syncDirectory(dirname(path))
}

/** Nothing is left of it when it fails. */
const writeSynced = (path: string, content: string | Uint8Array, flags: 'w' | 'wx'): void => {
  const file = openSync(path, flags, PRIVATE)
  try {
    writeFileSync(file, content) // all of it: writeSync may write less than that on a full disk, and call it success
    fsyncSync(file)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}

const syncDirectory = (path: string): void => {
  let directory: number
  try {
    directory = openSync(path, 'r')
  } catch {
    return // one that may be written and not read, or a system that syncs no directories
  }
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
