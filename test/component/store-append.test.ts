// Appending to a home and reading it back: what is kept, once, where it belongs, durable before it is acknowledged.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { armMutant } from '../../src/platform/mutants.ts'
import { ChatError, type ErrorCode } from '../../src/protocol/errors.ts'
import { limits } from '../../src/protocol/limits.ts'
import { splitKeys } from '../../src/protocol/records.ts'
import {
  storeAppend,
  storeCertificates,
  storeFetch,
  storeHeads,
  storeRenew,
  storeSubscribe,
} from '../../src/protocol/rpc.ts'
import { eventually } from '../eventually.ts'
import { capabilityOf, certificateWrite, device, message, newId, Stores } from '../store-fixture.ts'

const test = suite<{ stores: Stores }>('store append and feed')
test.before.each(async (context) => {
  context.stores = await Stores.start()
})
test.after.each(async ({ stores }) => {
  armMutant(undefined)
  await stores.stop()
})

const refuses = async (code: ErrorCode, attempt: () => Promise<unknown>): Promise<ChatError> => {
  try {
    await attempt()
  } catch (error) {
    assert.instance(error, ChatError)
    assert.is((error as ChatError).code, code, (error as ChatError).message)
    return error as ChatError // asserted just above
  }
  throw new Error(`${code} was expected`)
}
const names = (page: { keys: Uint8Array }): string[] => splitKeys(page.keys).map((key) => key.toString('hex'))
const nameOf = ({ key }: { key: Buffer }): string => key.toString('hex')

test('an appended record is in both mailboxes, with its body and its time', async ({ stores }) => {
  const write = message({ text: 'hi' })
  const mark = await stores.append([write])
  assert.is(mark.batch > 0, true)
  assert.ok(await stores.has(write))
  for (const user of ['alice', 'bob']) {
    const page = await stores.subscribe(user)
    assert.equal(names(page), [nameOf(write)])
    assert.is(page.from, 0)
    assert.is(page.to, page.head)
    const { records } = await stores.page(0, { records: true })
    assert.equal(
      records?.map(({ acceptedAt }) => acceptedAt),
      [write.acceptedAt],
    )
    assert.ok(Buffer.from(records?.[0]?.sealed ?? []).equals(write.sealed))
  }
})

test('the same record again changes nothing, also within one batch and while it is on its way', async ({ stores }) => {
  const write = message()
  await Promise.all([stores.append([write, write]), stores.append([write])])
  await stores.append([write])
  const page = await stores.subscribe('bob')
  assert.equal(names(page), [nameOf(write)])
  assert.is(stores.store().status().records, 2)
})

test('without that check a record shows twice: the mutant is seen', async ({ stores }) => {
  const write = message()
  await stores.append([write])
  armMutant('no-dedupe-on-home')
  await stores.append([write])
  assert.is(names(await stores.subscribe('bob')).length, 2)
})

test('acceptedAt merges by minimum', async ({ stores }) => {
  const write = message()
  await stores.append([write])
  await stores.append([{ ...write, acceptedAt: write.acceptedAt + 50 }])
  await stores.append([{ ...write, acceptedAt: write.acceptedAt - 50 }])
  await stores.subscribe('bob')
  const { records } = await stores.page(0, { records: true })
  assert.is(records?.[0]?.acceptedAt, write.acceptedAt - 50)
})

test('the same id with other bytes is another record', async ({ stores }) => {
  const id = newId()
  const writes = [message({ id, text: 'one' }), message({ id, text: 'two' })]
  await stores.append(writes)
  assert.equal(names(await stores.subscribe('bob')), writes.map(nameOf))
})

test('a body that lives in two mailboxes can come in two appends', async ({ stores }) => {
  const write = message()
  await stores.append([{ ...write, mailboxes: ['u:alice'] }])
  assert.not(await stores.has(write))
  await stores.append([{ ...write, mailboxes: ['u:bob'] }])
  assert.ok(await stores.has(write))
})

test('what does not belong is refused and nothing of its request is kept', async ({ stores }) => {
  const good = message()
  const elsewhere = { ...message(), mailboxes: ['u:mallory'] }
  await refuses('RPC_INVALID', () => stores.append([good, elsewhere]))
  assert.not(await stores.has(good))
  await refuses('MESSAGE_INVALID', () => stores.append([{ ...good, sealed: Buffer.from('nonsense') }]))
  await refuses('MESSAGE_TOO_LARGE', () => stores.append([message({ bytes: 100 * 1024 })]))
  await refuses('RPC_INVALID', () => stores.append([{ ...good, acceptedAt: Number.NaN }]))
})

test('only gateways, stores and the authority append; strangers ask nothing', async ({ stores }) => {
  for (const peer of ['router-1', 'stranger']) {
    stores.network.connect(peer, 'store-1')
    const transport = stores.network.transport(peer)
    await refuses('PEER_DENIED', () => transport.call('store-1', storeAppend, { epoch: 1, writes: [] }))
  }
  const stranger = stores.network.transport('stranger')
  await refuses('PEER_DENIED', () => stranger.call('store-1', storeCertificates, { epoch: 1, user: 'bob' }))
})

test('certificates: only ones that the authority signed, only in the mailbox of their user', async ({ stores }) => {
  await stores.append([certificateWrite('alice'), certificateWrite('bob')])
  const ask = (user: string) => stores.gateway.call('store-1', storeCertificates, { epoch: 1, user })
  assert.is((await ask('alice')).records.length, 1)
  assert.is((await ask('nobody')).records.length, 0)
  await refuses('RPC_INVALID', () => stores.append([{ ...certificateWrite('alice'), mailboxes: ['c:bob'] }]))
  const forged = Buffer.from(certificateWrite('alice').sealed)
  forged[0] = (forged[0] ?? 0) ^ 1
  await refuses('AUTH_SIGNATURE', () => stores.append([{ mailboxes: ['c:alice'], sealed: forged, acceptedAt: 1 }]))
  await refuses('AUTH_SIGNATURE', () => stores.append([{ ...message(), mailboxes: ['c:alice'] }]))
})

test('one turn is one batch', async ({ stores }) => {
  const before = stores.store().status().batch
  await Promise.all(Array.from({ length: 30 }, () => stores.append([message()])))
  assert.is(stores.store().status().batch <= before + 2, true)
})

test('pages go on where the last one ended, and end at the head', async ({ stores }) => {
  const writes = Array.from({ length: 25 }, (_, n) => message({ text: String(n) }))
  for (const write of writes) await stores.append([write])
  await stores.append([message({ to: 'carol' })])
  await stores.subscribe('bob')
  const seen: string[] = []
  let after = 0
  for (let more = true; more; ) {
    const page = await stores.page(after, { limit: 10 })
    assert.is(page.from, after)
    seen.push(...names(page))
    after = page.to
    more = page.to < page.head
  }
  assert.equal(seen, writes.map(nameOf))
  assert.equal(names(await stores.page(after)), [])
})

test('a page with records stops where an answer would be too large', async ({ stores }) => {
  const writes = Array.from({ length: 20 }, () => message({ bytes: 60 * 1024 }))
  for (const write of writes) await stores.append([write])
  await stores.subscribe('bob')
  const first = await stores.page(0, { records: true })
  assert.is(first.records?.length, names(first).length)
  assert.ok(names(first).length < 20 && first.to < first.head)
  const keys = Buffer.concat(writes.map(({ key }) => key))
  const fetched = await stores.gateway.call('store-1', storeFetch, { epoch: 1, sub: 1, keys })
  assert.ok(fetched.records.length > 0 && fetched.records.length < 20)
})

test('records are fetched by key, also those whose id is older than their time', async ({ stores }) => {
  const late = message({ id: newId(Date.now() - 5 * 3_600_000) })
  const unknown = message()
  await stores.append([late])
  assert.ok(await stores.has(late))
  await stores.subscribe('bob')
  const keys = Buffer.concat([late.key, unknown.key])
  const { records } = await stores.gateway.call('store-1', storeFetch, { epoch: 1, sub: 1, keys })
  assert.ok(records[0] && Buffer.from(records[0].sealed).equals(late.sealed))
  assert.is(records[1], null)
})

test('subscribers hear of new entries once they are durable, as pages that follow each other', async ({ stores }) => {
  const first = await stores.subscribe('bob')
  const writes = [message(), message(), message({ to: 'carol' })]
  for (const write of writes) await stores.append([write])
  await eventually(() => stores.notices.flatMap(names).length === 2)
  assert.equal(stores.notices.flatMap(names), writes.slice(0, 2).map(nameOf))
  assert.is(stores.notices[0]?.from, first.to)
  const last = stores.notices.at(-1)
  await stores.append([message()])
  await eventually(() => stores.notices.at(-1) !== last)
  assert.is(stores.notices.at(-1)?.from, last?.to)
})

test('a lost notice is sent again when the gateway compares heads', async ({ stores }) => {
  const { head } = await stores.subscribe('bob')
  let lost = 0
  stores.network.filter = (_from, _to, method) => {
    if (method === 'store.notice') lost += 1
    return method !== 'store.notice'
  }
  const write = message()
  await stores.append([write])
  const mark = stores.store().status()
  assert.is(mark.subscriptions, 1)
  await eventually(() => lost > 0)
  stores.network.filter = () => true
  const { unknown } = await stores.gateway.call('store-1', storeHeads, { subs: [1, 99], heads: [head, 0] })
  assert.equal(unknown, [99])
  await eventually(() => stores.notices.flatMap(names).includes(nameOf(write)))
})

test('a subscription needs a capability of that user for that gateway, and ends with it', async ({ stores }) => {
  const bob = device('bob')
  const ask = (capability: Buffer, mailbox = 'u:bob') =>
    stores.gateway.call('store-1', storeSubscribe, { epoch: 1, sub: 1, mailbox, capability })
  await refuses('AUTH_DENIED', () => ask(capabilityOf(bob, { at: 'gateway-2' })))
  await refuses('AUTH_EXPIRED', () => ask(capabilityOf(bob, { expiresAt: Date.now() - 24 * 3_600_000 })))
  await refuses('AUTH_DENIED', () => ask(capabilityOf(bob, { expiresAt: Date.now() + 24 * 3_600_000 })))
  await refuses('AUTH_DENIED', () => ask(capabilityOf(bob), 'u:alice'))
  await refuses('STORE_NO_SUBSCRIPTION', () => stores.page(0))
  const expiresAt = Date.now() + 60_000
  await ask(capabilityOf(bob, { expiresAt }))
  await stores.page(0)
  const renewed = capabilityOf(bob, { expiresAt: expiresAt + limits.capabilityMs })
  stores.gateway.notify('store-1', storeRenew, { sub: 1, capability: renewed })
  await stores.page(0)
  stores.clock.shiftMs = 60_000 + limits.clockSkewMs + 1_000
  await stores.page(0)
  stores.clock.shiftMs += limits.capabilityMs
  await refuses('STORE_NO_SUBSCRIPTION', () => stores.page(0))
})

test('revoked devices and lost gateways lose their subscriptions', async ({ stores }) => {
  await stores.subscribe('bob')
  const { dev } = device('bob').certificate
  stores.adopt(stores.sign(2, { revocations: [{ user: 'bob', dev, at: Date.now() }] }))
  await refuses('STORE_NO_SUBSCRIPTION', () => stores.page(0))
  await refuses('AUTH_REVOKED', () => stores.subscribe('bob'))
  await stores.subscribe('alice')
  stores.network.disconnect('gateway-1', 'store-1')
  assert.is(stores.store().status().subscriptions, 0)
})

test.run()
