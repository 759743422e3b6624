// The pure parts of a gateway: rates, gathering answers, nearest routers, frames put together by hand, the table of leases.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { gather, type GatherOptions } from '../../src/node/gateway/gather.ts'
import { isBase64, pushText, recordText, storedText } from '../../src/node/gateway/gateway-frames.ts'
import { RouterRing } from '../../src/node/gateway/router-ring.ts'
import { TokenBucket } from '../../src/node/core/token-bucket.ts'
import { gatewayFrames } from '../../src/protocol/frames.ts'
import { sha256 } from '../../src/protocol/signing.ts'
import { ManualClock } from '../component/gateway-clock.ts'
import { makeMap, PlainView } from '../component/mailboxes-homes.ts'
import { MemoryNetwork } from '../memory-transport.ts'

const bucket = suite('token bucket')

bucket('takes a burst, then the rate', () => {
  const tokens = new TokenBucket({ perSecond: 10, burst: 3 }, 0)
  assert.equal(
    [1, 2, 3, 4].map(() => tokens.take(1, 0)),
    [true, true, true, false],
  )
  assert.equal(
    [99, 100, 150, 200].map((now) => tokens.take(1, now)),
    [false, true, false, true],
  )
  assert.equal(
    [1, 2, 3, 4].map(() => tokens.take(1, 1e9)),
    [true, true, true, false],
  )
})

bucket('takes nothing when there is too little', () => {
  const tokens = new TokenBucket({ perSecond: 1, burst: 10 }, 0)
  assert.not(tokens.take(11, 0))
  assert.ok(tokens.take(10, 0))
})

bucket.run()

const gathering = suite('gather')

interface Run {
  clock: ManualClock
  started: number[]
  late: number[]
  finish: (candidate: number, ok?: boolean) => Promise<void>
  result: () => number[] | undefined
}
const run = (change: Partial<GatherOptions<number, number>> = {}): Run => {
  const clock = new ManualClock()
  const started: number[] = []
  const late: number[] = []
  const open = new Map<number, { resolve: (value: number) => void; reject: (error: Error) => void }>()
  let result: number[] | undefined
  const options = { clock, candidates: [1, 2, 3, 4], needed: 2, hedgeMs: 100, patienceMs: 500 }
  const attempt = (candidate: number): Promise<number> => {
    started.push(candidate)
    return new Promise((resolve, reject) => open.set(candidate, { resolve, reject }))
  }
  void gather({ ...options, attempt, onLate: (one) => late.push(one), ...change }).then((found) => (result = found))
  const finish = async (candidate: number, ok = true): Promise<void> => {
    if (ok) open.get(candidate)?.resolve(candidate)
    else open.get(candidate)?.reject(new Error('no'))
    await clock.advance(0)
  }
  return { clock, started, late, finish, result: () => result }
}

gathering('starts as many as are needed, and ends with that many', async () => {
  const { started, finish, result } = run()
  assert.equal(started, [1, 2])
  await finish(2)
  assert.is(result(), undefined)
  await finish(1)
  assert.equal(result(), [2, 1])
})

gathering('a failure makes room for the next candidate at once', async () => {
  const { started, finish, result } = run()
  await finish(1, false)
  assert.equal(started, [1, 2, 3])
  await finish(2, false)
  await finish(3)
  await finish(4)
  assert.equal(result(), [3, 4])
})

gathering('a slow candidate gets company, and what it still answers is handed over', async () => {
  const { clock, started, finish, result, late } = run()
  await finish(1)
  await clock.advance(100)
  assert.equal(started, [1, 2, 3])
  await finish(3)
  assert.equal(result(), [1, 3])
  await finish(2)
  assert.equal(late, [2])
})

gathering('ends with fewer when all have answered, or when patience ends', async () => {
  const few = run({ candidates: [1, 2] })
  await few.finish(1, false)
  await few.finish(2)
  assert.equal(few.result(), [2])
  const slow = run({ candidates: [1, 2] })
  await slow.finish(1)
  await slow.clock.advance(499)
  assert.is(slow.result(), undefined)
  await slow.clock.advance(1)
  assert.equal(slow.result(), [1])
  const none = run({ candidates: [] })
  await none.clock.advance(0)
  assert.equal(none.result(), [])
})

gathering('without any answer it waits, however long', async () => {
  const { clock, result, finish } = run({ candidates: [1] })
  await clock.advance(10_000)
  assert.is(result(), undefined)
  await finish(1)
  assert.equal(result(), [1])
})

gathering.run()

const ring = suite('router ring')

ring('the nearest by XOR of hashes among the connected, the same for everybody', () => {
  const network = new MemoryNetwork()
  const routers = Array.from({ length: 8 }, (_, i) => `router-${i}`)
  for (const name of [...routers, 'gw']) network.transport(name)
  network.connectAll()
  const nodes = routers.map((peer) => ({
    peer,
    key: '',
    name: peer,
    roles: ['router' as const],
    weight: 1,
    addresses: [],
  }))
  const made = new RouterRing(network.transport('gw'), new PlainView(makeMap(1, { nodes })))
  const distance = (user: string, peer: string): bigint =>
    BigInt(`0x${sha256(Buffer.from(user)).toString('hex')}`) ^ BigInt(`0x${sha256(Buffer.from(peer)).toString('hex')}`)
  for (const user of ['alice', 'bob', 'carol']) {
    const expected = routers.toSorted((a, b) => (distance(user, a) < distance(user, b) ? -1 : 1))
    assert.equal(made.nearest(user, 3), expected.slice(0, 3))
  }
  const [first = ''] = made.nearest('alice', 1)
  network.isolate(first)
  made.forget()
  assert.not(made.nearest('alice', 8).includes(first))
  assert.is(made.nearest('alice', 8).length, 7)
})

ring.run()

const frames = suite('frames by hand')

frames('are what their declaration says', () => {
  const record = recordText(Buffer.from('anything').toString('base64'), 5)
  const push: unknown = JSON.parse(pushText(`${record},${record}`))
  assert.ok(v.is(gatewayFrames['record.push'].schema, push))
  const stored: unknown = JSON.parse(storedText(7, 9))
  assert.equal(stored, { t: 'record.stored', id: 7, at: 9 })
})

frames('only canonical base64 is taken over as it is', () => {
  for (const text of ['AAAA', 'AA==', 'AAA=', '+/+/']) assert.ok(isBase64(text), text)
  for (const text of ['', 'A', 'AA=', 'AA"A', 'AA\\n', '-_-_', 'AA==AA==', '====', ' AAA', 'AAAA\n']) {
    assert.not(isBase64(text), text)
  }
})

frames.run()
