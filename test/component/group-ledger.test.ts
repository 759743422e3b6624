// The ledger of groups on real stores: names and versions that are written once, messages that a version takes or does not,
// homes that restart, lose everything, and change.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { GroupLedger } from '../../src/node/replication/group-ledger.ts'
import type { FanOut } from '../../src/node/replication/group-ledger-port.ts'
import { versionRegister } from '../../src/node/replication/ledger-keys.ts'
import { allRegisters } from '../../src/node/store/keys.ts'
import { homeSet } from '../../src/protocol/cluster-map.ts'
import { type ErrorCode, hasCode } from '../../src/protocol/errors.ts'
import {
  type FanOutMode,
  ledgerAccept,
  ledgerFanOut,
  ledgerInspect,
  ledgerLearn,
  ledgerPrepare,
  ledgerRows,
} from '../../src/protocol/rpc.ts'
import { eventually } from '../eventually.ts'
import { ledgerAt, newId, Stores, type StoresOptions, toGroup } from '../store-fixture.ts'

const three = ['store-1', 'store-2', 'store-3']
interface World {
  stores: Stores
  first: GroupLedger
  second: GroupLedger
}
const test = suite<World & { start: (options?: StoresOptions) => Promise<World> }>('group ledger')

test.before.each((context) => {
  context.start = async (options = {}) => {
    const stores = await Stores.start({ stores: three, ...options })
    context.stores = stores
    const homes = options.homes ?? stores.names
    await eventually(() => homes.every((name) => stores.store(name).status().takesPart))
    return { stores, first: ledgerAt(stores, 'group-1'), second: ledgerAt(stores, 'group-2') }
  }
})
test.after.each(async ({ stores }) => stores.stop())

const failsWith = async (promise: Promise<unknown>, ...codes: ErrorCode[]): Promise<void> => {
  const error: unknown = await promise.then(() => undefined).catch((cause: unknown) => cause)
  assert.ok(hasCode(error, ...codes), `${codes.join(' or ')} was expected: ${String(error)}`)
}
const newGroup = (): string => `#${newId()}`
const text = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString()
const bytes = (value: string): Buffer => Buffer.from(value)
/** A message to a group, as its author signed it knowing version `gv`. */
const message = (group: string, version: number, gv = version): FanOut & { key: Buffer } => {
  const { sealed, acceptedAt, key } = toGroup({ k: 'msg', to: group, conv: group, seq: 1, ct: 'chat/1', gv })
  return { group, version, sealed, acceptedAt, key }
}
const toItem = ({ group, version, sealed, acceptedAt }: FanOut): FanOut => ({ group, version, sealed, acceptedAt })

test('a name belongs to whoever claimed it first, and everybody is told so', async ({ start }) => {
  const { first, second } = await start()
  const [a, b] = [newGroup(), newGroup()]
  assert.is(await first.lookUpName('#ops'), undefined)
  const owners = await Promise.all([first.claimName('#ops', a), second.claimName('#ops', b)])
  assert.is(owners[0], owners[1])
  assert.is(await second.lookUpName('#ops'), owners[0])
  assert.is(await first.claimName('#ops', newGroup()), owners[0])
})

test('of changes made at once one becomes the version, and both are told which', async ({ start }) => {
  const { first, second } = await start()
  const group = newGroup()
  assert.is(await first.newest(group), undefined)
  assert.is(text(await first.propose(group, 1, bytes('one'))), 'one')
  const decided = await Promise.all([first.propose(group, 2, bytes('a')), second.propose(group, 2, bytes('b'))])
  assert.is(text(decided[0]), text(decided[1]))
  for (const ledger of [first, second]) {
    const newest = await ledger.newest(group)
    assert.is(newest?.version, 2)
    assert.is(text(newest?.sealed), text(decided[0]))
    assert.is(text(await ledger.at(group, 1)), 'one')
    assert.is(await ledger.at(group, 3), undefined)
  }
})

test('a version that somebody began is finished by whoever asks for the newest', async ({ start }) => {
  const { stores, first, second } = await start()
  const group = newGroup()
  await first.propose(group, 1, bytes('one'))
  stores.network.filter = (from, _to, method) => !(from === 'group-1' && method === ledgerLearn.name)
  // It is accepted, and its proposer never tells.
  const begun = first.propose(group, 2, bytes('two')).catch(() => {})
  await eventually(async () => (await second.newest(group))?.version === 2)
  assert.is(text((await second.newest(group))?.sealed), 'two')
  stores.network.filter = () => true
  await begun
})

test('a version that has ended takes no message, one that it took keeps its version, and done ones are remembered', async ({
  start,
}) => {
  const { first, second } = await start()
  const group = newGroup()
  await first.propose(group, 1, bytes('one'))
  const [early, late] = [message(group, 1), message(group, 1)]
  assert.equal(await first.fanOut(toItem(early)), { version: 1 })
  assert.equal(await second.fanOut(toItem(early)), { version: 1 })
  await second.propose(group, 2, bytes('two'))
  await failsWith(first.fanOut(toItem(late)), 'GROUP_SEALED')
  assert.equal(await second.fanOut({ ...toItem(early), version: 2 }), { version: 1 })
  assert.equal(await first.fanOut({ ...toItem(late), version: 2 }), { version: 2 })
  first.done(group, 1, [early.key])
  await eventually(async () => (await second.unfinished(0)).length === 1)
  assert.equal(await second.fanOut({ ...toItem(early), version: 2 }), { version: 1 })
})

test('what is open is found by everybody, and has one verdict', async ({ start }) => {
  const { stores, first, second } = await start()
  const group = newGroup()
  await first.propose(group, 1, bytes('one'))
  const [taken, lost] = [message(group, 1), message(group, 1)]
  await first.fanOut(toItem(taken))
  // Only one home hears of the other one, and it is away when the version ends.
  stores.network.filter = (_from, to, method) =>
    to !== 'store-2' && to !== 'store-3' ? true : method !== ledgerFanOut.name
  const sent = first.fanOut(toItem(lost)).catch(() => {})
  await eventually(async () => (await second.unfinished(0)).length === 2)
  stores.network.filter = () => true
  for (const peer of ['group-1', 'group-2']) stores.network.disconnect(peer, 'store-1')
  await second.propose(group, 2, bytes('two'))
  for (const peer of ['group-1', 'group-2']) stores.network.connect(peer, 'store-1')
  await sent
  for (const ledger of [first, second]) assert.is(await ledger.settle(toItem(taken)), 'durable')
  for (const ledger of [first, second]) assert.is(await ledger.settle(toItem(lost)), 'void')
  await eventually(async () => (await first.unfinished(0)).length === 1)
  // It was not taken at 1, so it may be taken at 2.
  assert.equal(await second.fanOut({ ...toItem(lost), version: 2 }), { version: 2 })
})

test('what is left over gives way to a higher version only, a verdict to nothing but what is done', async ({
  start,
}) => {
  const { stores, first } = await start({ stores: ['store-1'] })
  const group = newGroup()
  await first.propose(group, 1, bytes('one'))
  const item = toItem(message(group, 1))
  const take = async (version: number, mode: FanOutMode): Promise<number> => {
    const request = { epoch: 1, ...item, version, mode }
    return (await stores.network.transport('group-1').call('store-1', ledgerFanOut, request)).version
  }
  assert.is(await take(2, 'look'), 0)
  assert.is(await take(2, 'new'), 2)
  assert.is(await take(1, 'new'), 2)
  assert.is(await take(1, 'replace'), 2)
  assert.is(await take(3, 'replace'), 3)
  assert.is(await take(2, 'settled'), 2)
  assert.is(await take(3, 'look'), 2)
})

test('a record that no home takes is refused with the reason', async ({ start }) => {
  const { first } = await start({ stores: ['store-1'] })
  await failsWith(first.fanOut({ ...toItem(message(newGroup(), 1)), group: newGroup() }), 'RPC_INVALID')
})

test('fewer homes than needed: nothing is promised, and what may have been written is not called refused', async ({
  start,
}) => {
  const { stores, first } = await start()
  const group = newGroup()
  await first.propose(group, 1, bytes('one'))
  await stores.stopStore('store-3')
  await stores.stopStore('store-2')
  await failsWith(first.fanOut(toItem(message(group, 1))), 'QUORUM_UNAVAILABLE')
  await failsWith(first.newest(group), 'QUORUM_UNAVAILABLE')
  await failsWith(first.lookUpName('#ops'), 'QUORUM_UNAVAILABLE')
})

test('after a power cut everything that was promised and taken is there', async ({ start }) => {
  const { stores, first, second } = await start()
  const group = newGroup()
  await first.propose(group, 1, bytes('one'))
  await first.propose(group, 2, bytes('two'))
  const item = message(group, 2)
  await first.fanOut(toItem(item))
  for (const name of three) stores.crash(name)
  for (const name of three) await stores.startStore(name)
  for (const peer of ['group-1', 'group-2']) for (const name of three) stores.network.connect(peer, name)
  await eventually(() => three.every((name) => stores.store(name).status().takesPart))
  assert.is((await second.newest(group))?.version, 2)
  assert.is((await second.unfinished(0)).length, 1)
  await failsWith(second.fanOut(toItem(message(group, 1))), 'GROUP_SEALED')
})

test('a home with an empty disk takes no part before it has read all others, and then knows everything', async ({
  start,
}) => {
  const { stores, first, second } = await start()
  const group = newGroup()
  await first.propose(group, 1, bytes('one'))
  const item = message(group, 1)
  await first.fanOut(toItem(item))
  await first.propose(group, 2, bytes('two'))
  stores.crash('store-1')
  stores.disks.delete('store-1')
  stores.network.filter = (_from, to, method) => !(to === 'store-2' && method === ledgerRows.name)
  await stores.startStore('store-1')
  for (const peer of ['group-1', 'group-2']) stores.network.connect(peer, 'store-1')
  const { epoch } = stores.map.map
  const prepare = () =>
    stores.network.transport('group-1').call('store-1', ledgerPrepare, {
      epoch,
      key: versionRegister(group, 2),
      ballot: [epoch, 99, 'x'],
    })
  await eventually(() => stores.store('store-1').status().state === 'up')
  assert.is(stores.store('store-1').status().takesPart, false)
  await failsWith(prepare(), 'STORE_SYNCING')
  stores.network.filter = () => true
  await eventually(() => stores.store('store-1').status().takesPart)
  const { decided } = await prepare()
  assert.is(text(decided), 'two')
  // Alone with the one that was away it has the majority, and the facts.
  await stores.stopStore('store-2')
  assert.is((await second.newest(group))?.version, 2)
  assert.is(await second.settle(toItem(item)), 'durable')
})

test('a version that a home was not told of it hears of by comparing, though nobody reads it', async ({ start }) => {
  const { stores, first } = await start({ store: { repairEveryMs: 20 } })
  const group = newGroup()
  await first.propose(group, 1, bytes('one'))
  const untold = [ledgerPrepare, ledgerAccept, ledgerLearn].map(({ name }) => name)
  stores.network.filter = (_from, to, method) => !(to === 'store-3' && untold.includes(method))
  await first.propose(group, 2, bytes('two'))
  const known = async (): Promise<string[]> => {
    const asked = { epoch: stores.map.map.epoch, after: allRegisters.gte }
    const answer = await stores.network.transport('store-3').call('store-3', ledgerInspect, asked)
    return answer.registers.filter(({ isDecided }) => isDecided).map(({ value }) => text(value))
  }
  await eventually(async () => (await known()).includes('two'))
})

test('a damaged promise is as good as a lost disk: it is read back', async ({ start }) => {
  const { stores, first } = await start()
  const group = newGroup()
  await first.propose(group, 1, bytes('one'))
  await stores.stopStore('store-1')
  stores.disk('store-1').tamper('messages', (data) => {
    const keys = data.select({ gte: Buffer.from('R'), lt: Buffer.from('S') })
    for (const key of keys) data.apply([{ key, value: Buffer.from('rubbish') }])
  })
  await stores.startStore('store-1')
  stores.network.connect('group-1', 'store-1')
  const { feed } = stores.store('store-1').status()
  await failsWith(
    stores.network.transport('group-1').call('store-1', ledgerPrepare, {
      epoch: 1,
      key: versionRegister(group, 1),
      ballot: [1, 99, 'x'],
    }),
    'STORE_SYNCING',
  )
  await eventually(() => stores.store('store-1').status().takesPart && stores.store('store-1').status().feed !== feed)
  assert.is(text(await first.at(group, 1)), 'one')
})

test('the homes change while the group does: nothing decided is lost, and the old homes are needed no more', async ({
  start,
}) => {
  const { stores, first } = await start({ stores: [...three, 'store-4', 'store-5'], homes: three })
  const group = newGroup()
  await first.propose(group, 1, bytes('one'))
  const item = message(group, 1)
  await first.fanOut(toItem(item))
  const next = homeSet(['store-3', 'store-4', 'store-5'])
  const joint = stores.sign(2, { homes: { current: homeSet(three), next } })
  stores.adopt(joint)
  stores.view('group-1').adopt(joint.sealed)
  await first.propose(group, 2, bytes('two'))
  await eventually(() => next.peers.every((name) => stores.store(name).status().reconciled === 2))
  const final = stores.sign(3, { homes: { current: next } })
  stores.adopt(final)
  for (const name of ['store-1', 'store-2']) await stores.stopStore(name)
  // It still goes by the old map, and is told.
  assert.is((await first.newest(group))?.version, 2)
  assert.is(text(await first.at(group, 1)), 'one')
  assert.is(await first.settle(toItem(item)), 'durable')
  assert.is(text(await first.propose(group, 3, bytes('three'))), 'three')
})

/** store-3 alone took the message at version 1, which is over. */
const leaveOver = async ({ stores, first }: Pick<World, 'stores' | 'first'>): Promise<FanOut> => {
  const group = newGroup()
  await first.propose(group, 1, bytes('one'))
  const item = toItem(message(group, 1))
  const { network } = stores
  await network.transport('group-1').call('store-3', ledgerFanOut, { ...item, epoch: 1, mode: 'new' })
  network.disconnect('group-1', 'store-3')
  await first.propose(group, 2, bytes('two'))
  return item
}

test('a version that is over takes nothing because homes have read it back from one another', async ({ start }) => {
  const { stores, first, second } = await start()
  const item = await leaveOver({ stores, first })
  await stores.stopStore('store-1')
  stores.disk('store-1').wipe()
  await stores.startStore('store-1')
  for (const node of ['group-1', 'group-2']) for (const name of three) stores.network.connect(node, name)
  await eventually(() => stores.store('store-1').status().takesPart)
  await failsWith(second.fanOut(item), 'GROUP_SEALED')
  assert.is((await second.fanOut({ ...item, version: 2 })).version, 2)
})

test('what one home has left over of a version that is over takes the place of nothing when the homes change', async ({
  start,
}) => {
  const { stores, first, second } = await start({ stores: [...three, 'store-4'], homes: three })
  const item = await leaveOver({ stores, first })
  assert.is((await first.fanOut({ ...item, version: 2 })).version, 2)
  stores.network.connect('group-1', 'store-3')
  const next = homeSet(['store-1', 'store-2', 'store-4'])
  const joint = stores.sign(2, { homes: { current: homeSet(three), next } })
  stores.adopt(joint)
  for (const node of ['group-1', 'group-2']) stores.view(node).adopt(joint.sealed)
  await eventually(() => next.peers.every((name) => stores.store(name).status().reconciled === 2))
  assert.is(await first.settle(item), 'void')
  await first.propose(item.group, 3, bytes('three'))
  assert.is((await second.fanOut({ ...item, version: 3 })).version, 2)
})

test('a home that comes back hears that another one has begun a new life meanwhile, before the two decide alone', async ({
  start,
}) => {
  const { stores, first } = await start({ homes: ['store-1', 'store-2'] })
  const group = newGroup()
  await first.propose(group, 1, bytes('one'))
  const change = (epoch: number, homes: { current: string[]; next?: string[] }): void => {
    const { current, next } = homes
    const map = stores.sign(epoch, { homes: { current: homeSet(current), ...(next ? { next: homeSet(next) } : {}) } })
    stores.adopt(map)
    stores.view('group-1').adopt(map.sealed)
  }
  const reconciled = (name: string): number => stores.store(name).status().reconciled
  change(2, { current: ['store-1', 'store-2'], next: ['store-1', 'store-3'] })
  await eventually(() => reconciled('store-1') === 2 && reconciled('store-3') === 2)
  change(3, { current: ['store-1', 'store-3'] })
  await stores.stopStore('store-1')
  stores.disk('store-1').wipe()
  await stores.startStore('store-1')
  await eventually(() => stores.store('store-1').status().takesPart)
  const pair = ['store-1', 'store-2']
  let comparisons = 0
  stores.network.filter = (from, to, method) => {
    if (method === 'repair.digests' && from === 'store-2' && to === 'store-3') comparisons += 1
    return method !== 'ledger.rows' || !pair.includes(from) || !pair.includes(to)
  }
  change(4, { current: ['store-1', 'store-3'], next: pair })
  await eventually(() => comparisons > 4)
  assert.is.not(reconciled('store-2'), 4, 'they have not heard of each other')
  stores.network.filter = () => true
  stores.network.disconnect('store-1', 'store-2')
  for (const other of ['store-2', 'group-1']) stores.network.connect('store-1', other)
  await eventually(() => pair.every((name) => reconciled(name) === 4))
  change(5, { current: ['store-1', 'store-2'] })
  assert.is(text(await first.propose(group, 2, bytes('two'))), 'two')
})

test('only group nodes and stores ask, only homes answer, and rubbish is refused', async ({ start }) => {
  const { stores } = await start()
  const call = (from: string, key: string) =>
    stores.network.transport(from).call('store-1', ledgerPrepare, { epoch: 1, key, ballot: [1, 1, 'x'] })
  await failsWith(call('gateway-1', 'n:#ops'), 'PEER_DENIED')
  for (const key of [
    '',
    'n:ops',
    'n:#ops/1',
    'g:#ops/1',
    `g:${newGroup()}`,
    `g:${newGroup()}/0`,
    `g:${newGroup()}/1/x`,
  ]) {
    await failsWith(call('group-1', key), 'RPC_INVALID')
  }
  const item = toItem(message(newGroup(), 1))
  const fanOut = (change: object) =>
    stores.network.transport('group-1').call('store-1', ledgerFanOut, { epoch: 1, mode: 'new', ...item, ...change })
  await failsWith(fanOut({ group: newGroup() }), 'RPC_INVALID')
  await failsWith(fanOut({ sealed: Buffer.from('x') }), 'MESSAGE_INVALID')
  await failsWith(fanOut({ version: -1 }), 'RPC_INVALID')
  await failsWith(fanOut({ version: 2 ** 50 }), 'RPC_INVALID')
  await failsWith(fanOut({ acceptedAt: 0.5 }), 'RPC_INVALID')
  await failsWith(fanOut({ epoch: 0 }), 'EPOCH_STALE')
  await failsWith(fanOut({ epoch: 9 }), 'EPOCH_AHEAD')
})

test.run()
