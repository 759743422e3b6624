// A gateway that goes away: tells its clients where else to go, finishes what is under way, takes nothing new, and ends in time.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { limits } from '../../src/protocol/limits.ts'
import { eventually } from '../eventually.ts'
import { ManualClock, turns } from './gateway-clock.ts'
import { cluster, World } from './gateway-world.ts'

const drain = suite('gateway: drain')
drain.after.each(() => World.stopAll())

drain('clients hear of other gateways at login, and where to go when theirs drains', async () => {
  const world = await World.start({ nodes: cluster(3) })
  const alice = await world.login(await world.register('alice'), 'gateway-1')
  const stopping = world.node('gateway-1').group.stop()
  assert.equal(alice.ofType('session.drain')[0]?.gateways, ['ws://gateway-2', 'ws://gateway-3'])
  await stopping
  assert.is(alice.closedWith?.reason, 'GATEWAY_DRAINING')
  assert.throws(() => world.connect('gateway-1'), /takes no connections/)
  const again = world.connect('gateway-2')
  if (!alice.device) throw new Error('alice is not logged in')
  await eventually(async () => {
    const welcome = await world.connect('gateway-2').login(alice.device ?? world.certify('alice', 'phone'))
    return (welcome.gateways as string[]).join() === 'ws://gateway-3'
  })
  again.drop()
})

drain('a put under way is answered, a new one is refused', async () => {
  const world = await World.start({ nodes: cluster(1) })
  const alice = await world.login(await world.register('alice'), 'gateway-1')
  await world.register('bob')
  await alice.say('bob', 'before')
  const held: (() => void)[] = []
  const { transport } = world.node('gateway-1')
  const call = transport.call.bind(transport)
  transport.call = (...args) => new Promise((resolve) => held.push(() => resolve(call(...args))))
  const underWay = alice.say('bob', 'under way')
  await eventually(() => held.length > 0)
  let isStopped = false
  const stopping = world.node('gateway-1').group.stop()
  void stopping.then(() => (isStopped = true))
  assert.is((await alice.say('bob', 'too late')).code, 'GATEWAY_DRAINING')
  await turns()
  assert.not(isStopped)
  transport.call = call
  for (const release of held) release()
  assert.is((await underWay).t, 'record.stored')
  await stopping
})

drain('it does not wait for ever', async () => {
  const clock = new ManualClock()
  const world = await World.start({ nodes: cluster(1), gateway: { drainMs: 50 }, clock })
  const alice = await world.login(await world.register('alice'), 'gateway-1')
  await world.register('bob')
  await alice.say('bob', 'before')
  world.network.filter = (_from, _to, method) => method !== 'store.append'
  void alice.say('bob', 'never answered')
  await turns()
  let isStopped = false
  void world
    .node('gateway-1')
    .group.stop()
    .then(() => (isStopped = true))
  await clock.advance(limits.appendTimeoutMs - 1)
  assert.ok(isStopped)
})

drain('leases of a gateway that stopped are gone', async () => {
  const world = await World.start({ nodes: cluster(2) })
  await world.login(await world.register('alice'), 'gateway-1')
  const leases = (): number =>
    ['router-1', 'router-2', 'router-3'].reduce((sum, name) => sum + (world.node(name).router?.status().leases ?? 0), 0)
  await eventually(() => leases() === 3)
  await world.node('gateway-1').group.stop()
  await eventually(() => leases() === 0)
})

drain.run()
