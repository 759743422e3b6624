// Small files on a file system of 1 MB that fills up, for real: the old content or the new, never a part of it.
// Needs the right to mount a tmpfs; says so and passes over it elsewhere.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Profile } from '../../src/client/profile.ts'
import { DataFiles } from '../../src/node/data-files.ts'
import { writeNew, writeWhole } from '../../src/platform/write-whole.ts'
import { hasCode } from '../../src/protocol/errors.ts'
import { smallDisk } from '../small-disk.ts'

const test = suite('files that are written whole')
const { dir, isMounted, remove } = smallDisk('chatd-whole-', 1)
test.after(remove)
/** Until as good as nothing is left. */
const fill = (): (() => void) => {
  let count = 0
  try {
    for (; ; count++) writeFileSync(join(dir, `ballast-${count}`), Buffer.alloc(16 * 1024))
  } catch {
    rmSync(join(dir, `ballast-${count}`), { force: true })
  }
  return () => {
    for (; count >= 0; count--) rmSync(join(dir, `ballast-${count}`), { force: true })
  }
}
const large = Buffer.alloc(200_000, 'x')

test('a cluster map that does not fit leaves the one that is there', () => {
  if (!isMounted) return console.log('skipped: this user may not mount a tmpfs')
  const files = new DataFiles(join(dir, 'node'))
  files.writeMap(Buffer.from('the map'))
  const empty = fill()
  try {
    files.writeMap(large)
    assert.unreachable()
  } catch (error) {
    assert.ok(hasCode(error, 'DATA_DIRECTORY'), String(error))
  }
  assert.is(String(files.map()), 'the map')
  empty()
  files.writeMap(large)
  assert.ok(files.map()?.equals(large))
  assert.equal(
    readdirSync(files.dir).filter((name) => name.endsWith('.new')),
    [],
  )
  rmSync(files.dir, { recursive: true })
})

test('what cannot be made leaves nothing, and nothing is made over what is there', () => {
  if (!isMounted) return console.log('skipped: this user may not mount a tmpfs')
  const path = join(dir, 'new')
  const empty = fill()
  assert.throws(() => writeNew(path, large), /ENOSPC/)
  assert.throws(() => statSync(path), /ENOENT/)
  empty()
  writeNew(path, 'first')
  assert.is(statSync(path).mode & 0o777, 0o600)
  assert.throws(() => writeNew(path, 'second'), /EEXIST/)
  assert.is(readFileSync(path, 'utf8'), 'first')
  writeWhole(path, 'third')
  assert.is(readFileSync(path, 'utf8'), 'third')
})

test('the key of a device is made once', () => {
  const profile = new Profile({ home: join(dir, 'home'), profile: 'alice' })
  assert.equal(profile.seed(), profile.seed())
  assert.equal(new Profile({ home: join(dir, 'home'), profile: 'alice' }).seed(), profile.seed())
})

test.run()
