// The client's database: batches follow one another, what is put is read at once, and nothing resolves before it is written.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LocalStore } from '../../src/client/local-store.ts'
import { MemoryDatabase } from '../../src/platform/memory-database.ts'
import { type DatabaseWrite, silentLogger } from '../../src/platform/ports.ts'
import { systemClock } from '../../src/platform/system.ts'
import { eventually } from '../eventually.ts'

const key = (text: string): Buffer => Buffer.from(text)

/** Takes a while for each batch, and fails those it is told to. */
class SlowDatabase extends MemoryDatabase {
  readonly batches: { keys: string[]; sync: boolean }[] = []
  running = 0
  mostRunning = 0
  failures = 0

  override async batch(writes: DatabaseWrite[], options: { sync: boolean }): Promise<void> {
    this.running += 1
    this.mostRunning = Math.max(this.mostRunning, this.running)
    await new Promise((resolve) => setTimeout(resolve, 5))
    this.running -= 1
    if (this.failures-- > 0) throw new Error('disk full')
    this.batches.push({ keys: writes.map((write) => String(write.key)), sync: options.sync })
    await super.batch(writes, options)
  }
}
const makeStore = (): { store: LocalStore; database: SlowDatabase } => {
  const database = new SlowDatabase()
  const clock = { ...systemClock, after: (ms: number, call: () => void) => systemClock.after(ms / 100, call) }
  return { store: new LocalStore({ database, clock, log: silentLogger }), database }
}

const stores = suite('local store')

stores('what one turn puts is one batch, with fsync if anything in it needs one', async () => {
  const { store, database } = makeStore()
  store.put(key('a'), key('1'))
  const plain = store.commit({ sync: false })
  store.put(key('b'), key('2'))
  await Promise.all([plain, store.commit({ sync: true })])
  assert.equal(database.batches, [{ keys: ['a', 'b'], sync: true }])
})

stores('what is put is read before it is written, and a deletion too', async () => {
  const { store, database } = makeStore()
  store.put(key('a'), key('1'))
  assert.is(String(store.get(key('a'))), '1')
  assert.is(database.get(key('a')), undefined)
  await store.commit({ sync: false })
  store.put(key('a'), undefined)
  assert.not(store.has(key('a')))
  await store.commit({ sync: false })
  assert.is(database.get(key('a')), undefined)
})

stores('batches never overlap, though the last moment puts more', async () => {
  const { store, database } = makeStore()
  let changed = false
  store.beforeWrite = () => {
    if (changed) store.put(key('state'), key('x'))
    changed = false
  }
  for (let i = 0; i < 20; i += 1) {
    changed = true
    store.put(key(`k${i}`), key('1'))
    const rows = await store.range({ gte: key('k'), lt: key('l') })
    assert.is(rows.length, i + 1)
  }
  assert.is(database.mostRunning, 1)
  assert.ok(database.batches.every(({ keys }) => keys.length === 2))
})

stores('a batch that fails is written later, in its place, and said meanwhile', async () => {
  const { store, database } = makeStore()
  database.failures = Number.POSITIVE_INFINITY
  store.put(key('a'), key('1'))
  const first = store.commit({ sync: true })
  await eventually(() => store.problem)
  assert.match(store.problem ?? '', /disk full/)
  database.failures = 0
  store.put(key('b'), key('2'))
  await store.commit({ sync: true })
  await first
  assert.equal(
    database.batches.map(({ keys }) => keys),
    [['a'], ['b']],
  )
  assert.is(store.problem, undefined)
})

stores(
  'a disk that takes nothing keeps no program from ending, and nobody is told that something was written',
  async () => {
    const { store, database } = makeStore()
    database.failures = Number.POSITIVE_INFINITY
    store.put(key('a'), key('1'))
    let isTold = false
    void store.commit({ sync: true }).then(() => (isTold = true))
    await store.close()
    assert.is(isTold, false)
    assert.equal(database.batches, [])
  },
)

stores.run()
