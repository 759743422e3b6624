// The database of a media home as it is opened: what is wrong with it, and what of that its operator is told.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { MediaIndex } from '../../src/node/media/media-index.ts'
import { blobKey } from '../../src/node/media/rows.ts'
import { toUtf8 } from '../../src/protocol/bytes.ts'
import { MemoryDisk } from '../../src/platform/memory-disk.ts'
import { silentLogger } from '../../src/platform/ports.ts'
import { systemClock } from '../../src/platform/system.ts'
import { codeOf } from './media-world.ts'

const test = suite('media index')

test('damaged rows on a full disk: it says that there is no room, and opens when there is', async () => {
  const disk = new MemoryDisk()
  const end = new AbortController()
  const open = async (): Promise<MediaIndex> => {
    const index = new MediaIndex({
      clock: systemClock,
      log: silentLogger,
      disk,
      isAlone: () => true,
      reopenEveryMs: 10,
    })
    await index.open(end.signal).catch(async (error: unknown) => {
      await index.close()
      throw error
    })
    return index
  }
  await (await open()).close()
  disk.tamper('media', (data) => data.apply([{ key: blobKey('0'.repeat(64)), value: toUtf8('no row') }]))
  disk.full = true
  assert.is(await codeOf(open()), 'BLOB_FULL')
  disk.full = false
  const index = await open()
  assert.is(index.facts.condition, 'up')
  await index.close()
  end.abort()
})

test.run()
