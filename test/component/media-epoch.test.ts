// A media home answers nobody at an epoch that is not on its disk yet, however many ask at once.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { KeyedLock } from '../../src/node/core/keyed-lock.ts'
import { enterEpoch, type MediaContext } from '../../src/node/media/media-context.ts'
import { MediaIndex } from '../../src/node/media/media-index.ts'
import { MemoryBlobs } from '../../src/platform/memory-blobs.ts'
import { MemoryDisk } from '../../src/platform/memory-disk.ts'
import { silentLogger } from '../../src/platform/ports.ts'
import { systemClock } from '../../src/platform/system.ts'
import { MemoryNetwork } from '../memory-transport.ts'
import { Stores } from '../store-fixture.ts'

const test = suite<{ stores: Stores }>('media epoch')
test.before.each(async (context) => {
  context.stores = await Stores.start({ stores: ['store-1'] })
})
test.after.each(({ stores }) => stores.stop())

test('a second request of a new epoch is answered after the fsync, too', async ({ stores }) => {
  const end = new AbortController()
  let onDisk: Promise<void> = Promise.resolve()
  const disk = new MemoryDisk({ settle: () => onDisk })
  const ports = { clock: systemClock, log: silentLogger }
  const index = new MediaIndex({ ...ports, disk, isAlone: () => true, reopenEveryMs: 10 })
  await index.open(end.signal)
  const context: MediaContext = {
    ...ports,
    transport: new MemoryNetwork().transport('store-1'),
    view: stores.view('store-1'),
    blobs: new MemoryBlobs(),
    index,
    lock: new KeyedLock(),
    unpinnedMs: 1,
    wanted: () => {},
  }
  const { epoch } = context.view.current().map
  const fsync = Promise.withResolvers<void>()
  onDisk = fsync.promise
  const answered: number[] = []
  const requests = [1, 2].map((request) => enterEpoch(context, epoch).then(() => answered.push(request)))
  await new Promise(setImmediate)
  assert.equal(answered, [])
  fsync.resolve()
  await Promise.all(requests)
  assert.is(index.facts.epoch, epoch)
  await index.close()
})

test.run()
