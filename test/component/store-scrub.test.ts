// Damage that no digest shows is found by reading everything: on another home's word it is mended, alone it is only named.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { MemoryDatabase } from '../../src/platform/memory-database.ts'
import { splitKeys } from '../../src/protocol/records.ts'
import { storeAudit, storeFetch } from '../../src/protocol/rpc.ts'
import { eventually } from '../eventually.ts'
import { certificateWrite, message, Stores, tombstone } from '../store-fixture.ts'

const test = suite<{ stores: Stores }>('store scrub')
test.after.each(({ stores }) => stores.stop())

const keysOf = (data: MemoryDatabase, prefix: string): Buffer[] =>
  data.select({ gte: Buffer.from(prefix), lt: Buffer.from(String.fromCharCode(prefix.charCodeAt(0) + 1)) })
const problemsOf = async (stores: Stores, name: string): Promise<string[]> =>
  (await stores.network.transport(name).call(name, storeAudit, { epoch: 1 })).problems
/** Flips a bit of the value of each key of this kind while the store is down. */
const damage = async (stores: Stores, prefix: string): Promise<void> => {
  await stores.stopStore('store-1')
  stores.disk('store-1').tamper('messages', (data) => {
    for (const key of keysOf(data, prefix)) {
      const value = Buffer.from(data.get(key) ?? [])
      value[value.length - 1] = (value.at(-1) ?? 0) ^ 4
      data.apply([{ key, value }])
    }
  })
  await stores.startStore('store-1')
}

for (const [prefix, what] of [
  ['B', 'bodies'],
  ['K', 'entries'],
  ['N', 'feed numbers'],
] as const) {
  test(`damaged ${what} are made whole again, and are counted once`, async (context) => {
    const stores = await Stores.start({ stores: ['store-1', 'store-2'] })
    context.stores = stores
    const writes = [message(), message(), message()]
    for (const to of stores.names) await stores.append(writes, { to })
    await damage(stores, prefix)
    await eventually(async () => (await problemsOf(stores, 'store-1')).length === 0)
    await stores.subscribe('bob')
    const { records, keys } = await stores.page(0, { records: true })
    assert.is(splitKeys(keys).length, 3)
    assert.is(records?.length, 3)
    assert.is(stores.store().status().records, 6)
  })
}

test('what is left of a deleted message is made whole again too', async (context) => {
  const stores = await Stores.start({ stores: ['store-1', 'store-2'] })
  context.stores = stores
  await eventually(() => stores.names.every((name) => stores.store(name).status().state === 'up'))
  const write = message()
  const deletion = tombstone(write.key)
  for (const to of stores.names) {
    await stores.append([certificateWrite('alice'), certificateWrite('bob'), write], { to })
    await stores.append([deletion], { to })
  }
  await damage(stores, 'B')
  await eventually(async () => (await problemsOf(stores, 'store-1')).length === 0)
  await stores.subscribe('bob')
  const { records } = await stores.gateway.call('store-1', storeFetch, { epoch: 1, sub: 1, keys: write.key })
  assert.equal(records, [null])
})

/** Takes keys of this kind away while the store is down: all, or those of one record. */
const lose = async (stores: Stores, prefix: string, of?: Buffer): Promise<void> => {
  await stores.stopStore('store-1')
  stores.disk('store-1').tamper('messages', (data) => {
    data.apply(
      keysOf(data, prefix)
        .filter((key) => !of || key.includes(of))
        .map((key) => ({ key, value: undefined })),
    )
  })
  await stores.startStore('store-1')
}

test('an entry that was lost comes back under a new number, and the old one goes', async (context) => {
  const stores = await Stores.start({ stores: ['store-1', 'store-2'] })
  context.stores = stores
  await eventually(() => stores.names.every((name) => stores.store(name).status().state === 'up'))
  const writes = [message(), message(), message()]
  for (const to of stores.names) await stores.append(writes, { to })
  await lose(stores, 'K')
  // What was lost is named until the operator has acknowledged it, and nothing else is.
  await eventually(async () => (await problemsOf(stores, 'store-1')).length === 1)
  assert.match((await problemsOf(stores, 'store-1'))[0] ?? '', /were once counted here/)
  await stores.store().acceptLoss()
  assert.equal(await problemsOf(stores, 'store-1'), [])
  await stores.subscribe('bob')
  assert.is(splitKeys((await stores.page(0, { records: true })).keys).length, 3)
  // And so it is on disk.
  stores.crash()
  await stores.startStore('store-1')
  assert.equal(await problemsOf(stores, 'store-1'), [])
  assert.is(stores.store().status().records, 6)
})

test('alone, a number that is the last trace of a record stays; one of nothing goes once the loss is accepted', async (context) => {
  const stores = await Stores.start()
  context.stores = stores
  const [kept, gone] = [message(), message()]
  await stores.append([kept, gone])
  await lose(stores, 'B', gone.key)
  await lose(stores, 'K')
  const strays = async (): Promise<number> =>
    (await problemsOf(stores, 'store-1')).filter((problem) => /the entry of the feed/.test(problem)).length
  assert.is(await strays(), 4)
  await stores.store().acceptLoss()
  await eventually(async () => (await strays()) === 2)
  const { keys } = await stores.subscribe('bob')
  assert.equal(splitKeys(keys), [kept.key])
})

test('alone, what is damaged stays named and the rest is served', async (context) => {
  const stores = await Stores.start()
  context.stores = stores
  await stores.append([message()])
  await damage(stores, 'B')
  await stores.append([message()])
  assert.match((await problemsOf(stores, 'store-1'))[0] ?? '', /damaged/)
  await stores.subscribe('bob')
  assert.ok((await stores.page(0, { records: false })).keys.length >= 32)
})

test.run()
