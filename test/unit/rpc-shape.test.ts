// The shapes of requests and answers between nodes: what is of the wrong type anywhere is none, what is not declared does not matter.
import { inspect } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  ledgerAccept,
  routePresence,
  rpcMethods,
  storeAppend,
  storeFetch,
  storeSubscribe,
} from '../../src/protocol/rpc.ts'

const shapes = suite('rpc shapes')

/** Every value of a request in turn made another one; `undefined` leaves it out. */
const spoilt = (value: unknown, bad: unknown): unknown[] => {
  if (Array.isArray(value)) {
    return [bad, ...value.flatMap((item, i) => spoilt(item, bad).map((other) => value.toSpliced(i, 1, other)))]
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [bad]
  return [
    bad,
    ...Object.entries(value).flatMap(([field, item]) =>
      spoilt(item, bad).map((other) => ({ ...value, [field]: other })),
    ),
  ]
}

const write = { mailboxes: ['u:a', 'u:b'], sealed: Buffer.of(1), acceptedAt: 1_790_000_000_000 }
const append = { epoch: 1, writes: [write, write] }
const accept = {
  epoch: 1,
  key: 'k',
  ballot: [1, 2, 'n'],
  value: Buffer.of(1),
  quorum: [['p', 'f']],
}
const subscribe = { epoch: 1, sub: 1, mailbox: 'u:a', capability: Buffer.of(1), cursor: { feed: 'f', number: 0 } }

for (const [method, request] of [
  [storeAppend, append],
  [ledgerAccept, accept],
  [storeSubscribe, subscribe],
] as const) {
  shapes(`${method.name}: whatever is of another type is refused`, () => {
    assert.ok(method.accepts(request))
    assert.ok(method.accepts({ ...request, more: ['of', 'a', 'newer', 'version'] }))
    for (const bad of [null, -1, 1.5, Number.NaN, 2 ** 60, 1n, true, {}, [[]], () => {}, Symbol('x')]) {
      for (const wrong of spoilt(request, bad)) assert.not(method.accepts(wrong), inspect(wrong))
    }
  })
}

shapes('what is optional may lack, and nothing else', () => {
  const { cursor, ...rest } = subscribe
  assert.ok(cursor && storeSubscribe.accepts(rest))
  for (const field of Object.keys(rest)) assert.not(storeSubscribe.accepts({ ...rest, [field]: undefined }), field)
  assert.not(ledgerAccept.accepts({ ...accept, ballot: [1, 2] }))
  assert.not(ledgerAccept.accepts({ ...accept, ballot: [1, 2, 'n', 'n'] }))
})

shapes('no method takes what is no object', () => {
  for (const { name, accepts } of rpcMethods()) {
    for (const value of [undefined, null, 0, 'x', true, [], [{}]]) {
      assert.not(accepts(value), name)
    }
  }
})

shapes('answers: what may be null or lack may, and nothing else', () => {
  const record = { sealed: Buffer.of(1), acceptedAt: 1 }
  assert.ok(storeFetch.answers({ records: [record, null] }))
  for (const wrong of spoilt({ records: [record, record] }, undefined)) {
    assert.not(storeFetch.answers(wrong), inspect(wrong))
  }
  assert.ok(
    routePresence.answers({
      users: [
        ['a', true],
        ['b', false, 5],
      ],
    }),
  )
  for (const user of [['a'], [], ['a', true, -1], ['a', true, 5, 5], 'a']) {
    assert.not(routePresence.answers({ users: [user] }), inspect(user))
  }
})

shapes('no answer that says something is nothing', () => {
  for (const { name, answers, timeoutMs } of rpcMethods()) {
    if (timeoutMs !== undefined)
      for (const value of [undefined, null, 0, 'x', true, []]) assert.not(answers(value), name)
  }
})

shapes.run()
