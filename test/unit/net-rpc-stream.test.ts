// RPC over one byte stream, with two ends joined in memory: batches, deadlines, back-pressure, bounds, and ends.
import { setImmediate as turn } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FrameReader, FrameType, joinFrames } from '../../src/node/net/rpc-frames.ts'
import { RpcHandlers } from '../../src/node/net/rpc-handlers.ts'
import { RpcStream, type RpcWire } from '../../src/node/net/rpc-stream.ts'
import { silentLogger } from '../../src/platform/ports.ts'
import { ChatError, type ErrorCode, hasCode } from '../../src/protocol/errors.ts'
import { limits } from '../../src/protocol/limits.ts'
import { gatePush, routeLookup, routeUnbind } from '../../src/protocol/rpc.ts'
import { FakeClock } from '../fake-clock.ts'

type Events = Parameters<RpcWire['listen']>[0]

/** One end of a pair; what is sent arrives at the other end at once, unless that one is paused or this one full. */
class FakeWire implements RpcWire {
  other: FakeWire | undefined
  sent: Uint8Array[] = []
  isFull = false
  isPaused = false
  isEnded = false
  #events: Events | undefined
  #held: Uint8Array[] = []

  send(bytes: Uint8Array): boolean {
    if (this.isEnded) throw new Error('Cannot write to a stream that is closed')
    this.sent.push(Uint8Array.from(bytes))
    this.other?.deliver(bytes)
    return !this.isFull
  }

  deliver(bytes: Uint8Array): void {
    if (this.isPaused) this.#held.push(bytes)
    else this.#events?.data(bytes)
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    for (const bytes of this.#held.splice(0)) this.#events?.data(bytes)
  }

  drain(): void {
    this.isFull = false
    this.#events?.drained()
  }

  end(): void {
    if (this.isEnded) return
    this.isEnded = true
    const { other } = this
    if (other && !other.isEnded) setImmediate(() => other.closed())
  }

  closed(): void {
    this.isEnded = true
    this.#events?.closed()
  }

  listen(events: Events): void {
    this.#events = events
  }
}

interface End {
  wire: FakeWire
  handlers: RpcHandlers
  stream: RpcStream
  ended: number
}
const { number: lookup } = routeLookup
const MIB = 1024 * 1024

const pair = (): { a: End; b: End; clock: FakeClock } => {
  const clock = new FakeClock()
  const [a, b] = [makeEnd('b', clock), makeEnd('a', clock)]
  a.wire.other = b.wire
  b.wire.other = a.wire
  return { a, b, clock }
}
const makeEnd = (peer: string, clock: FakeClock): End => {
  const wire = new FakeWire()
  const handlers = new RpcHandlers(silentLogger)
  const end: Omit<End, 'stream'> = { wire, handlers, ended: 0 }
  const onEnd = (): void => void (end.ended += 1)
  return Object.assign(end, {
    stream: new RpcStream({ peer, wire, handlers, clock, log: silentLogger, onEnd, beats: true }),
  })
}
const fails = async (promise: Promise<unknown>, code: ErrorCode): Promise<void> => {
  try {
    await promise
  } catch (error) {
    return assert.ok(hasCode(error, code), `${String(error)} is not ${code}`)
  }
  assert.unreachable(`no ${code}`)
}
const throwsCode = (call: () => unknown, code: ErrorCode): void =>
  assert.throws(call, (error: unknown) => hasCode(error, code))

const test = suite('rpc stream')

test('all requests of one turn leave in one chunk, and so do their answers', async () => {
  const { a, b } = pair()
  b.handlers.set(routeLookup, async ({ user }) => ({
    leases: [{ gateway: user, session: '1', capability: Buffer.of(1) }],
  }))
  const answers = Array.from({ length: 100 }, (_, i) => a.stream.call(lookup, { user: `u${i}` }, 1_000))
  const found = (await Promise.all(answers)) as { leases: { gateway: string }[] }[] // what the handler answers
  assert.equal(
    found.map(({ leases }) => leases[0]?.gateway),
    answers.map((_, i) => `u${i}`),
  )
  assert.is(a.wire.sent.length, 1)
  assert.is(b.wire.sent.length, 1)
  assert.is(a.stream.heldBytes, 0)
})

test('chunks are cut at 64 KiB', async () => {
  const { a } = pair()
  for (let i = 0; i < 10; i++) a.stream.notify(gatePush.number, { items: [], pad: Buffer.alloc(20_000) })
  await turn()
  assert.is(a.wire.sent.length, 4)
  assert.ok(a.wire.sent.every((chunk) => chunk.length <= 64 * 1024))
})

test('a deadline rejects with NET_TIMEOUT, and the late answer is ignored', async () => {
  const { a, b, clock } = pair()
  let answer: (value: { leases: [] }) => void = () => {}
  b.handlers.set(routeLookup, () => new Promise((resolve) => (answer = resolve)))
  const call = a.stream.call(lookup, { user: 'u' }, 200)
  await turn()
  clock.advance(190)
  a.stream.tick(clock.monotonic())
  assert.ok(a.stream.heldBytes > 0)
  clock.advance(60)
  a.stream.tick(clock.monotonic())
  await fails(call, 'NET_TIMEOUT')
  answer({ leases: [] })
  await turn()
  assert.is(a.stream.heldBytes, 0)
})

test('errors keep code, outcome and details; an unknown thing becomes INTERNAL', async () => {
  const { a, b } = pair()
  b.handlers.set(routeLookup, ({ user }) => {
    if (user === 'x') throw new Error('oops')
    throw new ChatError('EPOCH_STALE', { details: { map: Buffer.of(1, 2) } })
  })
  await fails(a.stream.call(lookup, { user: 'x' }, 1_000), 'INTERNAL')
  const error = await a.stream.call(lookup, { user: 'y' }, 1_000).catch((thrown: unknown) => thrown)
  assert.ok(error instanceof ChatError)
  assert.equal(error.details?.['map'], Buffer.of(1, 2))
})

test('a method without a handler: not served (yet) when known, unknown when not', async () => {
  const { a } = pair()
  await fails(a.stream.call(lookup, { user: 'u' }, 1_000), 'PEER_UNREACHABLE')
  await fails(a.stream.call(60_000, {}, 1_000), 'RPC_UNKNOWN')
})

test('an answer that is too large, or details that are, come as an error', async () => {
  const { a, b } = pair()
  b.handlers.set(routeLookup, async ({ user }) => {
    if (user === 'x') throw new ChatError('EPOCH_STALE', { details: { map: Buffer.alloc(2 * MIB) } })
    return { leases: [{ gateway: 'g', session: 's', capability: Buffer.alloc(2 * MIB) }] }
  })
  await fails(a.stream.call(lookup, { user: 'u' }, 1_000), 'RPC_INVALID')
  await fails(a.stream.call(lookup, { user: 'x' }, 1_000), 'EPOCH_STALE')
})

test('while the peer does not read nothing is sent, and what timed out meanwhile never is', async () => {
  const { a, b, clock } = pair()
  b.handlers.set(routeLookup, () => ({ leases: [] }))
  a.wire.isFull = true
  const first = a.stream.call(lookup, { user: '1' }, 10_000)
  await first
  const late = a.stream.call(lookup, { user: '2' }, 100)
  const last = a.stream.call(lookup, { user: '3' }, 10_000)
  await turn()
  assert.is(a.wire.sent.length, 1)
  clock.advance(200)
  a.stream.tick(clock.monotonic())
  await fails(late, 'NET_TIMEOUT')
  a.wire.drain()
  await last
  assert.is(countFrames(a.wire.sent, FrameType.request), 2)
})

test('bytes in flight are bounded: PEER_OVERLOADED at once, and room again after the answers', async () => {
  const { a, b } = pair()
  const release: (() => void)[] = []
  b.handlers.set(routeLookup, () => new Promise((resolve) => release.push(() => resolve({ leases: [] }))))
  const request = { user: 'x'.repeat(MIB - 1_000) }
  const calls: Promise<unknown>[] = []
  throwsCode(() => {
    for (let i = 0; i < 100; i++) calls.push(a.stream.call(lookup, request, 10_000))
  }, 'PEER_OVERLOADED')
  assert.is(calls.length, Math.floor(limits.maxInFlightBytesPerPeer / (MIB - 990)))
  throwsCode(() => a.stream.notify(routeUnbind.number, request), 'PEER_OVERLOADED')
  await turn()
  for (const answer of release) answer()
  await Promise.all(calls)
  assert.is(a.stream.heldBytes, 0)
})

test('a peer that asks and does not read its answers is not read any further, until it reads', async () => {
  const { a, b } = pair()
  let served = 0
  b.handlers.set(routeLookup, () => {
    served += 1
    return { leases: [{ gateway: 'g', session: 's', capability: Buffer.alloc(500_000) }] }
  })
  b.wire.isFull = true
  const calls = Array.from({ length: 50 }, (_, i) => a.stream.call(lookup, { user: `${i}` }, 10_000))
  await turn()
  assert.ok(b.wire.isPaused)
  assert.ok(served <= 10, `${served} served`)
  while (served < 50) {
    b.wire.drain()
    await turn()
  }
  await Promise.all(calls)
})

test('a stream that is blocked for 5 s ends', () => {
  const { a, clock } = pair()
  a.wire.isFull = true
  a.stream.notify(routeUnbind.number, {})
  return turn().then(() => {
    clock.advance(5_100)
    a.stream.tick(clock.monotonic())
    assert.is(a.ended, 1)
  })
})

test('what is no request of its method gets RPC_INVALID or is dropped: no handler sees it, and the stream goes on', async () => {
  const { a, b } = pair()
  const seen: unknown[] = []
  b.handlers.set(routeLookup, (request) => {
    seen.push(request)
    return { leases: [] }
  })
  b.handlers.set(routeUnbind, (request) => void seen.push(request))
  const wrong = [undefined, null, 5, 'x', [], {}, { user: 5 }, { user: Buffer.of(1) }]
  for (const request of wrong) await fails(a.stream.call(lookup, request, 1_000), 'RPC_INVALID')
  const sessions = [{ user: 'u', session: 's', sequence: 1.5 }]
  for (const request of [...wrong, { gatewayEpoch: 1, sessions }]) a.stream.notify(routeUnbind.number, request)
  assert.equal(await a.stream.call(lookup, { user: 'u', more: 1 }, 1_000), { leases: [] })
  assert.equal(seen, [{ user: 'u', more: 1 }])
})

test('a silent stream sends a heartbeat, a busy one does not', async () => {
  const { a, clock } = pair()
  clock.advance(800)
  a.stream.tick(clock.monotonic())
  a.stream.tick(clock.monotonic())
  await turn()
  const beats = countFrames(a.wire.sent, FrameType.heartbeat)
  assert.ok(beats >= 1 && beats <= 2)
  clock.advance(100)
  a.stream.tick(clock.monotonic())
  await turn()
  assert.is(countFrames(a.wire.sent, FrameType.heartbeat), beats)
})

test('when the stream closes, requests reject with NET_CLOSED, later ones with PEER_UNREACHABLE', async () => {
  const { a, b } = pair()
  b.handlers.set(routeLookup, () => new Promise(() => {}))
  const call = a.stream.call(lookup, { user: 'u' }, 10_000)
  await turn()
  b.stream.end(new Error('gone'))
  await fails(call, 'NET_CLOSED')
  throwsCode(() => a.stream.call(lookup, {}, 1_000), 'PEER_UNREACHABLE')
  throwsCode(() => a.stream.notify(routeUnbind.number, {}), 'PEER_UNREACHABLE')
  assert.equal([a.ended, b.ended], [1, 1])
})

test('an end in order sends what waits first', async () => {
  const { a, b } = pair()
  const got: unknown[] = []
  b.handlers.set(routeUnbind, (request) => void got.push(request))
  a.stream.notify(routeUnbind.number, { gatewayEpoch: 1, sessions: [] })
  a.stream.end()
  assert.is(got.length, 1)
})

test('a send on a stream that closed a moment ago ends it, and kills nobody', async () => {
  const { a } = pair()
  a.wire.isEnded = true
  const call = a.stream.call(lookup, {}, 1_000)
  await fails(call, 'NET_CLOSED')
  assert.is(a.ended, 1)
})

test('nonsense ends the stream', async () => {
  const { a } = pair()
  a.wire.deliver(Buffer.alloc(64, 0xff))
  assert.is(a.ended, 1)
})

test('a failing one-way handler disturbs nothing; a type of a newer version is passed over', async () => {
  const { a, b } = pair()
  b.handlers.set(routeUnbind, () => Promise.reject(new Error('oops')))
  b.handlers.set(routeLookup, () => ({ leases: [] }))
  a.stream.notify(routeUnbind.number, {})
  b.wire.deliver(joinFrames([{ type: 99, id: 1, method: 1, payload: Buffer.of(1) }]))
  assert.equal(await a.stream.call(lookup, { user: 'u' }, 1_000), { leases: [] })
})

const countFrames = (chunks: Uint8Array[], type: number): number => {
  const reader = new FrameReader()
  for (const chunk of chunks) reader.push(chunk)
  let count = 0
  for (let frame = reader.next(); frame; frame = reader.next()) if (frame.type === type) count += 1
  return count
}

test.run()
