// record.put: every check before the write, what is refused and what is unknown, repeats, limits, and what may not get any further.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { armMutant } from '../../src/platform/mutants.ts'
import { toBase64, toHex } from '../../src/protocol/bytes.ts'
import { clientFrames, type ClientFrameType } from '../../src/protocol/frames.ts'
import { limits } from '../../src/protocol/limits.ts'
import { conversationOf } from '../../src/protocol/names.ts'
import { deviceIdOf } from '../../src/protocol/records.ts'
import { eventually } from '../eventually.ts'
import { turns } from './gateway-clock.ts'
import { cluster, type Frame, nextId, single, type TestClient, World, type WorldOptions } from './gateway-world.ts'

const put = suite('gateway: put')
put.after.each(() => World.stopAll())

const withAlice = (
  name: string,
  run: (alice: TestClient, world: World) => Promise<void>,
  options: WorldOptions = { nodes: single },
): void => {
  put(name, async () => {
    const world = await World.start(options)
    const gateway = options.nodes.find(({ roles }) => roles.includes('gateway'))?.name ?? ''
    try {
      await world.register('bob')
      await run(await world.login(await world.register('alice'), gateway), world)
    } finally {
      armMutant(undefined)
    }
  })
}
const outcome = (frame: Frame): string => (frame.t === 'error' ? [frame.code, frame.outcome].join(' ') : frame.t)

const authored = (alice: TestClient, to = 'bob'): Record<string, unknown> & { k: string } => {
  const { user, key } = alice.device ?? { user: '', key: { publicKey: new Uint8Array(32) } }
  const at = alice.world.clock.now()
  const common = { id: nextId(), from: user, dev: deviceIdOf(key.publicKey), to, at }
  return { k: 'msg', ...common, conv: conversationOf(user, to), seq: 1, ct: 'chat/1' }
}
const GROUP = '#01929b2e-7e10-7f4a-8c3d-1a2b3c4d5e6f'
type Change = (header: Record<string, unknown>, now: number) => Record<string, unknown>
const HEADERS: [name: string, change: Change, outcome: string][] = [
  ['as it should be', (h) => h, 'record.stored'],
  ['from another user', (h) => ({ ...h, from: 'mallory' }), 'MESSAGE_INVALID refused'],
  ['from another device', (h) => ({ ...h, dev: '0123456789abcdef' }), 'MESSAGE_INVALID refused'],
  ['to nobody', (h) => ({ ...h, to: 'nobody', conv: 'alice:nobody' }), 'USER_UNKNOWN refused'],
  ['to an illegal name', (h) => ({ ...h, to: 'No Body' }), 'MESSAGE_INVALID refused'],
  ['to the name of a group', (h) => ({ ...h, to: '#ops', conv: '#ops' }), 'MESSAGE_INVALID refused'],
  ['to a group', (h) => ({ ...h, to: GROUP, conv: GROUP, gv: 1 }), 'GROUP_UNAVAILABLE refused'],
  ['that changes a group', (h) => ({ ...h, k: 'group', to: GROUP, v: 1, change: 'create' }), 'MESSAGE_INVALID refused'],
  ['in another conversation', (h) => ({ ...h, conv: 'bob:carol' }), 'MESSAGE_INVALID refused'],
  ['an hour ahead', (h, now) => ({ ...h, at: now + 3_600_000 }), 'MESSAGE_TIME refused'],
  ['ten minutes ahead', (h, now) => ({ ...h, at: now + 600_000 }), 'record.stored'],
  ['older than the retention', (h, now) => ({ ...h, at: now - 2 * limits.defaultRetentionMs }), 'MESSAGE_TIME refused'],
  ['already expired', (h, now) => ({ ...h, exp: now - 1 }), 'MESSAGE_INVALID refused'],
  ['to oneself', (h) => ({ ...h, to: 'alice', conv: 'alice:alice' }), 'record.stored'],
  ['of an unknown kind', (h) => ({ ...h, k: 'nonsense' }), 'MESSAGE_INVALID refused'],
  ['a void', (h) => ({ ...h, k: 'void' }), 'record.stored'],
  ['a receipt', (h) => ({ ...h, k: 'rcpt', st: 'read', r: [['0123456789abcdef', 1, 2]] }), 'record.stored'],
  [
    'a receipt for oneself',
    (h) => ({ ...h, k: 'rcpt', to: 'alice', conv: 'alice:alice', st: 'read', r: [['0123456789abcdef', 1, 2]] }),
    'MESSAGE_INVALID refused',
  ],
  [
    'a receipt of too many ranges',
    (h) => ({
      ...h,
      k: 'rcpt',
      st: 'read',
      r: Array.from({ length: 201 }, (_, i) => ['0123456789abcdef', i + 1, i + 1]),
    }),
    'MESSAGE_INVALID refused',
  ],
  ['a setting', (h) => ({ ...h, k: 'set', to: 'alice', key: 'block/bob' }), 'record.stored'],
  ['a setting for another', (h) => ({ ...h, k: 'set', key: 'block/bob' }), 'MESSAGE_INVALID refused'],
  ['a certificate', (h) => ({ ...h, k: 'cert' }), 'MESSAGE_INVALID refused'],
]
for (const [name, change, expected] of HEADERS) {
  withAlice(`a record ${name}: ${expected}`, async (alice, world) => {
    const header = change(authored(alice), world.clock.now()) as { k: string }
    assert.is(outcome(await alice.put(alice.seal(header))), expected)
  })
}

withAlice('bodies that are too large, and bytes that are no record, are refused', async (alice) => {
  const large = alice.seal(authored(alice), new Uint8Array(limits.maxRecordBytes))
  assert.is(outcome(await alice.put(large)), 'MESSAGE_TOO_LARGE refused')
  const setting = alice.seal({ ...authored(alice, 'alice'), k: 'set', key: 'x' }, new Uint8Array(20_000))
  assert.is(outcome(await alice.put(setting)), 'MESSAGE_INVALID refused')
  for (const record of ['', 'AAAA', '"', 'A"AA', 'AA=A', 'AAA', toBase64(Buffer.alloc(200)), '-_-_']) {
    assert.is(outcome(await alice.request('record.put', { record })), 'MESSAGE_INVALID refused', record)
  }
})

withAlice(
  'the same record again is stored again, once',
  async (alice, world) => {
    const bob = await world.login(await world.register('bob'), 'gateway-1')
    await bob.openFeed()
    const sealed = alice.message('bob', 'hello')
    for (let i = 0; i < 3; i++) assert.is(outcome(await alice.put(sealed)), 'record.stored')
    await eventually(() => [...bob.pagedKeys().values()].filter((keys) => keys.length > 0).length === 2)
    for (const keys of bob.pagedKeys().values()) assert.is(keys.length, 1)
  },
  { nodes: cluster(1) },
)

withAlice(
  'refused while too few stores are there; unknown when they go in the middle',
  async (alice, world) => {
    assert.is(outcome(await alice.say('bob', 'one')), 'record.stored')
    world.network.isolate('store-1')
    assert.is(outcome(await alice.say('bob', 'two')), 'record.stored')
    world.network.filter = (_from, _to, method) => method !== 'store.append'
    const waiting = alice.say('bob', 'three')
    await turns()
    world.network.isolate('store-2')
    assert.is(outcome(await waiting), 'OUTCOME_UNKNOWN unknown')
    assert.is(outcome(await alice.say('bob', 'four')), 'QUORUM_UNAVAILABLE refused')
  },
  { nodes: cluster(1) },
)

withAlice('mutant: the sender’s own copy is left out', async (alice, world) => {
  armMutant('own-copy-skipped')
  assert.is(outcome(await alice.say('bob', 'hello')), 'record.stored')
  armMutant(undefined)
  const laptop = await world.login(await world.register('alice', 'laptop'), 'all')
  await laptop.openFeed()
  await eventually(() => laptop.ofType('feed.page').length === 1)
  assert.equal([...laptop.pagedKeys().values()].flat(), [])
})

withAlice(
  'a device that sends too fast is refused for the moment; another device of the user is not',
  async (alice, world) => {
    const laptop = await world.login(await world.register('alice', 'laptop'), 'all')
    const answers = await Promise.all(Array.from({ length: 12 }, () => alice.say('bob', 'hello')))
    assert.is(answers.filter((answer) => answer.t === 'record.stored').length, 10)
    assert.equal(answers.slice(10).map(outcome), ['RATE_LIMITED refused', 'RATE_LIMITED refused'])
    const second = world.connect('all')
    if (alice.device) await second.login(alice.device)
    assert.is(outcome(await second.say('bob', 'hello')), 'RATE_LIMITED refused', 'its sessions share the limit')
    assert.is(outcome(await laptop.say('bob', 'hello')), 'record.stored')
  },
  { nodes: single, gateway: { rate: { perSecond: 0.001, burst: 10 } } },
)

withAlice('no more than so many requests of a session are under way', async (alice, world) => {
  const { mailboxes } = world.node('all')
  mailboxes.append = () => new Promise(() => {})
  await alice.request('certificate.get', { user: 'bob' })
  assert.ok(mailboxes.isKnownUser('bob'))
  const waiting = Array.from({ length: limits.maxInFlightPerSession }, () => alice.say('bob', 'hello'))
  assert.is(waiting.length, limits.maxInFlightPerSession)
  assert.is(world.gateway('all').status().inFlight, limits.maxInFlightPerSession)
  assert.is(outcome(await alice.say('bob', 'one more')), 'RATE_LIMITED refused')
})

withAlice('certificates of a user, and of nobody', async (alice) => {
  const list = await alice.request('certificate.get', { user: 'bob' })
  assert.is((list.certificates as string[]).length, 1)
  assert.is(outcome(await alice.request('certificate.get', { user: 'nobody' })), 'USER_UNKNOWN refused')
})

const MALFORMED: [text: string, code: string, id?: number][] = [
  ['', 'FRAME_INVALID'],
  ['{', 'FRAME_INVALID'],
  ['null', 'FRAME_INVALID'],
  ['[]', 'FRAME_INVALID'],
  ['"ping"', 'FRAME_INVALID'],
  ['{}', 'FRAME_INVALID'],
  ['{"t":5,"id":1}', 'FRAME_INVALID', 1],
  ['{"t":"nonsense","id":1}', 'FRAME_UNKNOWN', 1],
  ['{"t":"__proto__","id":1}', 'FRAME_UNKNOWN', 1],
  ['{"t":"constructor","id":1}', 'FRAME_UNKNOWN', 1],
  ['{"t":"ping"}', 'FRAME_INVALID'],
  ['{"t":"ping","id":"1"}', 'FRAME_INVALID'],
  ['{"t":"ping","id":-1}', 'FRAME_INVALID'],
  ['{"t":"ping","id":1.5}', 'FRAME_INVALID'],
  ['{"t":"record.put","id":1}', 'FRAME_INVALID', 1],
  ['{"t":"record.put","id":1,"record":{}}', 'FRAME_INVALID', 1],
  [`{"t":"record.put","id":1,"record":"${'A'.repeat(190_000)}"}`, 'FRAME_INVALID', 1],
  ['{"t":"feed.open","id":1,"cursors":5}', 'FRAME_INVALID', 1],
  ['{"t":"feed.open","id":1,"cursors":{"x":{"feed":"f","number":-1}}}', 'FRAME_INVALID', 1],
  [`{"t":"certificate.get","id":1,"user":"${'x'.repeat(65)}"}`, 'FRAME_INVALID', 1],
]
withAlice('malformed frames are errors with the request’s id, and the session goes on', async (alice) => {
  for (const [text, code, id] of MALFORMED) {
    alice.raw(text)
    const answer = alice.frames.at(-1)
    assert.equal([answer?.t, answer?.code, answer?.id], ['error', code, id], text.slice(0, 80))
  }
  assert.is((await alice.request('ping', { unheardOf: true })).t, 'pong')
})

withAlice('no frame of any type with random fields gets an internal error', async (alice) => {
  const values = [undefined, null, 0, -1, 1e21, '', 'x', 'AAAA', [], {}, true, '\u0000', { feed: 'x', number: 1 }]
  const types = Object.keys(clientFrames) as ClientFrameType[]
  const fields = ['certificate', 'nonce', 'record', 'cursors', 'keys', 'home', 'user', 'claim', 'code', 'capability']
  for (const type of types) {
    for (const value of values) {
      const answer = await alice.request(type, Object.fromEntries(fields.map((field) => [field, value])))
      assert.is.not(answer.code, 'INTERNAL', `${type} ${JSON.stringify([value, answer])}`)
    }
  }
})

withAlice('what others wrote cannot break out of a pushed frame', async (alice, world) => {
  const bob = await world.login(await world.register('bob'), 'all')
  const sealed = alice.message('bob', '"],[{"\\\u2028')
  await alice.put(sealed)
  await eventually(() => bob.pushed().length === 1)
  assert.is(toHex(Buffer.from(bob.pushed()[0] ?? '', 'base64')), toHex(sealed))
})

put.run()
