// The Database port: one suite on every implementation; and what survives on a file disk.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { claimDataDirectory } from '../../src/platform/data-directory.ts'
import { fileDisk } from '../../src/platform/file-disk.ts'
import { openFileMarker } from '../../src/platform/file-marker.ts'
import { openLevelDatabase } from '../../src/platform/level-database.ts'
import { MemoryDatabase } from '../../src/platform/memory-database.ts'
import { MemoryDisk } from '../../src/platform/memory-disk.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { databaseConformance } from '../conformance/database.ts'

const temporary = (): string => mkdtempSync(join(tmpdir(), 'chatd-store-'))
const remove = (path: string): void => rmSync(path, { recursive: true, force: true })

databaseConformance('LevelDB', () => {
  const path = temporary()
  return { open: () => openLevelDatabase(join(path, 'db')), cleanUp: () => remove(path) }
})
databaseConformance('memory', () => ({ open: async () => new MemoryDatabase() }))
databaseConformance('memory disk', () => ({ open: () => new MemoryDisk().openDatabase('db') }))

const disk = suite<{ dir: string }>('file disk')
disk.before.each((context) => {
  context.dir = temporary()
})
disk.after.each(({ dir }) => remove(dir))
/** Memory of this process that is not of files, touched or not. */
const dataBytes = (): number =>
  Number(/VmData:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1_024
const isRefused = (dir: string, pattern: RegExp): void => {
  assert.throws(
    () => claimDataDirectory(dir),
    (error: unknown) => error instanceof ChatError && error.code === 'DATA_DIRECTORY' && pattern.test(error.message),
  )
}

disk('makes private directories and keeps data', async ({ dir }) => {
  const path = join(dir, 'new', 'data')
  const first = await fileDisk(path).openDatabase('db')
  await first.batch([{ key: Buffer.from('k'), value: Buffer.from('v') }], { sync: true })
  await first.close()
  const again = await fileDisk(path).openDatabase('db')
  assert.is(String(again.get(Buffer.from('k'))), 'v')
  await again.close()
  assert.is(statSync(path).mode & 0o777, 0o700)
})

disk('refuses foreign directories and files, and says what to do', ({ dir }) => {
  writeFileSync(join(dir, 'thesis.txt'), 'mine')
  isRefused(dir, /thesis\.txt.*choose an empty one/)
  isRefused(join(dir, 'thesis.txt'), /it is a file|cannot be made/)
})

disk('two processes cannot have one database', async ({ dir }) => {
  const held = await fileDisk(dir).openDatabase('db')
  try {
    await fileDisk(dir).openDatabase('db')
    assert.unreachable()
  } catch (error) {
    assert.ok(error instanceof ChatError && error.code === 'DATA_DIRECTORY')
    assert.match(error.message, /another process/)
  } finally {
    await held.close()
  }
})

disk('the marker survives one torn slot, and knows a clean end', ({ dir }) => {
  const path = join(dir, 'marker')
  const first = openFileMarker(path)
  assert.is(first.read(), undefined)
  assert.ok(first.wasClosedCleanly())
  for (const batch of [1, 2, 3]) first.write(batch)
  const dirty = openFileMarker(path)
  assert.is(dirty.read(), 3)
  assert.not(dirty.wasClosedCleanly())
  dirty.write(4)
  dirty.close()
  const bytes = readFileSync(path)
  bytes[2 * 32 - 1] = (bytes[2 * 32 - 1] ?? 0) ^ 1
  writeFileSync(path, bytes)
  const torn = openFileMarker(path)
  assert.ok(torn.wasClosedCleanly())
  assert.is(torn.read(), 3)
  torn.write(5)
  assert.is(openFileMarker(path).read(), 5)
})

// What an iterator of LevelDB reserves is its own until it is collected as garbage: 64 KiB for each that asks for 1,000 rows.
disk('ranges of few rows hold little memory', async ({ dir }) => {
  if (process.platform !== 'linux') return
  const database = await openLevelDatabase(join(dir, 'db'))
  await database.batch([{ key: Buffer.from('k'), value: Buffer.from('v') }], { sync: false })
  const before = dataBytes()
  for (let i = 0; i < 1_000; i++) await database.range({ gte: Buffer.from('a'), lt: Buffer.from('z') })
  const grown = dataBytes() - before
  await database.close()
  assert.ok(grown < 24 * 2 ** 20, `${grown} bytes`)
})

disk.run()
