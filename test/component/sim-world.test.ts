// The simulator's world does what it says: time, processes, wires and disks, tried with services of a few lines.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hasCode } from '../../src/protocol/errors.ts'
import { mapGet, mapPush } from '../../src/protocol/rpc.ts'
import { toUtf8 } from '../../src/protocol/bytes.ts'
import { SimDisk } from '../sim/disk.ts'
import { withGuards } from '../sim/guards.ts'
import { Life } from '../sim/life.ts'
import { Network, type NetworkNoise } from '../sim/network.ts'
import { SeededRandom } from '../sim/random.ts'
import { Scheduler } from '../sim/scheduler.ts'
import { Sockets } from '../sim/sockets.ts'
import type { SimTransport } from '../sim/transport.ts'

const world = suite('sim-world')
const TIMES = { delayMs: 2, worstMs: 20, keepaliveMs: 1_000, dialMs: 10 }

interface Node {
  life: Life
  transport: SimTransport
  heard: number[]
}
const makeWorld = (noise: NetworkNoise = { notifyLoss: 0, duplicates: 0 }) => {
  const scheduler = new Scheduler((error) => {
    throw error
  })
  const random = new SeededRandom('world')
  const network = new Network({ scheduler, random, times: TIMES, noise, onDefect: () => undefined })
  const start = (peer: string): Node => {
    const life = new Life(scheduler, { skewMs: 0 })
    const transport = network.attach({ peer, life, knows: () => true })
    const heard: number[] = []
    transport.handle(mapGet, ({ epoch }) => ({ epoch: epoch + 1 }))
    transport.handle(mapPush, ({ sealed }) => {
      heard.push(sealed[0] ?? -1)
    })
    return { life, transport, heard }
  }
  return { scheduler, random, network, start }
}
const push = (from: Node, to: string, count: number): void => {
  for (let i = 0; i < count; i++) from.transport.notify(to, mapPush, { sealed: Uint8Array.of(i) })
}
const rising = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

world('events run in the order of time, and promises settle in between', async () => {
  const { scheduler } = makeWorld()
  const seen: string[] = []
  for (const [ms, name] of [
    [5, 'b'],
    [1, 'a'],
    [5, 'c'],
  ] as const) {
    scheduler.after(ms, () => {
      seen.push(name)
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => seen.push(`${name}'`))
    })
  }
  await scheduler.runUntil(10)
  assert.is(seen.join(' '), "a a' b b' c c'")
  assert.is(scheduler.now, 10)
})

world('calls are answered and what is sent on one stream keeps its order', async () => {
  const { scheduler, start } = makeWorld()
  const [a, b] = [start('a'), start('b')]
  await scheduler.runUntil(100)
  assert.equal(a.transport.connectedPeers(), ['a', 'b'])
  let epoch = 0
  void a.transport.call('b', mapGet, { epoch: 4 }).then((answer) => (epoch = answer.epoch))
  push(a, 'b', 50)
  await scheduler.runUntil(1_000)
  assert.is(epoch, 5)
  assert.equal(b.heard, rising(50))
})

world('a short cut delays, a long one breaks the connection, and healing makes a new one', async () => {
  const { scheduler, network, start } = makeWorld()
  const [a, b] = [start('a'), start('b')]
  await scheduler.runUntil(100)
  network.setCut('a', 'b', true)
  push(a, 'b', 3)
  await scheduler.runUntil(300)
  assert.equal(b.heard, [])
  network.setCut('a', 'b', false)
  await scheduler.runUntil(600)
  assert.equal(b.heard, [0, 1, 2])
  network.setCut('a', 'b', true)
  let code = ''
  a.transport
    .call('b', mapGet, { epoch: 1 })
    .catch((error: unknown) => (code = hasCode(error, 'NET_CLOSED') ? 'closed' : String(error)))
  await scheduler.runUntil(3_000)
  assert.is(code, 'closed')
  assert.not(a.transport.isConnected('b') || b.transport.isConnected('a'))
  network.healAll()
  await scheduler.runUntil(3_100)
  assert.ok(a.transport.isConnected('b') && b.transport.isConnected('a'))
})

world('a killed process is noticed at once, a machine without power after a while', async () => {
  for (const [how, knowsAt] of [
    ['process', 200],
    ['power', 2_000],
  ] as const) {
    const { scheduler, start } = makeWorld()
    const [a, b] = [start('a'), start('b')]
    await scheduler.runUntil(100)
    push(b, 'a', 2)
    b.life.kill(how)
    await scheduler.runUntil(200)
    assert.is(a.transport.isConnected('b'), how === 'power')
    assert.equal(a.heard, [0, 1], 'what had left still arrives')
    await scheduler.runUntil(knowsAt)
    assert.not(a.transport.isConnected('b'))
  }
})

world('a stopped process does later, in order, what it would have done', async () => {
  const { scheduler, start } = makeWorld()
  const [a, b] = [start('a'), start('b')]
  await scheduler.runUntil(100)
  b.life.pause()
  let fired = 0
  b.life.clock.after(50, () => (fired = scheduler.now))
  push(a, 'b', 20)
  await scheduler.runUntil(400)
  assert.equal([b.heard, fired], [[], 0])
  b.life.resume()
  await scheduler.runUntil(500)
  assert.equal(b.heard, rising(20))
  assert.is(fired, 400)
})

world('noise loses and doubles one-way messages', async () => {
  const { scheduler, start } = makeWorld({ notifyLoss: 0.3, duplicates: 0.3 })
  const [a, b] = [start('a'), start('b')]
  await scheduler.runUntil(100)
  push(a, 'b', 200)
  await scheduler.runUntil(2_000)
  const distinct = new Set(b.heard).size
  assert.ok(distinct > 100 && distinct < 180, `${distinct} of 200`)
  assert.ok(b.heard.length > distinct + 20, 'some came twice')
})

world('a client’s frames arrive in order, and not at all over a broken connection', async () => {
  const { scheduler, random } = makeWorld()
  const tap = { toClient() {}, fromClient() {} }
  const sockets = new Sockets({ scheduler, random, times: TIMES, tap })
  const [client, gateway] = [new Life(scheduler, { skewMs: 0 }), new Life(scheduler, { skewMs: 0 })]
  const heard: string[] = []
  await sockets.listener('g', gateway).start((socket) => ({
    message: (text) => {
      heard.push(text)
      socket.send(`${text}!`)
    },
    closed: () => heard.push('closed'),
  }))
  const back: string[] = []
  const handlers = { message: (text: string) => back.push(text), closed: () => back.push('closed') }
  const dialled = sockets.dial('c', client)('ws://g', handlers)
  await scheduler.runUntil(100)
  const link = await dialled
  link.send('1')
  link.send('2')
  await scheduler.runUntil(300)
  assert.equal(
    [heard, back],
    [
      ['1', '2'],
      ['1!', '2!'],
    ],
  )
  link.send('3')
  for (const socket of sockets.open) socket.link.reset()
  await scheduler.runUntil(600)
  assert.equal(
    [heard, back],
    [
      ['1', '2', 'closed'],
      ['1!', '2!', 'closed'],
    ],
  )
  assert.is(sockets.open.size, 0)
})

const key = (n: number): Uint8Array => toUtf8(`k${n}`)
const put = (n: number) => [{ key: key(n), value: toUtf8(`v${n}`) }]

world(
  'a power cut takes unsynced writes and nothing else; a killed process loses nothing that was written',
  async () => {
    const { scheduler } = makeWorld()
    let lost = 0
    for (let round = 0; round < 20; round++) {
      const disk = new SimDisk(new SeededRandom(`disk ${round}`), { readMs: 0, writeMs: 0.1, syncMs: 1, worstMs: 1 })
      const life = new Life(scheduler, { skewMs: 0 })
      const database = await disk.for(life).openDatabase('d')
      const begun = scheduler.now
      void database.batch(put(1), { sync: false })
      void database.batch(put(2), { sync: true })
      await scheduler.runUntil(begun + 50)
      void database.batch(put(3), { sync: false })
      await scheduler.runUntil(begun + 100)
      life.kill()
      disk.processDied()
      const { store } = disk.database('d')
      assert.is(store.size, 3)
      disk.powerCut()
      assert.ok(store.get(key(1)) && store.get(key(2)))
      if (!store.get(key(3))) lost++
    }
    assert.ok(lost > 3 && lost < 17, `${lost} of 20`)
  },
)

world('a full disk breaks the handle until it is opened anew', async () => {
  const { scheduler } = makeWorld()
  const disk = new SimDisk(new SeededRandom('full'), { readMs: 0, writeMs: 0.1, syncMs: 1, worstMs: 1 })
  const life = new Life(scheduler, { skewMs: 0 })
  const database = await disk.for(life).openDatabase('d')
  const outcomes: string[] = []
  const write = (): void =>
    void database.batch(put(1), { sync: true }).then(
      () => outcomes.push('ok'),
      () => outcomes.push('failed'),
    )
  disk.isFull = true
  write()
  await scheduler.runUntil(50)
  disk.isFull = false
  write()
  await scheduler.runUntil(100)
  assert.equal(outcomes, ['failed', 'failed'])
  await database.close()
  const again = await disk.for(life).openDatabase('d')
  void again.batch(put(1), { sync: true })
  await scheduler.runUntil(150)
  assert.ok(again.get(key(1)))
})

world('damage is damage: a bit, a piece of the log', () => {
  const { store } = new SimDisk(new SeededRandom('x'), { readMs: 0, writeMs: 0, syncMs: 0, worstMs: 0 }).database('d')
  for (let i = 0; i < 10; i++) store.apply(put(i), true)
  assert.is(store.loseBatches(2, 3), 3)
  assert.equal(
    store.entries().map(([k]) => Buffer.from(k).toString()),
    ['k0', 'k1', 'k2', 'k3', 'k4', 'k8', 'k9'],
  )
  store.flipBit(0)
  assert.is.not(Buffer.from(store.get(key(0)) ?? []).toString(), 'v0')
})

world('during a run nobody gets real time or randomness', async () => {
  await withGuards(async () => {
    for (const forbidden of [() => Date.now(), () => new Date(), () => Math.random(), () => setTimeout(() => {}, 1)]) {
      assert.throws(forbidden, /simulation/)
    }
    assert.is(new Date(0).getTime(), 0)
  })
  assert.ok(Date.now() > 0)
})

world('equal seeds give equal numbers', () => {
  const numbers = (name: string): number[] =>
    Array.from({ length: 5 }, () => new SeededRandom(name).between(1, 1_000_000))
  assert.equal(numbers('a'), numbers('a'))
  const one = new SeededRandom('a')
  assert.is.not(one.fork('x').float(), one.fork('y').float())
})

world.run()
