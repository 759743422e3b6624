// Homes that stop, crash, lose data, run out of disk: what they know about themselves afterwards, and what they refuse.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { MemoryDatabase } from '../../src/platform/memory-database.ts'
import { MemoryDisk } from '../../src/platform/memory-disk.ts'
import { armMutant } from '../../src/platform/mutants.ts'
import { type ErrorCode, hasCode } from '../../src/protocol/errors.ts'
import { splitKeys } from '../../src/protocol/records.ts'
import { ledgerInspect, storeAudit, storeCertificates, storeSeen, storeUnsubscribe } from '../../src/protocol/rpc.ts'
import { CommitQueue } from '../../src/node/store/commit-queue.ts'
import type { BatchLog } from '../../src/node/store/batch-log.ts'
import type { FeedNumbers } from '../../src/node/store/feed-numbers.ts'
import type { Database, Marker } from '../../src/platform/ports.ts'
import { systemClock } from '../../src/platform/system.ts'
import { eventually } from '../eventually.ts'
import { message, Stores, type StoresOptions } from '../store-fixture.ts'

const test = suite<{ stores: Stores; start: (options?: StoresOptions) => Promise<Stores> }>('store recovery')
test.before.each((context) => {
  context.start = async (options) => {
    context.stores = await Stores.start(options)
    return context.stores
  }
})
test.after.each(async ({ stores }) => {
  armMutant(undefined)
  await stores.stop()
})
const failsWith = async (promise: Promise<unknown>, ...codes: ErrorCode[]): Promise<void> => {
  const error: unknown = await promise.then(() => undefined).catch((cause: unknown) => cause)
  assert.ok(hasCode(error, ...codes), `${codes.join(' or ')} was expected: ${String(error)}`)
}
/** All keys of one prefix in a disk's database. */
const keysOf = (data: MemoryDatabase, prefix: string): Buffer[] =>
  data.select({ gte: Buffer.from(prefix), lt: Buffer.from(String.fromCharCode(prefix.charCodeAt(0) + 1)) })
const namesOf = (keys: Uint8Array): string[] => splitKeys(keys).map((key) => key.toString('hex'))

test('after a power cut everything acknowledged is there, under the same feed, and numbering goes on', async ({
  start,
}) => {
  const stores = await start()
  const writes = Array.from({ length: 40 }, () => message())
  for (const write of writes) await stores.append([write])
  const before = await stores.subscribe('bob')
  const unacknowledged = stores.append([message()]).catch(() => {})
  stores.crash()
  await unacknowledged
  await stores.startStore('store-1')
  assert.is(stores.store().status().state, 'up')
  for (const write of writes) assert.ok(await stores.has(write))
  const next = message()
  await stores.append([next])
  const page = await stores.subscribe('bob', { cursor: { feed: before.feed, number: before.to } })
  assert.is(page.feed, before.feed)
  assert.ok(namesOf(page.keys).includes(next.key.toString('hex')))
})

test('an acknowledgement before the fsync is a lost message: the mutant is seen', async ({ start }) => {
  const stores = await start()
  armMutant('ack-before-fsync')
  const write = message()
  await stores.append([write])
  armMutant(undefined)
  stores.crash()
  await stores.startStore('store-1')
  assert.not(await stores.has(write))
})

test('feed numbers used twice hide messages from cursors: the mutant is seen', async ({ start }) => {
  const stores = await start()
  for (let n = 0; n < 5; n++) await stores.append([message()])
  const { feed, to } = await stores.subscribe('bob')
  armMutant('feed-number-reused')
  await stores.stopStore()
  await stores.startStore('store-1')
  const hidden = message()
  await stores.append([hidden])
  const page = await stores.subscribe('bob', { cursor: { feed, number: to } })
  assert.not(namesOf(page.keys).includes(hidden.key.toString('hex')))
})

test('a lost batch is found at start; a single home then answers reads and takes no writes until the loss is accepted', async ({
  start,
}) => {
  const stores = await start()
  const kept = message()
  await stores.append([kept])
  const { feed } = stores.store().status()
  await stores.append([message()])
  stores.crash()
  stores.disk('store-1').tamper('messages', (data) => {
    const last = keysOf(data, 'S').at(-1)
    if (last) data.apply([{ key: last, value: undefined }])
  })
  await stores.startStore('store-1')
  const status = stores.store().status()
  assert.is(status.state, 'read-only')
  assert.is.not(status.feed, feed)
  assert.ok(await stores.has(kept))
  assert.is((await stores.subscribe('bob')).from, 0)
  await failsWith(stores.append([message()]), 'STORE_READ_ONLY')
  await stores.stopStore()
  await stores.startStore('store-1')
  await failsWith(stores.append([message()]), 'STORE_READ_ONLY')
  await stores.store().acceptLoss()
  await stores.append([message()])
  assert.is(stores.store().status().state, 'up')
})

test('an entry that somebody deleted is missed at start and named by the audit until it is accepted', async ({
  start,
}) => {
  const stores = await start({ stores: ['store-1', 'store-2'] })
  const write = message()
  for (const to of stores.names) await stores.append([write], { to })
  const audit = () => stores.network.transport('store-1').call('store-1', storeAudit, { epoch: 1 })
  assert.equal((await audit()).problems, [])
  await stores.stopStore()
  stores.disk('store-1').tamper('messages', (data) => {
    const entry = keysOf(data, 'K')[0]
    if (entry) data.apply([{ key: entry, value: undefined }])
  })
  await stores.startStore('store-1')
  await eventually(() => stores.store().status().state === 'up' && stores.store().status().records === 2)
  assert.match((await audit()).problems[0] ?? '', /1 entries were once counted/)
  await stores.store().acceptLoss()
  assert.not((await audit()).problems.some((problem) => problem.includes('once counted')))
})

test('a damaged body is not served, and the audit names it', async ({ start }) => {
  const stores = await start()
  await stores.append([message()])
  stores.disk('store-1').tamper('messages', (data) => {
    const body = keysOf(data, 'B')[0]
    if (body) data.apply([{ key: body, value: Buffer.from('000000nonsense') }])
  })
  await stores.subscribe('bob')
  assert.is((await stores.page(0, { records: true })).records, undefined)
  const { problems } = await stores.network.transport('store-1').call('store-1', storeAudit, { epoch: 1 })
  assert.match(problems[0] ?? '', /damaged/)
})

test('a member that saw more of this home proves its loss', async ({ start }) => {
  const stores = await start()
  const mark = await stores.append([message()])
  stores.gateway.notify('store-1', storeSeen, mark)
  stores.gateway.notify('store-1', storeSeen, { feed: 'another', batch: 1_000 })
  await stores.append([message()])
  assert.is(stores.store().status().state, 'up')
  stores.gateway.notify('store-1', storeSeen, { feed: mark.feed, batch: mark.batch + 10 })
  await eventually(() => stores.store().status().state === 'read-only')
  assert.is.not(stores.store().status().feed, mark.feed)
})

test('a cursor from beyond begins a new feed from zero, and cannot stop the writes of a single home', async ({
  start,
}) => {
  const stores = await start()
  await stores.append([message()])
  const { feed, to } = await stores.subscribe('bob')
  const page = await stores.subscribe('bob', { cursor: { feed, number: to + 10_000_000 } })
  assert.is.not(page.feed, feed)
  assert.is(page.from, 0)
  assert.is(namesOf(page.keys).length, 1)
  await stores.append([message()])
  const again = await stores.subscribe('bob', { cursor: { feed: page.feed, number: page.to + 10_000_000 } })
  assert.is(again.feed, page.feed, 'a device can do so once in ten minutes')
})

test('a full disk: refused with a retryable error, reads go on, and it comes back without losing anything', async ({
  start,
}) => {
  const stores = await start()
  const before = message()
  await stores.append([before])
  const { feed } = stores.store().status()
  stores.disk('store-1').full = true
  const refused = message()
  await failsWith(stores.append([refused]), 'STORE_READ_ONLY')
  await eventually(async () => stores.has(before))
  assert.is(stores.store().status().state, 'read-only')
  await failsWith(stores.append([message()]), 'STORE_READ_ONLY')
  stores.disk('store-1').full = false
  await eventually(() => stores.store().status().state === 'up')
  await stores.append([refused])
  assert.ok((await stores.has(before)) && (await stores.has(refused)))
  assert.is(stores.store().status().feed, feed)
})

test('one failed batch: everything that waited is told, the home opens again by itself', async ({ start }) => {
  const stores = await start()
  stores.disk('store-1').failNextBatch()
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => stores.append([message()])))
  assert.ok(results.some(({ status }) => status === 'rejected'))
  for (const result of results) if (result.status === 'rejected') assert.ok(hasCode(result.reason, 'STORE_READ_ONLY'))
  await eventually(() => stores.append([message()]))
})

test('what reads while the database is opened again fails as what may be repeated, whatever it is', async ({
  start,
}) => {
  const memory = new MemoryDisk()
  const held = Promise.withResolvers<void>()
  let isHeld = false
  // Reads of entries and certificates wait, until the database is another.
  const range =
    (database: Database): Database['range'] =>
    async (asked) => {
      if (isHeld) await held.promise
      return database.range(asked)
    }
  const stores = await start({
    disk: () => ({
      openMarker: (name) => memory.openMarker(name),
      openDatabase: async (name) => {
        const database = await memory.openDatabase(name)
        return {
          get: (key) => database.get(key),
          keys: (asked) => database.keys(asked),
          batch: (writes, options) => database.batch(writes, options),
          close: () => database.close(),
          range: range(database),
        }
      },
    }),
  })
  await stores.append([message()])
  isHeld = true
  const self = stores.network.transport('store-1')
  const reads = [
    self.call('store-1', storeAudit, { epoch: 1 }),
    self.call('store-1', storeCertificates, { epoch: 1, user: 'alice' }),
    self.call('store-1', ledgerInspect, { epoch: 1 }),
  ].map((read) => failsWith(read, 'STORE_READ_ONLY'))
  isHeld = false
  memory.failNextBatch()
  await failsWith(stores.append([message()]), 'STORE_READ_ONLY')
  await eventually(() => stores.append([message()]))
  held.resolve()
  await Promise.all(reads)
})

test('what needs no database is done while it is opened again: a subscription ends', async ({ start }) => {
  const memory = new MemoryDisk()
  let opened = 0
  let room = Promise.resolve()
  const stores = await start({
    disk: () => ({
      openMarker: (name) => memory.openMarker(name),
      openDatabase: async (name) => {
        opened += 1
        await room
        return memory.openDatabase(name)
      },
    }),
  })
  const held = Promise.withResolvers<void>()
  await stores.subscribe('bob')
  room = held.promise
  memory.failNextBatch()
  await failsWith(stores.append([message()]), 'STORE_READ_ONLY')
  await eventually(() => opened === 2)
  await failsWith(stores.page(0), 'STORE_READ_ONLY')
  assert.is(stores.store().status().subscriptions, 1)
  stores.gateway.notify('store-1', storeUnsubscribe, { subs: [1] })
  await eventually(() => stores.store().status().subscriptions === 0)
  held.resolve()
  await eventually(() => stores.append([message()]))
})

test('what is staged is never refused for want of room: only the next ones are', async () => {
  const written: number[] = []
  let release = (): void => {}
  const wait = new Promise<void>((resolve) => (release = resolve))
  const database = { batch: (writes: unknown[]) => wait.then(() => void written.push(writes.length)) }
  const queue = new CommitQueue({
    clock: systemClock,
    database: database as unknown as Database,
    marker: { write: () => {} } as unknown as Marker,
    batches: { stage: () => 1, durable: () => {} } as unknown as BatchLog,
    numbers: { stage: () => 1, durable: () => {} } as unknown as FeedNumbers,
    countEntries: () => 0,
    onDurable: () => {},
    onFailed: () => {},
  })
  queue.draft().put(Buffer.from('k'), Buffer.alloc(33 * 1024 * 1024))
  const done = queue.commit() // the record is in the draft: this must not say that it is not
  assert.throws(() => queue.draft(), /Too much/)
  queue.urgentDraft().put(Buffer.from('facts'), Buffer.alloc(1))
  release()
  await done
  assert.equal(written, [2])
})

test.run()
