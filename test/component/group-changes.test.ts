// Changes of groups through real gateways and group nodes: who may, what is refused and why, one winner, and everyone hears of it.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fromBase64, toBase64 } from '../../src/protocol/bytes.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { type GroupState, openGroup } from '../../src/protocol/group.ts'
import { eventually } from '../eventually.ts'
import { type Frame, type TestClient, World, type WorldOptions } from './gateway-world.ts'
import {
  changed,
  copiesOf,
  created,
  everything,
  groupCluster,
  isPushed,
  newGroupId,
  openCount,
  outcome,
  propose,
  sealVersion,
  stateOf,
  versionBy,
} from './group-world.ts'

const changes = suite('group: changes')
changes.after.each(() => World.stopAll())

type Ledger = 'memory' | 'homes'
/** What must hold whatever keeps the versions of groups. */
const onBoth = (name: string, run: (ledger: Ledger) => Promise<void>): void => {
  for (const ledger of ['memory', 'homes'] as const) changes(`${name} (${ledger})`, () => run(ledger))
}

interface Cast {
  world: World
  alice: TestClient
  bob: TestClient
  carol: TestClient
}
const start = async (options: Partial<WorldOptions> = {}): Promise<Cast> => {
  const world = await World.start({ nodes: everything, ...options })
  const gateways = [...world.nodes.values()].flatMap(({ name, gateway }) => (gateway ? [name] : []))
  const login = async (user: string, index = 0): Promise<TestClient> =>
    world.login(await world.register(user), gateways[index % gateways.length] ?? '')
  return { world, alice: await login('alice'), bob: await login('bob', 1), carol: await login('carol', 2) }
}
/** The error frame that `created` threw. */
const asFrame = (error: unknown): Frame => JSON.parse((error as Error).message) as Frame // made from a frame
const get = (client: TestClient, group: string, version?: number): Promise<Frame> =>
  client.request('group.get', { group, ...(version === undefined ? {} : { version }) })

onBoth('a group is made, and every member is told and keeps it', async (ledger) => {
  const { world, alice, bob } = await start({ nodes: groupCluster, ledger })
  const sealed = versionBy(alice, undefined, { change: 'create', name: '#ops', users: ['bob'], group: newGroupId() })
  const state = stateOf(await propose(alice, sealed))
  assert.equal(
    [...state.members],
    [
      ['alice', 'owner'],
      ['bob', 'member'],
    ],
  )
  await eventually(() => isPushed(bob, sealed))
  for (const user of ['alice', 'bob']) await eventually(async () => (await copiesOf(world, user, sealed)) === 3)
  assert.equal(stateOf(await get(bob, '#ops')), state)
  assert.equal(stateOf(await get(bob, state.group, 1)), state)
  await eventually(async () => (await openCount(world)) === 0)
})

changes('what outsiders and the mistaken are told', async () => {
  const { alice, carol } = await start()
  const { group } = await created(alice, '#ops', ['bob'])
  assert.is(outcome(await get(carol, '#ops')), 'GROUP_DENIED refused')
  assert.is(outcome(await get(carol, group)), 'GROUP_DENIED refused')
  assert.is(outcome(await get(carol, '#nothing')), 'GROUP_UNKNOWN refused')
  assert.is(outcome(await get(carol, newGroupId())), 'GROUP_UNKNOWN refused')
  assert.is(outcome(await get(alice, group, 7)), 'GROUP_UNKNOWN refused')
  assert.is(outcome(await get(alice, 'ops')), 'GROUP_NAME_ILLEGAL refused')
})

changes('who was removed learns nothing of the group by proposing what comes too late', async () => {
  const { alice, bob } = await start()
  const state = await created(alice, '#ops', ['bob'])
  await changed(alice, state, { change: 'remove', users: ['bob'] })
  const late = await propose(bob, versionBy(bob, state, { change: 'leave' }))
  assert.is(outcome(late), 'GROUP_DENIED refused')
  assert.is(late.details, undefined)
})

changes('a name claimed for a group that was never made goes to whoever makes it', async () => {
  const { world, alice, bob, carol } = await start()
  const group = newGroupId()
  world.ledger.names.set('#ops', group)
  const create = (client: TestClient, id: string): Buffer =>
    versionBy(client, undefined, { change: 'create', name: '#ops', users: [], group: id })
  const taken = await propose(alice, create(alice, newGroupId()))
  assert.equal([taken.code, taken.details], ['GROUP_NAME_TAKEN', { group }])
  assert.is(outcome(await propose(bob, create(bob, group))), 'group.record')
  const late = await propose(alice, create(alice, group))
  assert.equal([late.code, late.details], ['GROUP_NAME_TAKEN', undefined])
  assert.is(outcome(await propose(carol, create(carol, newGroupId()))), 'GROUP_NAME_TAKEN refused')
})

/** What `change` makes of the group when somebody who may makes it: the rules would not let the others get that far. */
const allowed = ({ alice }: Cast, state: GroupState, change: Parameters<typeof versionBy>[2]): GroupState =>
  openGroup(versionBy(alice, state, change)).state
const ADD_CAROL = { change: 'add', users: ['carol'] } as const
const TOPIC = { change: 'topic', topic: 'Deploys on Thursdays' } as const
const RENAME = { change: 'rename', name: '#sre' } as const

type Attempt = (cast: Cast, state: GroupState) => Promise<Frame>
const REFUSED: [name: string, attempt: Attempt, outcome: string][] = [
  [
    'with a user that does not exist',
    ({ alice }, state) => propose(alice, versionBy(alice, state, { change: 'add', users: ['nobody'] })),
    'USER_UNKNOWN refused',
  ],
  [
    'with a member too many',
    ({ alice }, state) => propose(alice, versionBy(alice, state, { change: 'add', users: ['carol', 'dave'] })),
    'GROUP_FULL refused',
  ],
  [
    'to a name that is taken',
    ({ alice }, state) => propose(alice, versionBy(alice, state, { change: 'rename', name: '#taken' })),
    'GROUP_NAME_TAKEN refused',
  ],
  [
    'that makes a group of a name that is taken',
    ({ bob }) => created(bob, '#ops', []).then(() => ({ t: 'made' }), asFrame),
    'GROUP_NAME_TAKEN refused',
  ],
  [
    'by a member without the right',
    (cast, state) => propose(cast.bob, sealVersion(cast.bob, allowed(cast, state, ADD_CAROL), ADD_CAROL)),
    'GROUP_DENIED refused',
  ],
  [
    'by somebody who is no member',
    (cast, state) => propose(cast.carol, sealVersion(cast.carol, allowed(cast, state, ADD_CAROL), ADD_CAROL)),
    'GROUP_DENIED refused',
  ],
  [
    'with more in it than it says',
    (cast, state) => propose(cast.alice, sealVersion(cast.alice, allowed(cast, state, ADD_CAROL), { change: 'leave' })),
    'GROUP_OWNER_NEEDED refused',
  ],
  [
    'with another change in it than it says',
    (cast, state) =>
      propose(cast.alice, sealVersion(cast.alice, allowed(cast, state, ADD_CAROL), { change: 'rename' })),
    'GROUP_INVALID refused',
  ],
  [
    'of a topic by a member without the right',
    (cast, state) => propose(cast.bob, sealVersion(cast.bob, allowed(cast, state, TOPIC), TOPIC)),
    'GROUP_DENIED refused',
  ],
  [
    'that takes a topic along',
    (cast, state) =>
      propose(cast.alice, sealVersion(cast.alice, { ...allowed(cast, state, ADD_CAROL), topic: 'mine' }, ADD_CAROL)),
    'GROUP_INVALID refused',
  ],
  [
    'versions ahead',
    ({ alice }, state) => propose(alice, versionBy(alice, { ...state, version: 5 }, RENAME)),
    'GROUP_INVALID refused',
  ],
  [
    'in the name of another',
    ({ alice, bob }, state) => propose(alice, versionBy(bob, state, { change: 'leave' })),
    'MESSAGE_INVALID refused',
  ],
  [
    'with a broken signature',
    ({ alice }, state) => propose(alice, versionBy(alice, state, RENAME).fill(7, 0, 8)),
    'AUTH_SIGNATURE refused',
  ],
  [
    'that is a message',
    ({ alice }, { group, version }) => propose(alice, alice.message(group, 'x', { gv: version })),
    'MESSAGE_INVALID refused',
  ],
]
for (const [name, attempt, expected] of REFUSED) {
  changes(`a change ${name}: ${expected}`, async () => {
    const cast = await start({ groups: { maxMembers: 3 } })
    await cast.world.register('dave')
    await created(cast.carol, '#taken', [])
    const state = await created(cast.alice, '#ops', ['bob'])
    assert.is(outcome(await attempt(cast, state)), expected)
    assert.equal(stateOf(await get(cast.alice, '#ops')), state)
  })
}

onBoth('of two changes at once one wins, and the other is made anew on it', async (ledger) => {
  const { world, alice, bob } = await start({ nodes: groupCluster, ledger })
  let state = await created(alice, '#ops', ['bob'])
  state = await changed(alice, state, { change: 'role', users: ['bob'], role: 'owner' })
  const answers = await Promise.all([
    propose(alice, versionBy(alice, state, ADD_CAROL)),
    propose(bob, versionBy(bob, state, RENAME)),
  ])
  assert.equal(answers.map(outcome).sort(), ['GROUP_CONFLICT refused', 'group.record'])
  const lost = answers.find(({ t }) => t === 'error')
  const newest = openGroup(fromBase64(String((lost?.details as { record: string } | undefined)?.record))).state
  assert.is(newest.version, 3)
  const [loser, change] = lost === answers[0] ? [alice, ADD_CAROL] : [bob, RENAME]
  const last = await changed(loser, newest, change)
  assert.equal([last.version, last.name, last.members.get('carol')], [4, '#sre', 'member'])
  await eventually(async () => (await openCount(world)) === 0)
})

onBoth('the removed hear that they are, and nothing after it', async (ledger) => {
  const { world, alice, bob } = await start({ nodes: groupCluster, ledger })
  const state = await created(alice, '#ops', ['bob', 'carol'])
  const sealed = versionBy(alice, state, { change: 'remove', users: ['bob'] })
  const after = stateOf(await propose(alice, sealed))
  await eventually(() => isPushed(bob, sealed))
  await eventually(async () => (await copiesOf(world, 'bob', sealed)) === 3)
  assert.is(outcome(await get(bob, '#ops')), 'group.record')
  const later = versionBy(alice, after, RENAME)
  await propose(alice, later)
  await eventually(async () => (await copiesOf(world, 'carol', later)) === 3)
  assert.is(await copiesOf(world, 'bob', later), 0)
  assert.is(isPushed(bob, later), false)
  assert.is(outcome(await get(bob, '#sre')), 'GROUP_DENIED refused')
})

changes('a change may be repeated, and what was decided without being told is told then', async () => {
  const { world, alice, bob } = await start()
  const state = await created(alice, '#ops', ['bob'])
  const sealed = versionBy(alice, state, RENAME)
  world.ledger.before = (method) => {
    if (method === 'fanOut') throw new ChatError('OUTCOME_UNKNOWN')
  }
  assert.is(outcome(await propose(alice, sealed)), 'OUTCOME_UNKNOWN unknown')
  assert.is(isPushed(bob, sealed), false)
  world.ledger.before = () => {}
  assert.is(String((await propose(alice, sealed)).record), toBase64(sealed))
  await eventually(() => isPushed(bob, sealed))
  assert.is(String((await propose(alice, sealed)).record), toBase64(sealed))
  await eventually(async () => (await copiesOf(world, 'bob', sealed)) === 1)
})

changes('whoever decided a change may die before telling: the next node that looks at the group tells', async () => {
  const { world, alice } = await start({ nodes: groupCluster })
  const state = await created(alice, '#ops', ['bob'])
  const sealed = versionBy(alice, state, RENAME)
  const decided = world.ledger.versions.get(state.group) ?? []
  world.ledger.versions.set(state.group, [...decided, sealed])
  assert.is(stateOf(await get(alice, state.group)).name, '#sre')
  await eventually(async () => (await copiesOf(world, 'bob', sealed)) === 3)
  await eventually(async () => (await openCount(world)) === 0)
})

changes('without a group node nothing is changed, and with one of two everything goes on', async () => {
  const { world, alice } = await start({ nodes: groupCluster })
  const state = await created(alice, '#ops', ['bob'])
  world.network.isolate('group-1')
  const after = await changed(alice, state, RENAME)
  world.network.isolate('group-2')
  assert.is(outcome(await propose(alice, versionBy(alice, after, ADD_CAROL))), 'GROUP_UNAVAILABLE refused')
})

changes.run()
