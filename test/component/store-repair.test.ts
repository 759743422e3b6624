// Homes of one mailbox together: epochs, reading back what was missed, and changing homes without hiding anything.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { armMutant } from '../../src/platform/mutants.ts'
import { homeSet, openMap } from '../../src/protocol/cluster-map.ts'
import { ChatError, type ErrorCode } from '../../src/protocol/errors.ts'
import {
  repairDigests,
  repairEntries,
  repairRecords,
  storeFetch,
  storeSeen,
  storeState,
  storeSubscribe,
} from '../../src/protocol/rpc.ts'
import { limits } from '../../src/protocol/limits.ts'
import { hourOf } from '../../src/protocol/records.ts'
import type { StoreContext } from '../../src/node/store/context.ts'
import { isStub } from '../../src/node/store/tombstones.ts'
import { openHeader } from '../../src/protocol/sealed.ts'
import { pullFrom } from '../../src/node/store/repair-pass.ts'
import { SHARDS } from '../../src/node/replication/placement.ts'
import { eventually } from '../eventually.ts'
import {
  capabilityOf,
  certificateWrite,
  cluster,
  device,
  message,
  newId,
  Stores,
  type StoresOptions,
  tombstone,
} from '../store-fixture.ts'

const three = ['store-1', 'store-2', 'store-3']
const test = suite<{ stores: Stores; start: (options?: StoresOptions) => Promise<Stores> }>('store repair')
test.before.each((context) => {
  context.start = async (options) => {
    context.stores = await Stores.start(options)
    return context.stores
  }
})
test.after.each(async ({ stores }) => {
  armMutant(undefined)
  await stores.stop()
})
const refusal = async (promise: Promise<unknown>, code: ErrorCode): Promise<ChatError> => {
  const error: unknown = await promise.then(() => undefined).catch((cause: unknown) => cause)
  if (error instanceof ChatError && error.code === code) return error
  throw new Error(`${code} was expected: ${String(error)}`)
}
const allUp = (stores: Stores, names = three): boolean =>
  names.every((name) => stores.store(name).status().state === 'up')
const digestsOf = async (stores: Stores, name: string): Promise<string> => {
  const { epoch } = stores.map.map
  const { digests } = await stores.network.transport(name).call(name, repairDigests, { epoch })
  return Buffer.from(digests).toString('hex')
}
/** Every home has compared itself with another one several times from now on, to the end. */
const severalPasses = async (stores: Stores): Promise<void> => {
  const begun = new Map<string, number>()
  stores.network.filter = (from, to, method) => {
    if (method === 'repair.digests' && from < to) begun.set(`${from} ${to}`, (begun.get(`${from} ${to}`) ?? 0) + 1)
    return true
  }
  // A pass begins when the one before it has ended.
  await eventually(() => begun.size > 0 && [...begun.values()].every((count) => count > 3))
}
const areEqual = async (stores: Stores, names = three): Promise<boolean> =>
  new Set(await Promise.all(names.map((name) => digestsOf(stores, name)))).size === 1

test('a lower epoch is refused for ever, with the newer map; a higher one is not known yet', async ({ start }) => {
  const stores = await start()
  await stores.append([message()])
  const second = stores.sign(2)
  stores.adopt(second)
  const stale = await refusal(stores.append([message()], { epoch: 1 }), 'EPOCH_STALE')
  const map = openMap(Buffer.from(String(stale.details?.map), 'base64'), cluster)
  assert.is(map.map.epoch, 2)
  await refusal(stores.append([message()], { epoch: 3 }), 'EPOCH_AHEAD')
  await stores.append([message()], { epoch: 2 })
  await stores.stopStore()
  stores.map = stores.sign(1)
  await stores.startStore('store-1')
  await refusal(stores.append([message()], { epoch: 1 }), 'EPOCH_STALE')
  stores.adopt(second)
  await stores.append([message()], { epoch: 2 })
})

test('an old epoch accepted: the mutant is seen', async ({ start }) => {
  const stores = await start()
  stores.adopt(stores.sign(2))
  armMutant('old-epoch-accepted')
  await stores.append([message()], { epoch: 1 })
})

test('three empty homes of a new cluster become readable together', async ({ start }) => {
  const stores = await start({ stores: three })
  await eventually(() => allUp(stores))
})

test('what one home missed it reads back from the others, into equal digests', async ({ start }) => {
  const stores = await start({ stores: three })
  await eventually(() => allUp(stores))
  const writes = Array.from({ length: 300 }, (_, n) => message({ at: Date.now() - n * 600_000, bytes: n }))
  for (const [n, write] of writes.entries()) {
    for (const to of three) if (to !== three[n % 3]) await stores.append([write], { to })
  }
  await eventually(() => areEqual(stores))
  for (const write of writes) for (const name of three) assert.ok(await stores.has(write, name))
})

test('homes that do not repair stay different: the mutant is seen', async ({ start }) => {
  const stores = await start({ stores: three })
  await eventually(() => allUp(stores))
  armMutant('no-repair')
  await stores.append([message()])
  await severalPasses(stores)
  assert.not(await areEqual(stores))
})

test('a home that comes back catches up when it connects', async ({ start }) => {
  const stores = await start({ stores: three, store: { repairEveryMs: 600_000 } })
  await eventually(() => allUp(stores))
  await stores.stopStore('store-3')
  const write = message({ bytes: 5_000 })
  for (const to of ['store-1', 'store-2']) await stores.append([write], { to })
  await stores.startStore('store-3')
  await eventually(() => stores.has(write, 'store-3'))
})

test('a home whose disk was replaced is syncing until it has the union of two readable others', async ({ start }) => {
  const stores = await start({ stores: three })
  await eventually(() => allUp(stores))
  const writes = Array.from({ length: 50 }, () => message())
  await stores.append(writes, { to: 'store-1' })
  await stores.append(writes, { to: 'store-3' })
  await stores.stopStore('store-2')
  await stores.stopStore('store-3')
  stores.disk('store-3').wipe()
  await stores.startStore('store-3')
  await eventually(() => stores.has(writes[0] ?? message(), 'store-3'))
  assert.is(stores.store('store-3').status().state, 'syncing', 'store-2 may hold what nobody else has')
  await refusal(stores.subscribe('bob', { at: 'store-3' }), 'STORE_SYNCING')
  const more = message()
  await stores.append([more], { to: 'store-3' })
  await stores.startStore('store-2')
  await eventually(() => stores.store('store-3').status().state === 'up')
  assert.ok(await stores.has(more, 'store-3'))
  await stores.subscribe('bob', { at: 'store-3' })
})

test('an authority that was moved to any member reads the certificates, and no more', async ({ start }) => {
  const stores = await start()
  await stores.append([certificateWrite('zoe'), message()])
  const router = stores.network.transport('router-1')
  stores.network.connect('router-1', 'store-1')
  const mailboxes: string[] = []
  for (let shard = 0; shard < SHARDS; shard++) {
    const page = await router.call('store-1', repairEntries, { epoch: 1, shard, hour: 0xffffffff })
    mailboxes.push(...page.mailboxes)
  }
  assert.equal(mailboxes, ['c:zoe'])
  await refusal(router.call('store-1', repairEntries, { epoch: 1, shard: 0, hour: hourOf(Date.now()) }), 'PEER_DENIED')
})

test('a comparison does not count when the database was opened again in the middle of it', async ({ start }) => {
  await start()
  // What was on its way to the first one counted as there, and may be gone in the second.
  const homes = [1, 2].map(() => ({ queue: { commit: () => Promise.resolve() } }))
  let opened = 0
  const context = {
    home: () => homes[opened],
    clock: { now: () => 0 },
    view: { current: () => ({ map: { retentionMs: 0 } }) },
    transport: {
      call: () => {
        opened = 1
        return Promise.resolve({ digests: Buffer.alloc(0), readable: true, mark: { feed: 'f', batch: 1 } })
      },
    },
  } as unknown as StoreContext
  await refusal(pullFrom(context, { peer: 'store-2', epoch: 1, shards: [] }), 'STORE_READ_ONLY')
  await pullFrom(context, { peer: 'store-2', epoch: 1, shards: [] })
})

test('one store becomes three: joint epoch, everything read back, then the new homes alone have it all', async ({
  start,
}) => {
  const stores = await start({ stores: three, homes: ['store-1'] })
  assert.is(stores.store('store-1').status().state, 'up')
  const writes = Array.from({ length: 120 }, () => message())
  await stores.append([...writes, certificateWrite('alice')])
  const joint = stores.sign(2, { homes: { current: homeSet(['store-1']), next: homeSet(three) } })
  assert.is(stores.store('store-2').status().reconciled, 0)
  stores.adopt(joint)
  const state = (name: string) => stores.gateway.call(name, storeState, { epoch: 2 })
  await eventually(async () => (await Promise.all(three.map(state))).every(({ reconciled }) => reconciled === 2))
  stores.adopt(stores.sign(3, { homes: { current: homeSet(three) } }))
  await eventually(() => allUp(stores))
  for (const write of writes) for (const name of three) assert.ok(await stores.has(write, name))
})

test('homes that hear of a map before the others compare again as soon as those have it', async ({ start }) => {
  const stores = await start({ stores: three, homes: ['store-1'], store: { repairEveryMs: 600_000 } })
  const joint = stores.sign(2, { homes: { current: homeSet(['store-1']), next: homeSet(three) } })
  const early = ['store-2', 'store-3']
  const refused = new Set<string>()
  stores.network.filter = (from, to, method) => {
    if (method === 'repair.digests' && to === 'store-1') refused.add(from)
    return true
  }
  stores.adopt(joint, early)
  await eventually(() => refused.size === early.length)
  stores.adopt(joint)
  await eventually(() => early.every((name) => stores.store(name).status().reconciled === 2))
})

test('a home that loses something after it had reconciled has to do so again', async ({ start }) => {
  const stores = await start({ stores: ['store-1', 'store-2'], homes: ['store-1'] })
  await stores.append([message()])
  stores.adopt(stores.sign(2, { homes: { current: homeSet(['store-1']), next: homeSet(['store-1', 'store-2']) } }))
  const status = () => stores.store('store-2').status()
  await eventually(() => status().reconciled === 2)
  stores.network.disconnect('store-1', 'store-2')
  const { feed, batch } = status()
  stores.gateway.notify('store-2', storeSeen, { feed, batch: batch + 5 })
  await eventually(() => status().feed !== feed)
  assert.is(status().reconciled, 0)
  stores.network.connect('store-1', 'store-2')
  await eventually(() => status().reconciled === 2)
})

test('an old home that is away keeps the joint epoch open', async ({ start }) => {
  const stores = await start({ stores: [...three, 'store-4'], homes: three })
  await eventually(() => allUp(stores) && three.every((name) => stores.store(name).status().takesPart))
  await stores.stopStore('store-3')
  const joint = (epoch: number, next: string[]): void =>
    stores.adopt(stores.sign(epoch, { homes: { current: homeSet(three), next: homeSet(next) } }))
  joint(2, ['store-1', 'store-2', 'store-4'])
  // Itself and store-2 are two of three for store-1; for store-4 they both are.
  await eventually(() => ['store-1', 'store-4'].every((name) => stores.store(name).status().reconciled === 2))
  await stores.stopStore('store-2')
  // All of the next set are there; of the old ones only one is.
  joint(3, ['store-1', 'store-4'])
  await severalPasses(stores)
  assert.is(stores.store('store-4').status().reconciled, 2)
})

test('a store that says so before it has read back: the mutant is seen', async ({ start }) => {
  const stores = await start({ stores: three, homes: ['store-1'] })
  armMutant('final-before-reconciled')
  assert.is(stores.store('store-2').status().reconciled, 1)
})

test('a syncing home that answers reads: the mutant is seen', async ({ start }) => {
  const stores = await start({ stores: three, homes: ['store-1'] })
  assert.is(stores.store('store-2').status().state, 'syncing')
  armMutant('syncing-home-counted')
  assert.is(stores.store('store-2').status().state, 'up')
})

test('other bytes than the key says are not kept', async ({ start }) => {
  const stores = await start({ stores: ['store-1', 'store-2'] })
  await eventually(() => allUp(stores, ['store-1', 'store-2']))
  const write = message()
  const forged = message()
  let served = 0
  stores.network.transport('store-2').handle(repairRecords, () => {
    served += 1
    return { records: [{ sealed: forged.sealed, acceptedAt: forged.acceptedAt }] }
  })
  await stores.append([write], { to: 'store-2' })
  await eventually(() => served > 2)
  assert.not((await stores.has(write)) || (await stores.has(forged)))
})

test('a tombstone of the author takes the message from both mailboxes, on every home, whichever comes first', async ({
  start,
}) => {
  const stores = await start({ stores: three })
  await eventually(() => allUp(stores))
  for (const to of three) await stores.append([certificateWrite('alice'), certificateWrite('bob')], { to })
  const write = message()
  const deletion = tombstone(write.key)
  await stores.append([write], { to: 'store-1' })
  await stores.append([deletion], { to: 'store-1' })
  await stores.append([deletion], { to: 'store-2' })
  await stores.append([write], { to: 'store-2' })
  await eventually(() => areEqual(stores))
  for (const at of three) {
    await stores.subscribe('bob', { at })
    const { records } = await stores.gateway.call(at, storeFetch, { epoch: 1, sub: 1, keys: write.key })
    assert.equal(records, [null], at)
    assert.ok(await stores.has(write, at))
    const hour = hourOf(Number(openHeader(write.sealed).at))
    const asked = { epoch: 1, hour, keys: write.key }
    const left = await stores.network.transport(at).call(at, repairRecords, asked)
    assert.ok(left.records[0] && isStub(left.records[0].sealed), `${at} keeps what the others keep of it`)
  }
})

test('nobody else deletes: a forged, a foreign and a recipient’s own tombstone', async ({ start }) => {
  const stores = await start()
  await stores.append([certificateWrite('alice'), certificateWrite('bob'), certificateWrite('mallory')])
  const write = message()
  await stores.append([write])
  await refusal(stores.append([tombstone(write.key, { signer: 'mallory' })]), 'AUTH_SIGNATURE')
  await stores.append([tombstone(write.key, { from: 'mallory', to: 'bob' })])
  const fetchAs = async (user: string) => {
    await stores.subscribe(user)
    return (await stores.gateway.call('store-1', storeFetch, { epoch: 1, sub: 1, keys: write.key })).records[0]
  }
  assert.ok(await fetchAs('bob'))
  await stores.append([tombstone(write.key, { from: 'bob', to: 'bob' })])
  assert.is(await fetchAs('bob'), null)
  assert.ok(await fetchAs('alice'), 'bob deleted it for himself only')
})

test('a message to a group is one body in many mailboxes: its author deletes it for all, a member for himself', async ({
  start,
}) => {
  const stores = await start()
  await stores.append([certificateWrite('alice'), certificateWrite('bob')])
  const to = `#${newId(Date.now())}`
  const mailboxes = ['u:alice', 'u:bob', 'u:carol']
  const write = { ...message({ to }), mailboxes }
  await stores.append([write])
  const fetchAs = async (user: string) => {
    await stores.subscribe(user)
    return (await stores.gateway.call('store-1', storeFetch, { epoch: 1, sub: 1, keys: write.key })).records[0]
  }
  await stores.append([tombstone(write.key, { from: 'bob', to: 'bob' })])
  assert.is(await fetchAs('bob'), null)
  assert.ok(await fetchAs('carol'), 'bob deleted it for himself only')
  // The copy of a member comes late, after the first deletion: the body stays for the others.
  await stores.append([{ ...write, mailboxes: ['u:bob', 'u:dave'] }])
  assert.ok((await fetchAs('dave')) && (await fetchAs('carol')))
  await stores.append([{ ...tombstone(write.key, { to }), mailboxes: [...mailboxes, 'u:dave'] }])
  for (const user of ['alice', 'bob', 'carol', 'dave']) assert.is(await fetchAs(user), null)
  // What was under way when it was deleted brings nothing back.
  await stores.append([{ ...write, mailboxes: [...mailboxes, 'u:dave'] }])
  for (const user of ['alice', 'bob', 'carol', 'dave']) assert.is(await fetchAs(user), null)
})

/** alice wrote to a group, bob left it, she deleted it: the tombstone is in her mailbox alone, on two homes; the third lost its disk. */
const deletedAfterLeaving = async (stores: Stores, knownOn: string[]): Promise<ReturnType<typeof message>> => {
  await eventually(() => allUp(stores))
  const to = `#${newId(Date.now())}`
  const write = { ...message({ to }), mailboxes: ['u:alice', 'u:bob'] }
  for (const at of three) await stores.append([certificateWrite('alice'), certificateWrite('bob'), write], { to: at })
  await stores.stopStore('store-3')
  stores.disk('store-3').wipe()
  const deletion = { ...tombstone(write.key, { to }), mailboxes: ['u:alice'] }
  for (const at of knownOn) await stores.append([deletion], { to: at })
  return write
}
const bobsBody = async (stores: Stores, at: string, key: Buffer): Promise<unknown> => {
  await stores.subscribe('bob', { at })
  return (await stores.gateway.call(at, storeFetch, { epoch: 1, sub: 1, keys: key })).records[0]
}

test('what was deleted in a group after somebody had left is read back into his mailbox as the stub it is everywhere', async ({
  start,
}) => {
  const stores = await start({ stores: three })
  const write = await deletedAfterLeaving(stores, ['store-1', 'store-2'])
  await stores.startStore('store-3')
  await eventually(() => allUp(stores))
  assert.ok(await stores.has(write, 'store-3'))
  assert.ok(await areEqual(stores))
  assert.is(await bobsBody(stores, 'store-3', write.key), null)
})

test('a home that has the record itself is believed before one that has only its stub, and is waited for', async ({
  start,
}) => {
  const stores = await start({ stores: three })
  const write = await deletedAfterLeaving(stores, ['store-1'])
  // store-2 does not hear of the deletion: as if it were a home of bob's alone. It is away for a while.
  stores.network.filter = (from, to) => from !== 'store-2' || to !== 'store-1'
  await stores.stopStore('store-2')
  await stores.startStore('store-3')
  await eventually(() => stores.has({ ...write, mailboxes: ['u:alice'] }, 'store-3'))
  assert.not(await stores.has({ ...write, mailboxes: ['u:bob'] }, 'store-3'))
  await stores.startStore('store-2')
  await eventually(() => stores.store('store-3').status().state === 'up')
  assert.ok(await bobsBody(stores, 'store-3', write.key))
})

test('a record of a group belongs with users and with its own group', async ({ start }) => {
  const stores = await start()
  const to = `#${newId(Date.now())}`
  for (const mailbox of ['c:bob', 'g:other', 'u:', 'u:No Body', '']) {
    await refusal(stores.append([{ ...message({ to }), mailboxes: ['u:bob', mailbox] }]), 'RPC_INVALID')
  }
  await stores.append([{ ...message({ to }), mailboxes: ['u:bob', `g:${to}`] }])
})

test('what has expired is neither kept nor served nor compared, and is removed', async ({ start }) => {
  const retentionMs = 24 * 3_600_000
  const stores = await start({ map: { retentionMs }, store: { sweepEveryMs: 20, repairEveryMs: 20 } })
  const at = Date.now()
  const old = message({ at: at - retentionMs - 2 * 3_600_000 })
  const kept = message()
  const short = message({ exp: at + 3_600_000, id: newId(at - 7 * 3_600_000) })
  await stores.append([old, kept, short])
  assert.not(await stores.has(old))
  assert.ok((await stores.has(kept)) && (await stores.has(short)))
  stores.clock.shiftMs = 3 * 3_600_000
  await eventually(async () => !(await stores.has(short)))
  assert.ok(await stores.has(kept))
  stores.clock.shiftMs = retentionMs + 2 * 3_600_000
  await eventually(async () => !(await stores.has(kept)))
  assert.is(stores.store().status().records, 0)
})

test('a message whose hour is over by this home’s clock, but may not be by the gateway’s, is kept until it surely is', async ({
  start,
}) => {
  const stores = await start({ store: { sweepEveryMs: 20 } })
  const hourMs = 3_600_000
  const endOfHour = (Math.floor(Date.now() / hourMs) + 1) * hourMs
  const short = message({ exp: endOfHour - 1 })
  stores.clock.shiftMs = endOfHour - Date.now() + limits.clockSkewMs / 2
  await stores.append([short])
  assert.ok(await stores.has(short))
  const capability = capabilityOf(device('bob'), { expiresAt: stores.clock.now() + 60_000 })
  await stores.gateway.call('store-1', storeSubscribe, { epoch: 1, sub: 1, mailbox: 'u:bob', capability })
  assert.is((await stores.page(0, { records: true })).records?.length, 1)
  stores.clock.shiftMs += limits.clockSkewMs
  await eventually(async () => !(await stores.has(short)))
  assert.is(stores.store().status().records, 0)
})

test.run()
