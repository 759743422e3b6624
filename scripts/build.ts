// Compiles src/ to dist/. It compiles into a folder beside dist/ and swaps the two at the end, so that nothing stale
// stays, and a program or a test that starts meanwhile never sees half a build.
// It must not check anything but types: that is scripts/check.ts.

import { spawnSync } from 'node:child_process'
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const tsc = join(root, 'node_modules/typescript/bin/tsc')
const fresh = join(root, `.build-${process.pid}`)
const old = join(root, `.build-${process.pid}-old`)
const dist = join(root, 'dist')

const { status } = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.json'), '--outDir', fresh], {
  stdio: 'inherit',
})
if (status === 0) swap()
else rmSync(fresh, { recursive: true, force: true })
process.exitCode = status ?? 1

function swap(): void {
  try {
    renameSync(dist, old)
  } catch (error) {
    // The first build has nothing to put aside.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  renameSync(fresh, dist)
  rmSync(old, { recursive: true, force: true })
}
