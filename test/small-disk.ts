// A real file system that fills up: a tmpfs of so many MB in a directory of its own. Mounting takes a right that not everybody has.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** False where nobody may mount. */
export const mountSmall = (dir: string, options: string): boolean => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export interface SmallDisk {
  dir: string
  /** Says so, and a test passes over it, when it is not. */
  isMounted: boolean
  remove: () => void
}
export const smallDisk = (prefix: string, megabytes: number): SmallDisk => {
  const dir = mkdtempSync(join(tmpdir(), prefix))
  const isMounted = mountSmall(dir, `size=${megabytes}m`)
  const remove = (): void => {
    if (isMounted) execFileSync('umount', ['-l', dir])
    rmSync(dir, { recursive: true, force: true })
  }
  return { dir, isMounted, remove }
}
