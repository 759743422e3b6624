// Feeds: from a cursor to live without a hole, bodies only when they are wanted, and every way a feed can lose or gain a home.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { armMutant } from '../../src/platform/mutants.ts'
import { fromBase64, toBase64, toHex } from '../../src/protocol/bytes.ts'
import { homeSet } from '../../src/protocol/cluster-map.ts'
import { limits } from '../../src/protocol/limits.ts'
import { openRecord, recordKey } from '../../src/protocol/records.ts'
import { storeAppend, storeUnsubscribe } from '../../src/protocol/rpc.ts'
import { eventually } from '../eventually.ts'
import { ManualClock, turns } from './gateway-clock.ts'
import { cluster, type Frame, type TestClient, World } from './gateway-world.ts'

const feed = suite('gateway: feed')
feed.after.each(() => World.stopAll())
const keyOf = (sealed: Buffer): string => toHex(recordKey(openRecord(sealed).header.id, sealed))
const isError = (frame: Frame): unknown => (frame.t === 'error' ? frame.code : undefined)

/** Where the client's cursors are after these frames, by the rule of feed.page. */
type Cursors = Record<string, { feed: string; number: number }>
const cursorsOf = (client: TestClient, start: Cursors = {}): Cursors => {
  const cursors: Cursors = { ...start }
  for (const page of client.ofType('feed.page')) {
    const { home, feed: id, from, to } = page as unknown as { home: string; feed: string; from: number; to: number }
    const before = cursors[home]?.feed === id ? cursors[home].number : (start[home]?.number ?? 0)
    if (from <= before) cursors[home] = { feed: id, number: to }
  }
  return cursors
}
const homesIn = (opened: Frame): string[] => (opened.homes as { home: string }[]).map(({ home }) => home)
/** Keys of the records that came with pages. */
const bodies = (client: TestClient): string[] =>
  client
    .ofType('feed.page')
    .flatMap((page) => (page.records ?? []) as [string, number][])
    .map(([base64]) => keyOf(fromBase64(base64)))

interface Pair {
  world: World
  alice: TestClient
  bob: TestClient
}
const start = async (clock?: ManualClock): Promise<Pair> => {
  // Writers in a loop are not what these tests are about.
  const gateway = { rate: { perSecond: 1e6, burst: 1e6 } }
  const world = await World.start({ nodes: cluster(1), gateway, ...(clock ? { clock } : {}) })
  const alice = await world.login(await world.register('alice'), 'gateway-1')
  const bob = await world.login(await world.register('bob'), 'gateway-1')
  return { world, alice, bob }
}
/** A new connection of the same device. */
const again = async ({ world, bob }: Pair): Promise<TestClient> => {
  bob.drop()
  if (!bob.device) throw new Error('bob is not logged in')
  return world.login(bob.device, 'gateway-1')
}

feed('a notice follows every message, and moves the cursors of both homes', async () => {
  const { alice, bob } = await start()
  const opened = await bob.openFeed()
  const sealed = alice.message('bob', 'one')
  await alice.put(sealed)
  await eventually(() => [...bob.pagedKeys().values()].filter((keys) => keys.includes(keyOf(sealed))).length === 2)
  for (const home of homesIn(opened)) assert.ok((cursorsOf(bob)[home]?.number ?? 0) > 0)
})

feed('with a cursor only what is missing comes, with bodies from one home and as ids from the other', async () => {
  const pair = await start()
  const { alice, bob } = pair
  const opened = await bob.openFeed()
  await alice.say('bob', 'seen')
  await eventually(() => [...bob.pagedKeys().values()].flat().length === 2)
  const cursors = cursorsOf(bob)
  bob.drop()
  const missed = [alice.message('bob', 'one'), alice.message('bob', 'two')]
  for (const sealed of missed) await alice.put(sealed)
  await pair.world.areHomesEqual()
  const back = await again(pair)
  const reopened = await back.openFeed(cursors)
  assert.equal(homesIn(reopened).sort(), homesIn(opened).sort())
  await eventually(() => [...back.pagedKeys().values()].flat().length === 4)
  assert.equal(bodies(back).sort(), missed.map(keyOf).sort())
  for (const keys of back.pagedKeys().values()) assert.equal(keys.toSorted(), missed.map(keyOf).sort())
})

feed('a cursor of another feed counts as none: ids from the beginning', async () => {
  const { world, alice, bob } = await start()
  await alice.say('bob', 'one')
  const opened = await bob.openFeed()
  const home = homesIn(opened)[0] ?? ''
  const other = await world.login(await world.register('bob', 'laptop'), 'gateway-1')
  await other.openFeed({ [home]: { feed: 'a feed of long ago', number: 5 } })
  await eventually(() => other.ofType('feed.page').length >= 2)
  const page = other.ofType('feed.page').find((one) => one.home === home)
  assert.is(page?.from, 0)
  assert.is(page?.records, undefined)
})

feed('nothing is missing between backlog and live, while others keep writing', async () => {
  const pair = await start()
  const { alice } = pair
  const sent: string[] = []
  let isWriting = true
  // For as long as the rounds take, so that every cut-over has something to lose.
  const writing = (async () => {
    while (isWriting) {
      const sealed = alice.message('bob', `message ${sent.length}`)
      const stored = await alice.put(sealed)
      assert.is(isError(stored), undefined)
      sent.push(keyOf(sealed))
    }
  })()
  const clients = [pair.bob]
  let cursors: Cursors = {}
  for (let round = 0; round < 5; round++) {
    const client = await again({ ...pair, bob: clients.at(-1) ?? pair.bob })
    clients.push(client)
    await client.openFeed(cursors)
    await eventually(() => client.ofType('feed.page').length > 3)
    cursors = cursorsOf(client, cursors)
  }
  isWriting = false
  await writing
  const seen = (home: string): number => new Set(clients.flatMap((client) => client.pagedKeys().get(home) ?? [])).size
  await eventually(() => Object.keys(cursors).every((home) => seen(home) === sent.length))
})

feed('a lost home is a feed.changed, once; opened again, the feed is whole at the others', async () => {
  const { world, alice, bob } = await start()
  const opened = await bob.openFeed()
  const [lost = ''] = homesIn(opened)
  world.network.isolate(lost)
  await eventually(() => bob.ofType('feed.changed').length === 1)
  const reopened = await bob.openFeed(cursorsOf(bob))
  assert.is(reopened.complete, true)
  assert.not(homesIn(reopened).includes(lost))
  await alice.say('bob', 'still here')
  await eventually(() => bob.pushed().length === 1)
  assert.is(bob.ofType('feed.changed').length, 1)
})

feed('with too few homes it says that it is incomplete, and when more come that it changed', async () => {
  const { world, bob } = await start()
  world.network.isolate('store-1')
  world.network.isolate('store-2')
  const opened = await bob.openFeed()
  assert.is(opened.complete, false)
  assert.equal(homesIn(opened), ['store-3'])
  world.network.connect('gateway-1', 'store-1')
  await eventually(() => bob.ofType('feed.changed').length === 1)
  assert.is((await bob.openFeed()).complete, true)
})

feed('without any home it opens, is incomplete, and changes when one comes', async () => {
  const { world, bob } = await start()
  for (const store of ['store-1', 'store-2', 'store-3']) world.network.disconnect('gateway-1', store)
  const opened = await bob.openFeed()
  assert.equal([opened.complete, opened.homes], [false, []])
  world.network.connect('gateway-1', 'store-2')
  await eventually(() => bob.ofType('feed.changed').length === 1)
})

feed('a home that hangs is passed over', async () => {
  const { world, bob } = await start()
  world.network.filter = (_from, to, method) => !(to === 'store-1' && method === 'store.subscribe')
  const opened = await bob.openFeed()
  assert.is(opened.complete, true)
  assert.equal(homesIn(opened).sort(), ['store-2', 'store-3'])
})

feed('a lost notice is found by comparing heads', async () => {
  const clock = new ManualClock()
  const { world, alice, bob } = await start(clock)
  await bob.openFeed()
  world.network.filter = (_from, _to, method) => method !== 'store.notice'
  await alice.say('bob', 'one')
  await clock.advance(limits.noticeMs * 2)
  assert.equal([...bob.pagedKeys().values()].flat(), [])
  world.network.filter = () => true
  await clock.advance(limits.headsMs)
  assert.is([...bob.pagedKeys().values()].flat().length, 2)
})

feed('a home that hangs is found by comparing heads, and left', async () => {
  const clock = new ManualClock()
  const { world, bob } = await start(clock)
  const [home = ''] = homesIn(await bob.openFeed())
  world.network.filter = (_from, to) => to !== home
  await clock.advance(limits.headsMs + limits.rpcTimeoutMs)
  assert.is(bob.ofType('feed.changed').length, 1)
  const opening = bob.openFeed(cursorsOf(bob))
  await clock.advance(1_000)
  const reopened = await opening
  assert.is(reopened.complete, true)
  assert.not(homesIn(reopened).includes(home))
})

feed('mutant: a gateway that trusts leases passes on no notice', async () => {
  const clock = new ManualClock()
  const { alice, bob } = await start(clock)
  await bob.openFeed()
  armMutant('lease-is-truth')
  await alice.say('bob', 'one')
  await clock.advance(limits.headsMs * 2)
  armMutant(undefined)
  assert.equal([...bob.pagedKeys().values()].flat(), [])
})

feed('a changed set of homes is a feed.changed; another map is not', async () => {
  const { world, bob } = await start()
  await bob.openFeed()
  const { view } = world.node('gateway-1')
  view.adopt(world.sign(2).sealed)
  assert.is(bob.ofType('feed.changed').length, 0)
  view.adopt(world.sign(3, { homes: { current: homeSet(['store-1']) } }).sealed)
  assert.is(bob.ofType('feed.changed').length, 1)
})

feed('a subscription that a home has forgotten is a feed.changed', async () => {
  const clock = new ManualClock()
  const { world, bob } = await start(clock)
  const opened = await bob.openFeed()
  world.network.filter = (_from, to, method) => !(to === 'gateway-1' && method === 'store.notice')
  const home = world.node(homesIn(opened)[0] ?? '')
  // What a store does when it begins a new feed: nobody is subscribed any more.
  const transport = world.node('gateway-1').transport
  for (let sub = 1; sub < 10; sub++) {
    transport.notify(home.name, storeUnsubscribe, { subs: [sub] })
  }
  await clock.advance(limits.headsMs)
  assert.is(bob.ofType('feed.changed').length, 1)
})

feed('a record on too few homes is left out of a fetch until it is on enough', async () => {
  const { world, alice, bob } = await start()
  const opened = await bob.openFeed()
  const [home = ''] = homesIn(opened)
  const sealed = alice.message('bob', 'one')
  const others = ['store-1', 'store-2', 'store-3'].filter((store) => store !== home)
  for (const other of others) world.network.isolate(other)
  const { transport } = world.node('gateway-1')
  const write = { mailboxes: ['u:bob', 'u:alice'], sealed, acceptedAt: world.clock.now() }
  await transport.call(home, storeAppend, { epoch: 1, writes: [write] })
  await eventually(() => bob.pagedKeys().get(home)?.length === 1)
  const keys = toBase64(Buffer.from(keyOf(sealed), 'hex'))
  const first = await bob.request('feed.fetch', { home, keys })
  assert.equal([first.records, first.missing], [[], ''])
  for (const other of others) world.network.connect('gateway-1', other)
  const second = await bob.request('feed.fetch', { home, keys })
  assert.is((second.records as [string, number][])[0]?.[0], toBase64(sealed))
})

feed('a fetch names what is gone for good, and is refused from a home that is not in the feed', async () => {
  const { bob } = await start()
  const opened = await bob.openFeed()
  const [home = ''] = homesIn(opened)
  const nothing = toBase64(new Uint8Array(32))
  const fetched = await bob.request('feed.fetch', { home, keys: nothing })
  assert.equal([fetched.records, fetched.missing], [[], nothing])
  assert.is(isError(await bob.request('feed.fetch', { home: 'store-9', keys: nothing })), 'PEER_UNREACHABLE')
  assert.is(isError(await bob.request('feed.fetch', { home, keys: 'AAAA' })), 'FRAME_INVALID')
  const many = toBase64(new Uint8Array(32 * (limits.maxFetchKeys + 1)))
  assert.is(isError(await bob.request('feed.fetch', { home, keys: many })), 'FRAME_INVALID')
})

feed(
  'a client that reads too slowly gets no more pushes, is told once it has caught up, and misses nothing',
  async () => {
    const { alice, bob } = await start()
    await bob.openFeed()
    bob.bufferedBytes = limits.maxBufferedBytesPerClient + 1
    const sealed = alice.message('bob', 'one')
    await alice.put(sealed)
    await alice.say('bob', 'two')
    await turns()
    assert.equal(bob.pushed(), [])
    assert.is(isError(await bob.request('feed.fetch', { home: 'store-1', keys: '' })), 'FEED_SLOW')
    bob.bufferedBytes = 0
    await eventually(() => bob.ofType('feed.slow').length === 1)
    await bob.openFeed(cursorsOf(bob))
    await eventually(() => [...bob.pagedKeys().values()].every((keys) => new Set(keys).size === 2))
    await alice.say('bob', 'three')
    await eventually(() => bob.pushed().length === 1)
  },
)

feed('the backlog waits for the reader', async () => {
  const pair = await start()
  const { alice, bob } = pair
  const opened = await bob.openFeed()
  await eventually(() => Object.keys(cursorsOf(bob)).length === 2)
  const cursors = cursorsOf(bob)
  bob.drop()
  for (let i = 0; i < 20; i++) await alice.say('bob', 'x'.repeat(40_000))
  await pair.world.areHomesEqual()
  const back = await again(pair)
  back.bufferedBytes = 500_000
  assert.is((await back.openFeed(cursors)).t, opened.t)
  await turns(50)
  assert.equal(bodies(back), [])
  back.bufferedBytes = 0
  await eventually(() => bodies(back).length === 20)
  const records = back.ofType('feed.page').map((page) => ((page.records ?? []) as unknown[]).length)
  assert.ok(Math.max(...records) < 20, 'a page is no larger than a fetch')
})

feed.run()
