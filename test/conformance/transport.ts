// What every PeerTransport does, as a suite run on each implementation: the one in memory and the one over libp2p.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { PeerTransport } from '../../src/node/core/ports.ts'
import { ChatError, type ErrorCode, hasCode } from '../../src/protocol/errors.ts'
import { gateAbsent, repairDigests, routeLookup, storeAppend, storeHas, storeState } from '../../src/protocol/rpc.ts'
import { eventually } from '../eventually.ts'
import { measureLateness } from '../lateness.ts'

/** Two peers that are connected. */
export interface TransportPair {
  a: PeerTransport
  b: PeerTransport
  /** Cuts the link; resolves when both sides know. */
  disconnect: () => Promise<void>
  stop: () => Promise<void>
}

const fails = async (promise: Promise<unknown>, code: ErrorCode): Promise<void> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(hasCode(error, code), `${String(error)} is not ${code}`)
}

export const transportConformance = (name: string, make: () => Promise<TransportPair>): void => {
  const test = suite<{ pair: TransportPair }>(`transport: ${name}`)
  test.before.each(async (context) => {
    context.pair = await make()
  })
  test.after.each((context) => context.pair.stop())

  test('a call brings the request, who asks, and the answer back', async ({ pair: { a, b } }) => {
    b.handle(storeAppend, ({ epoch, writes }, from) => ({
      feed: `${from} ${writes[0]?.mailboxes.join()}`,
      batch: epoch,
    }))
    const request = {
      epoch: 7,
      writes: [{ mailboxes: ['u:x', 'u:y'], sealed: Buffer.of(1), acceptedAt: 1_790_000_000_123 }],
    }
    assert.equal(await a.call(b.self, storeAppend, request), { feed: `${a.self} u:x,u:y`, batch: 7 })
  })

  test('bytes stay bytes, times stay exact, null stays null, what is absent is absent', async ({ pair: { a, b } }) => {
    let got: unknown
    b.handle(storeHas, (request) => {
      got = request
      return { has: [Buffer.of(1, 0, 1)] }
    })
    const { has } = await a.call(b.self, storeHas, {
      epoch: 1_790_000_000_123,
      items: [{ mailbox: 'ü', keys: Buffer.alloc(64, 9) }],
    })
    assert.equal([...(has[0] ?? [])], [1, 0, 1])
    const { epoch, items } = got as { epoch: number; items: { mailbox: string; keys: Uint8Array }[] } // what was sent
    assert.is(epoch, 1_790_000_000_123)
    assert.is(items[0]?.mailbox, 'ü')
    assert.instance(items[0]?.keys, Uint8Array)
    assert.is(items[0]?.keys.length, 64)
  })

  test('an answer of another shape is none, and what it did is unknown', async ({ pair: { a, b } }) => {
    for (const answer of [
      undefined,
      null,
      'kept',
      [],
      {},
      { feed: 'f' },
      { feed: 1, batch: 1 },
      { feed: 'f', batch: -1 },
    ]) {
      b.handle(storeAppend, () => answer as { feed: string; batch: number }) // as a hostile home would
      const error = await a.call(b.self, storeAppend, { epoch: 1, writes: [] }).catch((thrown: unknown) => thrown)
      assert.ok(
        error instanceof ChatError && error.code === 'RPC_INVALID' && error.outcome === 'unknown',
        String(error),
      )
    }
  })

  test('a handler may answer later, and answers may cross', async ({ pair: { a, b } }) => {
    const release = new Map<string, () => void>()
    b.handle(routeLookup, ({ user }) => new Promise((resolve) => release.set(user, () => resolve({ leases: [] }))))
    const done: string[] = []
    const calls = ['1', '2', '3'].map((user) => a.call(b.self, routeLookup, { user }).then(() => done.push(user)))
    await eventually(() => release.size === 3)
    for (const user of ['3', '1', '2']) {
      release.get(user)?.()
      await eventually(() => done.includes(user))
    }
    await Promise.all(calls)
    assert.equal(done, ['3', '1', '2'])
  })

  test('both sides may ask each other at the same time', async ({ pair: { a, b } }) => {
    a.handle(routeLookup, async ({ user }) => ({
      leases: user === 'deep' ? [] : (await a.call(b.self, routeLookup, { user: 'deep' })).leases,
    }))
    b.handle(routeLookup, async ({ user }) => ({
      leases: user === 'deep' ? [] : (await b.call(a.self, routeLookup, { user: 'deep' })).leases,
    }))
    const answers = await Promise.all([
      a.call(b.self, routeLookup, { user: 'x' }),
      b.call(a.self, routeLookup, { user: 'y' }),
    ])
    assert.equal(answers, [{ leases: [] }, { leases: [] }])
  })

  test('what a handler throws arrives as code, outcome, message and details', async ({ pair: { a, b } }) => {
    b.handle(storeState, () => {
      throw new ChatError('EPOCH_STALE', {
        message: 'old',
        outcome: 'unknown',
        details: { map: Buffer.of(5), epoch: 3 },
      })
    })
    b.handle(routeLookup, () => Promise.reject(new Error('a bug')))
    const error = await a.call(b.self, storeState, { epoch: 1 }).catch((thrown: unknown) => thrown)
    assert.instance(error, ChatError)
    const { code, outcome, message, details } = error as ChatError // just checked
    assert.equal([code, outcome, message, details?.['epoch']], ['EPOCH_STALE', 'unknown', 'old', 3])
    assert.equal(details?.['map'], Buffer.of(5))
    await fails(a.call(b.self, routeLookup, { user: 'x' }), 'INTERNAL')
  })

  test('a method that nobody handles is refused', async ({ pair: { a, b } }) => {
    const error = await a.call(b.self, repairDigests, { epoch: 1 }).catch((thrown: unknown) => thrown)
    assert.ok(error instanceof ChatError && error.outcome === 'refused', String(error))
  })

  test('one-way messages arrive in the order they were sent, and a failing handler stops nothing', async ({
    pair: { a, b },
  }) => {
    const got: string[] = []
    b.handle(gateAbsent, ({ users }, from) => {
      got.push(`${from === a.self} ${users.join()}`)
      if (users.includes('5')) throw new Error('a bug')
    })
    const all = Array.from({ length: 200 }, (_, i) => `${i}`)
    for (const user of all) a.notify(b.self, gateAbsent, { users: [user] })
    await eventually(() => got.length === all.length)
    assert.equal(
      got,
      all.map((user) => `true ${user}`),
    )
  })

  test('requests of one stream are handled in the order they were sent', async ({ pair: { a, b } }) => {
    const got: string[] = []
    b.handle(routeLookup, ({ user }) => {
      got.push(user)
      return { leases: [] }
    })
    const all = Array.from({ length: 1_000 }, (_, i) => `${i}`)
    await Promise.all(all.map((user) => a.call(b.self, routeLookup, { user })))
    assert.equal(got, all)
  })

  test('a call that is not answered in time rejects with NET_TIMEOUT', async ({ pair: { a, b } }) => {
    b.handle(routeLookup, () => new Promise(() => {}))
    const startedAt = Date.now()
    const lateness = measureLateness()
    await fails(a.call(b.self, routeLookup, { user: 'x' }, { timeoutMs: 150 }), 'NET_TIMEOUT')
    const [tookMs, ownMs] = [Date.now() - startedAt, lateness.ownMs()]
    lateness.stop()
    assert.ok(tookMs >= 145 && ownMs < 1_000, `${tookMs} ms, ${ownMs} of them its own`)
  })

  test('large requests and answers pass, several at once', async ({ pair: { a, b } }) => {
    b.handle(storeHas, ({ items }) => ({ has: items.map(({ keys }) => keys) }))
    const calls = Array.from({ length: 8 }, (_, i) => {
      const keys = Buffer.alloc(900_000, i)
      return a.call(b.self, storeHas, { epoch: 1, items: [{ mailbox: 'm', keys }] })
    })
    const answers = await Promise.all(calls)
    answers.forEach(({ has }, i) => assert.ok(Buffer.alloc(900_000, i).equals(has[0] ?? Buffer.of())))
  })

  test('a call to oneself takes the same objects, and fails in the same ways', async ({ pair: { a } }) => {
    const leases = [{ gateway: 'g', session: 's', capability: Buffer.of(1) }]
    let got: unknown
    a.handle(routeLookup, (request, from) => {
      got = { request, from }
      if (request.user === 'bad') throw new ChatError('AUTH_DENIED')
      return { leases }
    })
    const request = { user: 'x' }
    const answer = await a.call(a.self, routeLookup, request)
    assert.is(answer.leases, leases)
    assert.is((got as { request: unknown }).request, request) // set above
    assert.is((got as { from: string }).from, a.self) // set above
    await fails(a.call(a.self, routeLookup, { user: 'bad' }), 'AUTH_DENIED')
    let noticed = 0
    a.handle(gateAbsent, () => void (noticed += 1))
    a.notify(a.self, gateAbsent, { users: [] })
    await eventually(() => noticed === 1)
  })

  test('who is connected: the other one and oneself', ({ pair: { a, b } }) => {
    assert.ok(a.isConnected(a.self) && a.isConnected(b.self) && b.isConnected(a.self))
    assert.equal(a.connectedPeers().sort(), [a.self, b.self].sort())
    assert.not(a.isConnected('somebody'))
  })

  test('when the link is lost: waiting calls reject, listeners hear it, further calls are not sent', async ({
    pair,
  }) => {
    const { a, b, disconnect } = pair
    let asked = 0
    const changes: string[] = []
    b.handle(routeLookup, () => {
      asked += 1
      return new Promise(() => {})
    })
    a.onPeerChange((peer, connected) => changes.push(`${peer === b.self} ${connected}`))
    const call = a.call(b.self, routeLookup, { user: 'x' })
    call.catch(() => {})
    await eventually(() => asked === 1)
    await disconnect()
    await fails(call, 'NET_CLOSED')
    assert.equal(changes, ['true false'])
    assert.not(a.isConnected(b.self))
    await fails(a.call(b.self, routeLookup, { user: 'x' }), 'PEER_UNREACHABLE')
    a.notify(b.self, gateAbsent, { users: [] })
    await fails(a.call('somebody', routeLookup, { user: 'x' }), 'PEER_UNREACHABLE')
    assert.is(asked, 1)
  })

  test.run()
}
