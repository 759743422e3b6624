// deadline: 900s
// A real cluster from its start to its end: people chat through it while nodes are killed, paused, cut off and started again.
// Nothing that was acknowledged may be lost: every part ends with `chatd cluster check` over the senders' ledgers.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../eventually.ts'
import { idleRunMs, type Running, World } from './world.ts'

const life = suite<{ world: World; bob: Running }>('cluster')

life.before(async (context) => {
  context.world = await World.up({ gateways: 2, routers: 3, stores: 3 })
})
life.after(({ world }) => world.end())

const texts = (running: Running): string[] =>
  running.lines.filter((line) => line.type === 'message').map((line) => String(line.text))

const mustPass = async (world: World, ...users: string[]): Promise<Record<string, unknown>> => {
  const { code, stdout, stderr } = await world.check(...users)
  assert.is(code, 0, `${stdout}\n${stderr}`)
  return JSON.parse(stdout) as Record<string, unknown> // the report
}

life('all nodes are up, each a process of its own', async ({ world }) => {
  await eventually(async () => (await world.nodes()).every(({ state }) => state === 'up'))
  const nodes = await world.nodes()
  assert.equal(nodes.map(({ name }) => name).sort(), [
    ...['gateway-1', 'gateway-2', 'router-1', 'router-2', 'router-3', 'store-1', 'store-2', 'store-3'],
  ])
  assert.is(new Set(nodes.map(({ pid }) => pid)).size, nodes.length)
})

life('a message is stored, received and read', async (context) => {
  const { world } = context
  await world.register('alice', 'bob')
  context.bob = world.listen('bob')
  const sent = await world.send('alice', 'bob', 'hello', '--wait', 'read', '--timeout', '80s')
  assert.is(sent.status, 'read')
  assert.ok(sent.storedAt && sent.receivedAt && sent.readAt)
  assert.equal(texts(context.bob), ['hello'])
})

life(
  'a gateway is killed while clients send: the others take over, nothing is lost or doubled',
  async ({ world, bob }) => {
    const before = texts(bob).length
    const sending = Array.from({ length: 12 }, (_, i) => world.send('alice', 'bob', `burst ${i}`, '--timeout', '80s'))
    await eventually(() => texts(bob).length > before, { what: 'the burst has begun' })
    await world.cluster('kill', 'gateway-1')
    assert.is(new Set((await Promise.all(sending)).map(({ id }) => id)).size, 12)
    await eventually(() => texts(bob).length >= before + 12, { what: 'all of the burst has arrived' })
    const burst = texts(bob).slice(before)
    assert.equal([...burst].sort(), Array.from({ length: 12 }, (_, i) => `burst ${i}`).sort())
    await world.cluster('start', 'gateway-1')
  },
)

for (const router of ['router-1', 'router-2', 'router-3']) {
  life(`${router} is killed: messages are pushed all the same`, async ({ world }) => {
    await world.cluster('kill', router)
    const sent = await world.send('alice', 'bob', `without ${router}`, '--wait', 'received', '--timeout', '80s')
    assert.ok(sent.receivedAt)
    await world.cluster('start', router)
  })
}

for (const verb of [
  { down: 'kill', up: 'start' },
  { down: 'pause', up: 'resume' },
]) {
  life(`one of three stores: ${verb.down}, then ${verb.up}: sending goes on, and it catches up`, async ({ world }) => {
    await world.cluster(verb.down, 'store-2')
    const state = (await world.nodes()).find(({ name }) => name === 'store-2')?.state
    assert.is(state, verb.down === 'kill' ? 'down' : 'paused')
    for (const i of [1, 2, 3]) await world.send('alice', 'bob', `${verb.down} ${i}`, '--timeout', '80s')
    await world.cluster(verb.up, 'store-2')
    await mustPass(world, 'alice')
  })
}

life('two of three stores are gone: refused with a retryable error, then stored', async ({ world }) => {
  await world.cluster('kill', 'store-1', 'store-3')
  const refused = await world.tryChat('alice', 'send', 'bob', 'too early', '--json', '--timeout', '4s')
  assert.is(refused.code, 3, refused.stdout + refused.stderr)
  await world.cluster('start', 'store-3')
  const sent = await world.send('alice', 'bob', 'now', '--timeout', '80s')
  assert.is(sent.status !== 'queued', true)
  await world.cluster('start', 'store-1')
  await mustPass(world, 'alice')
})

life('a store is cut off and comes back: it catches up', async ({ world }) => {
  await world.cluster('partition', 'store-1', 'store-2,store-3,gateway-1,gateway-2,router-1,router-2,router-3')
  await world.send('alice', 'bob', 'behind a cut', '--timeout', '80s')
  const during = await world.tryCluster('check', '--timeout', '1s', '--json')
  assert.is(during.code, 1, during.stdout)
  await world.cluster('heal')
  await mustPass(world, 'alice')
})

life('a blackhole: nothing answers, and nothing is lost', async ({ world }) => {
  await world.cluster('partition', 'store-2', 'store-1,store-3,gateway-1,gateway-2', '--blackhole')
  await world.send('alice', 'bob', 'past a blackhole', '--timeout', '80s')
  const [cut, other] = await Promise.all(
    ['store-2', 'gateway-1'].map(async (name) => (await world.nodes()).find((node) => node.name === name)),
  )
  assert.equal(cut?.cuts.map(({ node, mode }) => `${node} ${mode}`).sort(), [
    'gateway-1 blackhole',
    'gateway-2 blackhole',
    'store-1 blackhole',
    'store-3 blackhole',
  ])
  assert.equal(other?.cuts, [{ node: 'store-2', mode: 'blackhole' }])
  assert.match((await world.tryCluster('ps')).stdout, /^gateway-1 is cut off from store-2 \(blackhole\)$/m)
  await world.cluster('heal')
  assert.not.match((await world.tryCluster('ps')).stdout, /cut off/)
  await mustPass(world, 'alice')
})

life('everything is killed at once and started again in another order: nothing is lost', async ({ world, bob }) => {
  const names = (await world.nodes()).map(({ name }) => name)
  const before = new Map((await world.nodes()).map(({ name, admin, ws }) => [name, `${admin} ${ws}`]))
  await world.cluster('kill', ...names)
  for (const name of [...names].reverse()) await world.cluster('start', name)
  for (const { name, admin, ws } of await world.nodes()) assert.is(`${admin} ${ws}`, before.get(name))
  const sent = await world.send('alice', 'bob', 'after the night', '--wait', 'received', '--timeout', '80s')
  assert.ok(sent.receivedAt)
  await world.send('bob', 'alice', 'good morning', '--timeout', '80s')
  const report = await mustPass(world, 'alice', 'bob')
  const { ids, found } = report.ledger as { ids: number; found: number } // the report's counts
  assert.is(found, ids)
  assert.ok(ids >= 20)
  assert.is(new Set(texts(bob)).size, texts(bob).length)
})

life('down ends paused nodes too, and leaves nothing running', async ({ world }) => {
  await world.cluster('pause', 'store-1', 'router-2')
  const inTimeMs = 12_000 + 10 * (await idleRunMs())
  const startedAt = performance.now()
  await world.cluster('down')
  assert.ok(performance.now() - startedAt < inTimeMs)
  assert.equal([...new Set((await world.nodes()).map(({ state }) => state))], ['down'])
})

life.run()
