// A store on a file system of 24 MB that fills up, for real: read-only, nothing lost, and back when there is room.
// Needs the right to mount a tmpfs; says so and passes over it elsewhere.

import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fileDisk } from '../../src/platform/file-disk.ts'
import { systemRandom } from '../../src/platform/system.ts'
import { eventually } from '../eventually.ts'
import { smallDisk } from '../small-disk.ts'
import { message, Stores } from '../store-fixture.ts'

const test = suite('store on a full disk')
const { dir, isMounted, remove } = smallDisk('chatd-full-', 24)
let stores: Stores | undefined
test.after(async () => {
  await stores?.stop()
  remove()
})

test('refuses writes, keeps answering, and loses nothing that it acknowledged', async () => {
  if (!isMounted) return console.log('skipped: this user may not mount a tmpfs')
  const data = join(dir, 'data')
  const running = await Stores.start({ disk: () => fileDisk(data) })
  stores = running
  const kept: ReturnType<typeof message>[] = []
  const append = async (): Promise<boolean> => {
    // Random, because LevelDB compresses: dots would make room by themselves.
    const write = message({ text: Buffer.from(systemRandom.bytes(15_000)).toString('base64') })
    const isStored = await running.append([write]).then(
      () => true,
      () => false,
    )
    if (isStored) kept.push(write)
    return isStored
  }
  writeFileSync(join(dir, 'ballast'), Buffer.alloc(8 * 1024 * 1024))
  while (await append());
  await eventually(() => running.store().status().state === 'read-only' && running.store().status().feed !== '')
  for (const write of kept) assert.ok(await running.has(write))
  assert.not(await append())
  rmSync(join(dir, 'ballast'))
  await eventually(() => running.store().status().state === 'up')
  assert.ok(existsSync(join(data, 'reserve')), 'the reserve is there again before anybody writes')
  assert.ok(await append())
  await running.stopStore()
  await running.startStore('store-1')
  for (const write of kept) assert.ok(await running.has(write))
  assert.is(running.store().status().state, 'up')
})

test.run()
