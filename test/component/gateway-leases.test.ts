// Leases seen from gateways: bound to the nearest routers, moved when routers come and go, asked with hedging, distrusted when wrong.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ChatError } from '../../src/protocol/errors.ts'
import { limits } from '../../src/protocol/limits.ts'
import { gatePush, routeBind, routeLookup } from '../../src/protocol/rpc.ts'
import { eventually } from '../eventually.ts'
import { ManualClock, turns } from './gateway-clock.ts'
import { cluster, type NodePlan, type TestClient, World } from './gateway-world.ts'

const leases = suite('gateway: leases')
leases.after.each(() => World.stopAll())
const ROUTERS = ['router-1', 'router-2', 'router-3', 'router-4', 'router-5']

const held = (world: World): number[] => ROUTERS.map((name) => world.nodes.get(name)?.router?.status().leases ?? 0)
const withRouters = (count: number, gateways = 1): NodePlan[] => [
  ...cluster(gateways),
  ...ROUTERS.slice(3, count).map((name): NodePlan => ({ name, roles: ['router'] })),
]
const pair = async (world: World): Promise<{ alice: TestClient; bob: TestClient }> => ({
  alice: await world.login(await world.register('alice'), 'gateway-1'),
  bob: await world.login(await world.register('bob'), 'gateway-2'),
})
/** How often each router was asked for a lease. */
const watchLookups = (world: World): Map<string, number> => {
  const asked = new Map<string, number>()
  world.network.filter = (_from, to, method) => {
    if (method === 'route.lookup' && to.startsWith('router')) asked.set(to, (asked.get(to) ?? 0) + 1)
    return true
  }
  return asked
}

leases('a session’s lease is at three routers, and gone from all when it ends', async () => {
  const world = await World.start({ nodes: withRouters(5) })
  const client = await world.login(await world.register('alice'), 'gateway-1')
  await eventually(() => held(world).reduce((a, b) => a + b) === 3)
  client.drop()
  await eventually(() => held(world).every((count) => count === 0))
})

leases('all sessions of a turn are bound in one call per router', async () => {
  const world = await World.start({ nodes: cluster(1) })
  const devices = Array.from({ length: 30 }, (_, i) => world.certify(`user${i}`, 'phone'))
  const calls: string[] = []
  world.network.filter = (_from, to, method) => {
    if (method === 'route.bind' && to.startsWith('router')) calls.push(to)
    return true
  }
  await Promise.all(devices.map((device) => world.login(device, 'gateway-1')))
  await eventually(() => held(world).every((count, i) => count === (i < 3 ? 30 : 0)))
  assert.ok(calls.length <= 9, `${calls.length} calls`)
})

leases('when a router dies its leases move, and when it comes back they return', async () => {
  // Time passes only here: what the dead router holds must not end by itself meanwhile.
  const clock = new ManualClock()
  const world = await World.start({ nodes: withRouters(4), clock })
  const users = Array.from({ length: 40 }, (_, i) => `user${i}`)
  for (const user of users) await world.login(world.certify(user, 'phone'), 'gateway-1')
  await eventually(() => held(world).reduce((a, b) => a + b) === 120)
  const before = held(world)
  world.network.disconnect('gateway-1', 'router-2')
  await clock.advance(limits.leaseGraceMs / 4)
  await eventually(() => held(world).reduce((a, b) => a + b) === 120 + (before[1] ?? 0))
  assert.equal([held(world)[0], held(world)[2], held(world)[3]], [40, 40, 40])
  world.network.connect('gateway-1', 'router-2')
  await clock.advance(limits.leaseGraceMs / 4)
  await eventually(() => held(world).reduce((a, b) => a + b) === 120)
  assert.equal(held(world), before)
})

leases('an empty or dead router is passed over', async () => {
  const world = await World.start({ nodes: cluster(2) })
  const { alice, bob } = await pair(world)
  const { view, transport } = world.node('router-1')
  assert.is(view.current().map.epoch, 1)
  // Two of the three know nothing and do not answer, whichever is asked first.
  transport.handle(routeLookup, () => ({ leases: [] }))
  world.node('router-2').transport.handle(routeLookup, () => new Promise(() => {}))
  await alice.say('bob', 'hello')
  await eventually(() => bob.pushed().length === 1)
})

leases('a slow answer is hedged after 30 ms, a fast one is not', async () => {
  const clock = new ManualClock()
  const world = await World.start({ nodes: cluster(2), clock })
  const { alice, bob } = await pair(world)
  const asked = watchLookups(world)
  const total = (): number => [...asked.values()].reduce((a, b) => a + b, 0)
  await alice.say('bob', 'one')
  await turns()
  assert.is(bob.pushed().length, 1)
  // One look-up for each of the two users; alice is nowhere else, so all routers were asked for her.
  assert.is(total(), 2)
  await clock.advance(limits.leaseCacheMs + 1)
  asked.clear()
  for (const name of ['router-1', 'router-2', 'router-3']) {
    world.node(name).transport.handle(routeLookup, () => new Promise(() => {}))
  }
  void alice.say('bob', 'two')
  await turns()
  assert.is(total(), 2)
  await clock.advance(limits.hedgeMs)
  assert.is(total(), 4)
  await clock.advance(limits.hedgeMs)
  assert.is(total(), 6)
})

leases('answers are remembered for seconds, also that a user is nowhere', async () => {
  const clock = new ManualClock()
  const world = await World.start({ nodes: cluster(2), clock })
  const { alice } = await pair(world)
  await world.register('carol')
  const asked = watchLookups(world)
  await alice.say('carol', 'one')
  await turns()
  asked.clear()
  await alice.say('carol', 'two')
  await turns()
  assert.is(asked.size, 0)
  await clock.advance(limits.leaseCacheMs + 1)
  await alice.say('carol', 'three')
  await turns()
  assert.ok(asked.size > 0)
})

leases('a lease that points to the wrong gateway makes a message late, not lost', async () => {
  const world = await World.start({ nodes: cluster(3), clock: new ManualClock() })
  const { alice, bob } = await pair(world)
  await bob.openFeed()
  const lying = bob.capability(bob.device ?? world.certify('bob', 'phone'), { gateway: 'gateway-3' })
  for (const name of ['router-1', 'router-2', 'router-3']) {
    const lease = { gateway: 'gateway-3', session: 'x', capability: lying }
    world.node(name).transport.handle(routeLookup, ({ user }) => ({ leases: user === 'bob' ? [lease] : [] }))
  }
  const pushes: string[] = []
  world.network.filter = (from, to, method) => {
    if (method === 'gate.push' && from === 'gateway-1') pushes.push(`push ${to}`)
    if (method === 'gate.absent' && to === 'gateway-1') pushes.push(`absent ${from}`)
    return true
  }
  await alice.say('bob', 'one')
  await eventually(() => bob.pagedKeys().size === 2)
  await eventually(() => pushes.length === 2)
  assert.equal(pushes, ['push gateway-3', 'absent gateway-3'])
  await alice.say('bob', 'two')
  await turns()
  assert.equal(pushes.length, 2, 'the gateway that said "not here" is not believed to have the user for a while')
  assert.equal(bob.pushed(), [])
})

leases('a lease without a capability of that user for that gateway is not followed', async () => {
  const world = await World.start({ nodes: cluster(3) })
  const { alice, bob } = await pair(world)
  const mallory = world.certify('mallory', 'phone')
  const forged = [
    bob.capability(mallory, { gateway: 'gateway-3' }),
    bob.capability(bob.device ?? mallory),
    new Uint8Array(90),
  ]
  for (const name of ['router-1', 'router-2', 'router-3']) {
    world.node(name).transport.handle(routeLookup, () => ({
      leases: forged.map((capability, i) => ({ gateway: 'gateway-3', session: `${i}`, capability })),
    }))
  }
  const pushes: string[] = []
  world.network.filter = (_from, to, method) => {
    if (method === 'gate.push') pushes.push(to)
    return true
  }
  await alice.say('bob', 'one')
  await turns(50)
  assert.equal(pushes, [])
})

leases('pushes of a turn to one gateway are one frame, and a record for two users there is one item', async () => {
  const world = await World.start({ nodes: cluster(2) })
  const { alice, bob } = await pair(world)
  const tablet = await world.login(await world.register('alice', 'tablet'), 'gateway-2')
  await alice.say('bob', 'first')
  await eventually(() => bob.pushed().length === 1)
  const sizes: number[][] = []
  const gateway = world.node('gateway-2').transport
  gateway.handle(gatePush, ({ items }) => void sizes.push(items.map(({ users }) => users.length)))
  await Promise.all(Array.from({ length: 10 }, () => alice.say('bob', 'more')))
  await eventually(() => sizes.flat().length === 10)
  assert.equal(sizes, [Array.from({ length: 10 }, () => 2)])
  assert.is(tablet.pushed().length, 1)
})

leases('pushes and leases of those who are no gateway are refused', async () => {
  const world = await World.start({ nodes: cluster(1) })
  const { transport } = world.node('store-1')
  const bind = transport.call('router-1', routeBind, { gatewayEpoch: 1, leases: [] })
  assert.is(
    await bind.then(
      () => 'bound',
      (error: unknown) => (error instanceof ChatError ? error.code : error),
    ),
    'PEER_DENIED',
  )
  const alice = await world.login(await world.register('alice'), 'gateway-1')
  transport.notify('gateway-1', gatePush, {
    items: [{ users: ['alice'], sealed: alice.seal({ k: 'x' }), acceptedAt: 1 }],
  })
  await turns()
  assert.equal(alice.pushed(), [])
})

leases.run()
