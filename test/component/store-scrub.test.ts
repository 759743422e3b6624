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
