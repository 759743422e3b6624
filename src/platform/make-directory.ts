// Makes a directory with its parents, one by one: Node's own recursive mkdir never ends in a file system that takes no directories (/proc).
import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/** Throws the system's error; nothing happens when the directory is there already. New directories get 0700. */
export const makeDirectory = (path: string): void => {
  if (existsSync(path)) return
  makeDirectory(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (!existsSync(path)) throw error // else another process made it meanwhile
  }
}
