// What is of the moment, seen from gateways: who is typing and who is there, to whom it goes, in how few messages, and what a client cannot do.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hasCode } from '../../src/protocol/errors.ts'
import { limits } from '../../src/protocol/limits.ts'
import { groupMembers, routePresence } from '../../src/protocol/rpc.ts'
import { ManualClock, turns } from './gateway-clock.ts'
import { cluster, type Frame, nextId, type TestClient, World } from './gateway-world.ts'

const live = suite('gateway: live')
live.after.each(() => World.stopAll())

interface Setting {
  world: World
  clock: ManualClock
  /** What gateway-1 asked and told other nodes, by method. */
  calls: Map<string, number>
}
const start = async (): Promise<Setting> => {
  const clock = new ManualClock()
  const world = await World.start({ nodes: [...cluster(2), { name: 'group-1', roles: ['group'] }], clock })
  const calls = new Map<string, number>()
  world.network.filter = (from, _to, method) => {
    if (from === 'gateway-1') calls.set(method, (calls.get(method) ?? 0) + 1)
    return true
  }
  return { world, clock, calls }
}
const login = async (world: World, user: string, gateway: string): Promise<TestClient> =>
  world.login(world.certify(user, 'phone'), gateway)
const watching = { users: [], typing: true, shown: false }
const typing = (client: TestClient, to: string, active = true): void =>
  client.raw(JSON.stringify({ t: 'live.typing', id: 900, to, active }))
const typed = (client: TestClient): unknown[] =>
  client.ofType('live.typing').map(({ from, conversation, active }) => [from, conversation, active])
const presence = (client: TestClient): unknown[] =>
  client.ofType('live.presence').flatMap(({ users }: Frame) => users as unknown[])
const names = (count: number, start = 0): string[] => Array.from({ length: count }, (_, i) => `user${start + i}`)

live('typing reaches whom it is for, wherever that user is, in one message for many keys', async () => {
  const { world, clock, calls } = await start()
  const [alice, bob, bobsBot] = [
    await login(world, 'alice', 'gateway-1'),
    await login(world, 'bob', 'gateway-2'),
    await world.login(world.certify('bob', 'bot'), 'gateway-1'),
  ]
  const carol = await login(world, 'carol', 'gateway-2')
  for (const client of [alice, bob, carol]) assert.is((await client.request('live.watch', watching)).t, 'ok')
  for (let i = 0; i < 10; i++) typing(alice, 'bob')
  assert.equal(typed(bob), [])
  await clock.advance(limits.typingBatchMs)
  assert.equal(typed(bob), [['alice', 'alice:bob', true]])
  assert.is(calls.get('gate.typing'), 1)
  typing(alice, 'bob')
  typing(alice, 'bob', false)
  await clock.advance(limits.typingBatchMs)
  assert.equal(typed(bob).slice(1), [['alice', 'alice:bob', false]])
  // Who did not ask for it, who writes, and who has nothing to do with it hear nothing; nothing is stored.
  for (const client of [bobsBot, alice, carol]) assert.equal(typed(client), [])
  assert.is(calls.get('mbox.append') ?? 0, 0)
})

live(
  'in a group all members hear of it and nobody else, of five at most at a time, by one message to each gateway',
  async () => {
    const { world, clock, calls } = await start()
    const group = `#${nextId()}`
    const users = [...names(500), 'alice', 'bob']
    world.node('group-1').transport.handle(groupMembers, () => ({ version: 1, users }))
    const [bob, mallory] = [await login(world, 'bob', 'gateway-2'), await login(world, 'mallory', 'gateway-2')]
    const typers = await Promise.all(names(8).map((user) => login(world, user, 'gateway-1')))
    for (const client of [bob, mallory]) await client.request('live.watch', watching)
    typing(mallory, group)
    for (const client of typers) typing(client, group)
    calls.clear()
    await clock.advance(limits.typingBatchMs)
    await turns()
    assert.equal(
      typed(bob),
      names(5).map((user) => [user, group, true]),
    )
    assert.equal(typed(mallory), [])
    assert.is(calls.get('gate.typing'), 1)
    assert.is(calls.get('route.lookup') ?? 0, 0)
    // The members are asked for now and then, not each time.
    typing(typers[0] ?? bob, group, false)
    await clock.advance(limits.typingBatchMs)
    assert.is(calls.get('group.members'), 1)
  },
)

live('a client that floods is not passed on, and loses nothing but that', async () => {
  const { world, clock, calls } = await start()
  const mallory = await login(world, 'mallory', 'gateway-1')
  for (const user of names(1_000)) typing(mallory, user)
  await clock.advance(limits.typingBatchMs)
  await turns()
  assert.ok((calls.get('route.lookup') ?? 0) <= 20 * 3, `${calls.get('route.lookup')} look-ups`)
  assert.is(mallory.closedWith, undefined)
  assert.is((await mallory.request('ping')).t, 'pong')
  typing(mallory, 'not a name')
  typing(mallory, '#ops')
  await clock.advance(limits.typingBatchMs)
  assert.is(mallory.closedWith, undefined)
})

live('who is there and lets it be seen is online to those who watch, and offline with the time when gone', async () => {
  const { world, clock } = await start()
  const [alice, bob, ghost] = [
    await login(world, 'alice', 'gateway-1'),
    await login(world, 'bob', 'gateway-2'),
    await login(world, 'ghost', 'gateway-2'),
  ]
  await bob.request('live.watch', { users: [], typing: true, shown: true })
  await ghost.request('live.watch', watching)
  await clock.advance(100)
  await alice.request('live.watch', { users: ['bob', 'ghost', 'nobody'], typing: true, shown: false })
  await clock.advance(100)
  assert.equal(presence(alice), [
    ['bob', 'online', null],
    ['ghost', 'offline', null],
    ['nobody', 'offline', null],
  ])
  const left = clock.now()
  bob.drop()
  await clock.advance(limits.presenceMs + 100)
  assert.equal(presence(alice).slice(3), [['bob', 'offline', left]])
  // Nothing changed: nothing is said. Who watches later is told what is known at once.
  await clock.advance(5 * limits.presenceMs)
  assert.is(presence(alice).length, 4)
  const carol = await login(world, 'carol', 'gateway-1')
  await carol.request('live.watch', { users: ['bob'], typing: false, shown: false })
  assert.equal(presence(carol), [['bob', 'offline', left]])
  // Whoever stops to be shown is offline, though connected.
  const again = await world.login(world.certify('bob', 'tablet'), 'gateway-1')
  await again.request('live.watch', { users: [], typing: true, shown: true })
  await clock.advance(limits.presenceMs + 100)
  assert.equal(presence(carol).at(-1), ['bob', 'online', null])
  await again.request('live.watch', watching)
  await clock.advance(limits.presenceMs + 100)
  assert.is((presence(carol).at(-1) as string[])[1], 'offline')
})

live('all watched users are asked for together, and nobody when nobody watches', async () => {
  const { world, clock, calls } = await start()
  const clients = await Promise.all(names(10).map((user) => login(world, user, 'gateway-1')))
  for (const client of clients) await client.request('live.watch', { users: names(200), typing: false, shown: false })
  await clock.advance(100)
  calls.clear()
  await clock.advance(limits.presenceMs)
  assert.ok((calls.get('route.presence') ?? 0) <= 3, `${calls.get('route.presence')} calls`)
  for (const client of clients) client.drop()
  await clock.advance(limits.presenceMs)
  calls.clear()
  await clock.advance(10 * limits.presenceMs)
  assert.is(calls.get('route.presence') ?? 0, 0)
})

live('nobody finds out about everybody', async () => {
  const { world, clock } = await start()
  const device = world.certify('mallory', 'phone')
  const mallory = await world.login(device, 'gateway-1')
  const ask = (client: TestClient, users: string[]): Promise<Frame> =>
    client.request('live.watch', { users, typing: false, shown: false })
  assert.is((await ask(mallory, names(limits.maxWatched + 1))).code, 'FRAME_INVALID')
  assert.is((await ask(mallory, names(200))).t, 'ok')
  assert.is((await ask(mallory, names(200, 200))).t, 'ok')
  assert.is((await ask(mallory, names(200, 400))).code, 'RATE_LIMITED')
  // Nor with more devices or sessions.
  const other = await world.login(world.certify('mallory', 'tablet'), 'gateway-1')
  assert.is((await ask(other, names(200, 400))).code, 'RATE_LIMITED')
  // What was watched before still is; a list that hardly changes is always taken.
  assert.is((await ask(mallory, names(199, 200))).t, 'ok')
  await clock.advance(10_000)
  assert.is((await ask(mallory, names(210, 200).slice(10))).t, 'ok')
  // Nor does a node that is no gateway.
  const { transport } = world.node('store-1')
  const refused = await transport.call('router-1', routePresence, { users: ['bob'] }).catch((error: unknown) => error)
  assert.ok(hasCode(refused, 'PEER_DENIED'))
})

live('a slow client gets nothing of it, and keeps its messages', async () => {
  const { world, clock } = await start()
  const [alice, bob] = [await login(world, 'alice', 'gateway-1'), await login(world, 'bob', 'gateway-1')]
  await bob.request('live.watch', watching)
  bob.bufferedBytes = 128 * 1024
  typing(alice, 'bob')
  await clock.advance(limits.typingBatchMs)
  assert.equal(typed(bob), [])
  bob.bufferedBytes = 0
  typing(alice, 'bob')
  await clock.advance(limits.typingBatchMs)
  assert.is(typed(bob).length, 1)
})

live.run()
