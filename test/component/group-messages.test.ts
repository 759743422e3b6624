// Messages to groups: one copy for each member whatever dies, nothing from or to those who were removed, honest about what is unknown,
// a thousand members, and nobody floods the others.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ChatError } from '../../src/protocol/errors.ts'
import { homesOf } from '../../src/node/replication/placement.ts'
import type { GroupState } from '../../src/protocol/group.ts'
import { toBase64, toHex } from '../../src/protocol/bytes.ts'
import { openRecord, recordKey } from '../../src/protocol/records.ts'
import { eventually } from '../eventually.ts'
import { ManualClock } from './gateway-clock.ts'
import { type Frame, nextId, type NodePlan, type TestClient, World, type WorldOptions } from './gateway-world.ts'
import {
  changed,
  copiesOf,
  created,
  everything,
  groupCluster,
  isPushed,
  messageTo,
  newGroupId,
  openCount,
  outcome,
  propose,
  versionBy,
} from './group-world.ts'

const messages = suite('group: messages')
messages.after.each(() => World.stopAll())

type Ledger = 'memory' | 'homes'
/** What must hold whatever keeps the versions and messages of groups. */
const onBoth = (name: string, run: (ledger: Ledger) => Promise<void>): void => {
  for (const ledger of ['memory', 'homes'] as const) messages(`${name} (${ledger})`, () => run(ledger))
}

interface Cast {
  world: World
  alice: TestClient
  /** Another device of alice. */
  tablet: TestClient
  bob: TestClient
  carol: TestClient
  state: GroupState
}
/** alice owns #ops, bob is in it, carol is not. */
const start = async (options: Partial<WorldOptions> = {}): Promise<Cast> => {
  const world = await World.start({ nodes: everything, ...options })
  const gateways = [...world.nodes.values()].flatMap(({ name, gateway }) => (gateway ? [name] : []))
  const login = async (user: string, index: number, device?: string): Promise<TestClient> =>
    world.login(await world.register(user, device), gateways[index % gateways.length] ?? '')
  const [alice, bob, carol] = [await login('alice', 0), await login('bob', 1), await login('carol', 1)]
  const tablet = await login('alice', 1, 'tablet')
  return { world, alice, tablet, bob, carol, state: await inTime(world, created(alice, '#ops', ['bob'])) }
}
/** Lets time pass, if it is up to us, until the promise has settled. */
const inTime = async <T>({ clock }: World, promise: Promise<T>): Promise<T> => {
  let isSettled = false
  const settle = (): void => {
    isSettled = true
  }
  promise.then(settle, settle)
  while (clock instanceof ManualClock && !isSettled) await clock.advance(20)
  return promise
}
const isEverywhere = async (world: World, users: string[], sealed: Uint8Array): Promise<boolean> => {
  const counts = await Promise.all(users.map((user) => copiesOf(world, user, sealed)))
  const stores = [...world.nodes.values()].filter(({ store }) => store !== undefined).length
  return counts.every((count) => count === Math.min(3, stores))
}

onBoth('a message is stored, pushed to every member’s devices, and in every mailbox once', async (ledger) => {
  const { world, alice, tablet, bob, carol, state } = await start({ nodes: groupCluster, ledger })
  const sealed = messageTo(alice, state, 'hello')
  assert.is(outcome(await alice.put(sealed)), 'record.stored')
  await eventually(() => isPushed(bob, sealed) && isPushed(tablet, sealed))
  await eventually(() => isEverywhere(world, ['alice', 'bob'], sealed))
  assert.is(isPushed(alice, sealed) || isPushed(carol, sealed), false)
  assert.is(await copiesOf(world, 'carol', sealed), 0)
  await eventually(async () => (await openCount(world)) === 0)
  await bob.openFeed()
  await eventually(() => bob.pagedKeys().size === 2)
  for (const found of bob.pagedKeys().values()) assert.is(new Set(found).size, found.length)
  assert.is(bob.pushed().filter((base64) => base64 === toBase64(sealed)).length, 1)
})

const REFUSED: [name: string, send: (cast: Cast) => Promise<Frame>, outcome: string][] = [
  ['by an outsider', ({ carol, state }) => carol.put(messageTo(carol, state, 'x')), 'GROUP_DENIED refused'],
  [
    'to a group that does not exist',
    ({ alice }) => alice.put(alice.message(newGroupId(), 'x', { gv: 1 })),
    'GROUP_UNKNOWN refused',
  ],
  [
    'at a version that does not exist',
    ({ alice, state }) => alice.put(messageTo(alice, { ...state, version: 9 }, 'x')),
    'GROUP_UNAVAILABLE refused',
  ],
]
for (const [name, send, expected] of REFUSED) {
  messages(`a message ${name}: ${expected}`, async () => {
    const cast = await start()
    assert.is(outcome(await send(cast)), expected)
    assert.is([...cast.world.ledger.kept.values()].length, 1, 'only the group itself was sent')
  })
}

messages('a node that missed a removal neither takes from nor gives to the removed', async () => {
  const { world, alice, bob, state } = await start()
  const first = messageTo(bob, state, 'while a member')
  assert.is(outcome(await bob.put(first)), 'record.stored')
  // Another group node decides; this one still knows the version before.
  const removal = versionBy(alice, state, { change: 'remove', users: ['bob'] })
  world.ledger.versions.get(state.group)?.push(removal)
  const sealed = messageTo(alice, state, 'without bob')
  assert.is(outcome(await alice.put(sealed)), 'record.stored')
  await eventually(() => isEverywhere(world, ['alice'], sealed))
  assert.is(await copiesOf(world, 'bob', sealed), 0)
  assert.is(isPushed(bob, sealed), false)
  assert.is(outcome(await bob.put(messageTo(bob, state, 'no more'))), 'GROUP_DENIED refused')
  // What was taken in time stays so, however often it is asked for.
  assert.is(outcome(await bob.put(first)), 'record.stored')
})

messages(
  'whoever was removed takes back the numbers of what was refused, and reaches the members with nothing else',
  async () => {
    const { world, alice, bob, carol, state } = await start()
    await changed(alice, state, { change: 'remove', users: ['bob'] })
    const voidOf = (client: TestClient, seq: number, note?: string): Buffer => {
      const { header } = openRecord(messageTo(client, state, 'x'))
      const { from, dev, to, at } = header
      const extra = note === undefined ? {} : { note }
      return client.seal({ k: 'void', id: nextId(), from, dev, to, at, conv: state.group, seq, ...extra })
    }
    assert.is(outcome(await bob.put(messageTo(bob, state, 'too late'))), 'GROUP_DENIED refused')
    const taken = voidOf(bob, 1)
    assert.is(outcome(await bob.put(taken)), 'record.stored')
    await eventually(() => isEverywhere(world, ['alice', 'bob'], taken))
    await eventually(() => isPushed(alice, taken))
    assert.is(outcome(await bob.put(voidOf(bob, 2, 'a long letter'.repeat(100)))), 'GROUP_DENIED refused')
    assert.is(outcome(await carol.put(voidOf(carol, 1))), 'GROUP_DENIED refused', 'who never was a member')
    let sent = 0
    for (let last = 'record.stored'; last === 'record.stored' && sent < 300; sent++) {
      last = outcome(await bob.put(voidOf(bob, 2 + sent)))
    }
    assert.ok(sent < 300, 'not without end')
  },
)

messages('a message that meets a change goes to the new members', async () => {
  const { world, alice, carol, state } = await start()
  const addition = versionBy(alice, state, { change: 'add', users: ['carol'] })
  world.ledger.before = (method) => {
    if (method !== 'fanOut') return
    world.ledger.before = () => {}
    world.ledger.versions.get(state.group)?.push(addition)
  }
  const sealed = messageTo(alice, state, 'hello')
  assert.is(outcome(await alice.put(sealed)), 'record.stored')
  await eventually(() => isPushed(carol, sealed))
  await eventually(() => isEverywhere(world, ['alice', 'bob', 'carol'], sealed))
})

messages('what failed after homes may have taken it is unknown, and repeated it is stored once', async () => {
  const { world, alice, state } = await start()
  world.ledger.after = (method) => {
    if (method !== 'fanOut') return
    world.ledger.after = () => {}
    throw new ChatError('OUTCOME_UNKNOWN')
  }
  const sealed = messageTo(alice, state, 'hello')
  assert.is(outcome(await alice.put(sealed)), 'OUTCOME_UNKNOWN unknown')
  assert.is(outcome(await alice.put(sealed)), 'record.stored')
  await eventually(() => isEverywhere(world, ['alice', 'bob'], sealed))
})

onBoth('a group node that dies in the middle: another finishes, one copy for each', async (ledger) => {
  const clock = new ManualClock()
  const { world, alice, bob, state } = await start({ nodes: groupCluster, clock, ledger })
  let taker = ''
  world.network.filter = (from, _to, method) => {
    if (method === 'store.append' && from.startsWith('group')) taker = from
    return !(method === 'store.append' && from.startsWith('group'))
  }
  const sealed = messageTo(alice, state, 'hello')
  const answer = alice.put(sealed)
  await eventually(async () => {
    await clock.advance(20)
    return taker !== ''
  })
  assert.is(await openCount(world), 1)
  world.network.isolate(taker)
  world.network.filter = () => true
  assert.is(outcome(await inTime(world, answer)), 'record.stored', 'the gateway asked the other one')
  await inTime(
    world,
    eventually(async () => (await openCount(world)) === 0),
  )
  assert.ok(await isEverywhere(world, ['alice', 'bob'], sealed))
  // Sent again it is answered, and nobody's mailbox has another.
  assert.is(outcome(await inTime(world, alice.put(sealed))), 'record.stored')
  await inTime(world, bob.openFeed())
  await inTime(
    world,
    eventually(() => bob.pagedKeys().size === 2),
  )
  const key = toHex(recordKey(openRecord(sealed).header.id, sealed))
  for (const keys of bob.pagedKeys().values()) assert.is(keys.filter((each) => each === key).length, 1)
})

const FIVE_STORES: NodePlan[] = [
  { name: 'all', roles: ['gateway', 'router', 'group'], authority: true },
  ...[1, 2, 3, 4, 5].map((n): NodePlan => ({ name: `store-${n}`, roles: ['store'] })),
]
const STORES = FIVE_STORES.slice(1).map(({ name }) => name)
onBoth(
  'members whose stores are away wait, nobody else does, and they get it when the stores are back',
  async (ledger) => {
    const clock = new ManualClock()
    const world = await World.start({ nodes: FIVE_STORES, clock, ledger })
    const { map } = world.signed
    const alice = await world.login(await world.register('alice'), 'all')
    const users = Array.from({ length: 40 }, (_, i) => `user${i}`)
    for (const user of users) await world.register(user)
    const state = await inTime(world, created(alice, '#ops', users))
    await inTime(
      world,
      eventually(async () => (await openCount(world)) === 0),
    )
    const lost = (mailbox: string, away: string[]): number =>
      homesOf(map, mailbox).all.filter((store) => away.includes(store)).length
    // Of the author and of the group itself W homes stay.
    const pairs = STORES.flatMap((a) => STORES.map((b) => [a, b])).filter(([a, b]) => a !== b)
    const away = pairs.find((pair) => lost('u:alice', pair) < 2 && lost(`g:${state.group}`, pair) < 2) ?? []
    assert.is(away.length, 2)
    for (const store of away) world.network.isolate(store)
    const sealed = messageTo(alice, state, 'hello')
    assert.is(outcome(await inTime(world, alice.put(sealed))), 'record.stored')
    const homesLeft = (user: string): number =>
      homesOf(map, `u:${user}`).all.filter((store) => !away.includes(store)).length
    assert.ok(
      users.some((user) => homesLeft(user) === 1),
      'somebody has too few homes left',
    )
    await eventually(async () => {
      const counts = await Promise.all(users.map((user) => copiesOf(world, user, sealed)))
      return counts.every((count, i) => count === homesLeft(users[i] ?? ''))
    })
    assert.is(await openCount(world), 1)
    world.network.connectAll()
    await eventually(async () => {
      await clock.advance(1_000)
      return (await openCount(world)) === 0 && (await isEverywhere(world, users, sealed))
    })
  },
)

onBoth('a thousand members: one answer, a thousand copies, and one member more is too many', async (ledger) => {
  const world = await World.start({ nodes: everything, ledger })
  const users = Array.from({ length: 999 }, (_, i) => `user${i}`)
  const [alice] = await Promise.all([
    world.register('alice').then((device) => world.login(device, 'all')),
    ...[...users, 'onemore'].map((user) => world.register(user)),
  ])
  const state = await created(alice, '#ops', users)
  const sealed = messageTo(alice, state, 'hello everyone')
  assert.is(outcome(await alice.put(sealed)), 'record.stored')
  await eventually(() => isEverywhere(world, users, sealed))
  await eventually(async () => (await openCount(world)) === 0)
  const bigger = versionBy(alice, state, { change: 'add', users: ['onemore'] })
  assert.is(outcome(await propose(alice, bigger)), 'GROUP_FULL refused')
  const smaller = await changed(alice, state, { change: 'remove', users: users.slice(0, 10) })
  assert.is(smaller.members.size, 990)
})

messages('who floods a group is slowed, and nobody else', async () => {
  const clock = new ManualClock()
  const { world, alice, bob, state } = await start({ clock, groups: { copyRate: { perSecond: 10, burst: 20 } } })
  const flood = await inTime(
    world,
    Promise.all(Array.from({ length: 15 }, (_, i) => alice.put(messageTo(alice, state, `${i}`)))),
  )
  const answers = flood.map(outcome)
  assert.is(answers.filter((answer) => answer === 'record.stored').length, 10, 'twenty copies for two members')
  assert.is(answers.filter((answer) => answer === 'RATE_LIMITED refused').length, 5)
  assert.is(outcome(await inTime(world, bob.put(messageTo(bob, state, 'heard')))), 'record.stored')
  await clock.advance(1_000)
  assert.is(outcome(await inTime(world, alice.put(messageTo(alice, state, 'slower')))), 'record.stored')
})

messages.run()
