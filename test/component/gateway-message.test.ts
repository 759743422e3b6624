// A message through the gateway: stored on its homes, pushed to every other session of both users, once, and kept for who is away.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fromBase64, toBase64, toHex } from '../../src/protocol/bytes.ts'
import { recordKey } from '../../src/protocol/records.ts'
import { eventually } from '../eventually.ts'
import { cluster, single, World } from './gateway-world.ts'

const messages = suite('messages through a gateway')
messages.after.each(() => World.stopAll())

for (const [name, nodes, gateways] of [
  ['one process', single, ['all', 'all']],
  ['one gateway', cluster(1), ['gateway-1', 'gateway-1']],
  ['two gateways', cluster(2), ['gateway-1', 'gateway-2']],
] as const) {
  messages(`${name}: stored, then pushed to the recipient and to the sender's other device`, async () => {
    const world = await World.start({ nodes: [...nodes] })
    const [first, second] = gateways
    const alice = await world.login(await world.register('alice'), first)
    const laptop = await world.login(await world.register('alice', 'laptop'), second)
    const bob = await world.login(await world.register('bob'), second)
    const sealed = alice.message('bob', 'hello')
    const stored = await alice.put(sealed)
    assert.is(stored.t, 'record.stored')
    await eventually(() => bob.pushed().length === 1 && laptop.pushed().length === 1)
    assert.is(bob.pushed()[0], toBase64(sealed))
    assert.is(laptop.pushed()[0], toBase64(sealed))
    assert.equal(alice.pushed(), [])
  })
}

messages('a message for somebody who is away is in the feed when they come', async () => {
  const world = await World.start({ nodes: cluster(1) })
  const alice = await world.login(await world.register('alice'), 'gateway-1')
  const device = await world.register('bob')
  const sealed = alice.message('bob', 'hello')
  assert.is((await alice.put(sealed)).t, 'record.stored')
  await world.areHomesEqual()
  const bob = await world.login(device, 'gateway-1')
  const opened = await bob.openFeed()
  assert.is(opened.complete, true)
  assert.is((opened.homes as unknown[]).length, 2)
  await eventually(() => bob.ofType('feed.page').length >= 2)
  const key = toHex(recordKey(idOf(sealed), sealed))
  for (const keys of bob.pagedKeys().values()) assert.equal(keys, [key])
  const home = String(bob.ofType('feed.page')[0]?.home)
  const fetched = await bob.request('feed.fetch', { home, keys: toBase64(Buffer.from(key, 'hex')) })
  assert.is((fetched.records as [string, number][])[0]?.[0], toBase64(sealed))
  assert.is(fetched.missing, '')
})

const idOf = (sealed: Buffer): string =>
  JSON.parse(fromBase64(toBase64(sealed)).subarray(64).toString().split('\n')[0] ?? '').id

messages.run()
