// LevelDB on a file system of 24 MB that fills up, for real: what is acknowledged after there is room again is there after a restart.
// Needs the right to mount a tmpfs; says so and passes over it elsewhere.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { openLevelDatabase } from '../../src/platform/level-database.ts'
import { systemRandom } from '../../src/platform/system.ts'
import { eventually } from '../eventually.ts'
import { smallDisk } from '../small-disk.ts'

const test = suite('LevelDB on a full disk')
const { dir, isMounted, remove } = smallDisk('chatd-level-', 24)
test.after(remove)

const text = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString()

test('what is written after a write that broke off outlives a restart, and what was before it too', async () => {
  if (!isMounted) return console.log('skipped: this user may not mount a tmpfs')
  const path = join(dir, 'db')
  const database = await openLevelDatabase(path)
  const put = (key: string, value: Uint8Array): Promise<void> =>
    database.batch([{ key: Buffer.from(key), value }], { sync: true })
  const isTaken = (key: string, value: Uint8Array): Promise<boolean> =>
    put(key, value).then(
      () => true,
      () => false,
    )
  await put('before', Buffer.from('kept'))
  let ballast = 0
  try {
    for (; ; ballast++) writeFileSync(join(dir, `ballast-${ballast}`), Buffer.alloc(16 * 1024))
  } catch {
    // Full.
  }
  const large = systemRandom.bytes(200_000)
  assert.not(await isTaken('large', large))
  assert.not(await isTaken('small', Buffer.from('not yet')))
  for (; ballast >= 0; ballast--) rmSync(join(dir, `ballast-${ballast}`), { force: true })
  await eventually(() => isTaken('large', large))
  for (let number = 0; number < 20; number++) await put(`after-${number}`, Buffer.from(`text ${number}`))
  await database.close()
  const again = await openLevelDatabase(path)
  assert.is(text(again.get(Buffer.from('before'))), 'kept')
  assert.ok(Buffer.from(large).equals(again.get(Buffer.from('large')) ?? new Uint8Array()))
  for (let number = 0; number < 20; number++) {
    assert.is(text(again.get(Buffer.from(`after-${number}`))), `text ${number}`)
  }
  await again.close()
})

test.run()
