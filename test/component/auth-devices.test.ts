// Names and devices at the authority: claimed once, repeated harmlessly, linked, renewed, revoked.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MemoryDatabase } from '../../src/platform/memory-database.ts'
import { systemClock } from '../../src/platform/system.ts'
import { toBase64 } from '../../src/protocol/bytes.ts'
import { ChatError, type ErrorCode, hasCode } from '../../src/protocol/errors.ts'
import { limits } from '../../src/protocol/limits.ts'
import * as rpc from '../../src/protocol/rpc.ts'
import { cluster, FakeHomes, mapNode, mapOf, newDevice, openedCertificate, TestCluster } from '../auth-fixture.ts'
import type { AuthOptions } from '../../src/node/auth/auth-service.ts'
import { seal } from '../../src/protocol/sealed.ts'

const open = (
  options: AuthOptions = { openRegistration: true },
  ports: { database?: MemoryDatabase; homes?: FakeHomes } = {},
) => {
  const world = new TestCluster()
  const node = mapNode('router-1', ['router'], { authority: true })
  const member = world.member(node, mapOf([node]))
  const homes = ports.homes ?? new FakeHomes()
  const database = ports.database ?? new MemoryDatabase()
  let now = 0
  const clock = { ...systemClock, now: () => Date.now() + now }
  const auth = world.authority(member, { homes, database, clock }, options)
  const ask = <Q, A>(method: rpc.RpcMethod<Q, A>, request: Q): Promise<A> =>
    member.transport.call(node.peer, method, request)
  return {
    ...{ world, member, homes, database, auth, ask },
    register: (claim: Uint8Array) => ask(rpc.authRegister, { claim }),
    later: (ms: number) => {
      now += ms
    },
  }
}

const rejects = async (promise: Promise<unknown>, code: ErrorCode): Promise<ChatError> => {
  try {
    await promise
  } catch (error) {
    assert.ok(hasCode(error, code), `expected ${code}, got ${String(error)}`)
    return error as ChatError // hasCode says so
  }
  throw new Error(`expected ${code}, but it succeeded`)
}

test.after.each(() => TestCluster.stopAll())

test('a name is certified for its key, and on the homes before the answer', async () => {
  const { homes, register } = open()
  const device = newDevice()
  const { certificate } = await register(device.claim({ name: 'alice' }))
  const opened = openedCertificate(certificate)
  assert.is(opened.user, 'alice')
  assert.is(opened.dev, device.dev)
  assert.is(toBase64(opened.publicKey), device.key)
  assert.ok(homes.kept.get('alice')?.[0]?.equals(certificate))
})

test('the same key again gets the same certificate; another key finds the name taken', async () => {
  const { homes, register } = open()
  const device = newDevice()
  const [first, second] = await Promise.all([
    register(device.claim({ name: 'bob' })),
    register(device.claim({ name: 'bob' })),
  ])
  assert.ok(Buffer.from(first.certificate).equals(second.certificate))
  assert.is(homes.kept.get('bob')?.length, 1)
  await rejects(register(newDevice().claim({ name: 'bob' })), 'AUTH_NAME_TAKEN')
  await rejects(register(device.claim({ name: 'robert' })), 'AUTH_DENIED')
})

test('two keys race for a name: one gets it', async () => {
  const { register } = open()
  const results = await Promise.allSettled([1, 2, 3].map(() => register(newDevice().claim({ name: 'carol' }))))
  assert.is(results.filter((result) => result.status === 'fulfilled').length, 1)
})

test('bad claims are refused, each with its code', async () => {
  const { register } = open()
  const device = newDevice()
  await rejects(register(device.claim({ name: 'Not A Name' })), 'AUTH_NAME_ILLEGAL')
  await rejects(register(device.claim()), 'AUTH_NAME_ILLEGAL')
  const foreign = device.seal({ k: 'claim', key: device.key, name: 'dave', at: 1 } as { k: string }, 'ab'.repeat(32))
  await rejects(register(foreign), 'AUTH_SIGNATURE')
  const stolen = device.seal({ k: 'claim', key: newDevice().key, name: 'dave', at: 1 } as { k: string })
  await rejects(register(stolen), 'AUTH_SIGNATURE')
  const weak = seal({
    cluster,
    header: { k: 'claim', key: toBase64(Buffer.alloc(32)), name: 'dave', at: 1 } as { k: string },
    sign: () => Buffer.alloc(64),
  })
  await rejects(register(weak), 'AUTH_KEY_WEAK')
  await rejects(register(Buffer.from('garbage')), 'MESSAGE_INVALID')
})

test('a crash or an outage between the steps: the same key gets the same certificate, nobody else the name', async () => {
  const homes = new FakeHomes()
  const database = new MemoryDatabase()
  const before = open(undefined, { homes, database })
  const device = newDevice()
  homes.failNext = [new ChatError('QUORUM_UNAVAILABLE')]
  const failure = await rejects(before.register(device.claim({ name: 'erin' })), 'OUTCOME_UNKNOWN')
  assert.is(failure.outcome, 'unknown', 'the name is kept for this key, so it is no refusal')
  assert.match(failure.message, /is made.*repeat the same command/)
  before.world.stop()
  const after = open(undefined, { homes, database })
  await rejects(after.register(newDevice().claim({ name: 'erin' })), 'AUTH_NAME_TAKEN')
  const { certificate } = await after.register(device.claim({ name: 'erin' }))
  assert.is(openedCertificate(certificate).serial, 1)
  assert.ok(homes.kept.get('erin')?.[0]?.equals(certificate))
})

test('while too few homes are there nothing is begun: the name stays free, the invite unspent', async () => {
  const { auth, homes, register } = open({})
  const { code } = await auth.createInvite({ uses: 1, ttlMs: 60_000 })
  const [first, second] = [newDevice(), newDevice()]
  homes.isAvailable = false
  const failure = await rejects(register(first.claim({ name: 'erin', invite: code })), 'QUORUM_UNAVAILABLE')
  assert.is(failure.outcome, 'refused')
  homes.isAvailable = true
  const { certificate } = await register(second.claim({ name: 'erin', invite: code }))
  assert.is(openedCertificate(certificate).dev, second.dev)
})

test('without open registration an invite is needed, and is spent once', async () => {
  const { auth, register, later } = open({})
  await rejects(register(newDevice().claim({ name: 'frank' })), 'AUTH_INVITE')
  const { code } = await auth.createInvite({ uses: 1, ttlMs: 60_000 })
  const device = newDevice()
  const claim = device.claim({ name: 'frank', invite: code.toLowerCase() })
  await register(claim)
  await register(claim) // a repeat costs no second use
  await rejects(register(newDevice().claim({ name: 'grace', invite: code })), 'AUTH_INVITE')
  const two = await auth.createInvite({ uses: 1, ttlMs: 60_000 })
  const race = await Promise.allSettled(
    ['heidi', 'ivan'].map((name) => register(newDevice().claim({ name, invite: two.code }))),
  )
  assert.is(race.filter((result) => result.status === 'fulfilled').length, 1)
  const old = await auth.createInvite({ uses: 5, ttlMs: 60_000 })
  later(61_000)
  await rejects(register(newDevice().claim({ name: 'judy', invite: old.code })), 'AUTH_INVITE')
})

test('a device is linked by code: only what a device of the user signed approves it', async () => {
  const { ask, register } = open()
  const first = newDevice()
  const { certificate } = await register(first.claim({ name: 'kim' }))
  const second = newDevice()
  const { code } = await ask(rpc.authLinkBegin, { claim: second.claim() })
  const { claim } = await ask(rpc.authLinkLookup, { code })
  assert.ok(Buffer.from(claim).length > 0)
  const mallory = newDevice()
  const { certificate: hers } = await register(mallory.claim({ name: 'mallory' }))
  const approve = (approval: Uint8Array, paper: Uint8Array) =>
    ask(rpc.authLinkApprove, { code, approval, certificate: paper })
  await rejects(approve(mallory.approve('kim', second.key), hers), 'AUTH_DENIED')
  await rejects(approve(first.approve('kim', newDevice().key), certificate), 'AUTH_DENIED')
  await rejects(ask(rpc.authLinkLookup, { code: 'AAAA-BBBB-CCCC-DDDD' }), 'LINK_UNKNOWN')
  const linked = await approve(first.approve('kim', second.key), certificate)
  assert.is(openedCertificate(linked.certificate).user, 'kim')
  const again = await ask(rpc.authLinkBegin, { claim: second.claim() })
  assert.ok(Buffer.from(again.certificate ?? '').equals(linked.certificate), 'asked again it gets its certificate')
})

test('a revoked device is in the next map and may nothing more', async () => {
  const { ask, register, member } = open()
  const first = newDevice()
  const { certificate } = await register(first.claim({ name: 'lena' }))
  const { revocation, unknown } = {
    revocation: first.revoke('lena', first.dev),
    unknown: first.revoke('lena', '0'.repeat(16)),
  }
  await rejects(ask(rpc.authRevoke, { revocation: unknown, certificate }), 'DEVICE_UNKNOWN')
  const { epoch } = await ask(rpc.authRevoke, { revocation, certificate })
  assert.is(epoch, 2)
  assert.equal(
    member.view.current().map.revocations.map(({ user, dev }) => [user, dev]),
    [['lena', first.dev]],
  )
  await rejects(register(first.claim({ name: 'lena' })), 'AUTH_REVOKED')
  await rejects(ask(rpc.authRenew, { certificate, claim: first.claim() }), 'AUTH_REVOKED')
})

test('a certificate is renewed for the same key, once it is no longer young, with a fresh claim', async () => {
  const { ask, register, later } = open()
  const device = newDevice()
  const { certificate } = await register(device.claim({ name: 'mona' }))
  const young = await ask(rpc.authRenew, { certificate, claim: device.claim() })
  assert.ok(Buffer.from(young.certificate).equals(certificate))
  later(limits.certificateMs / 2)
  await rejects(ask(rpc.authRenew, { certificate, claim: device.claim() }), 'AUTH_EXPIRED')
  const fresh = device.claim({}, Date.now() + limits.certificateMs / 2)
  const renewed = openedCertificate((await ask(rpc.authRenew, { certificate, claim: fresh })).certificate)
  assert.is(renewed.dev, device.dev)
  assert.ok(renewed.exp > openedCertificate(certificate).exp)
})

test('a user links so many devices, then has to wait, but never to revoke: the map holds what was revoked for good', async () => {
  const { ask, register, member } = open()
  const first = newDevice()
  const { certificate } = await register(first.claim({ name: 'nora' }))
  const linked: string[] = []
  const link = async (): Promise<void> => {
    const device = newDevice()
    const { code } = await ask(rpc.authLinkBegin, { claim: device.claim() })
    const approval = { code, approval: first.approve('nora', device.key), certificate }
    await ask(rpc.authLinkApprove, approval)
    linked.push(device.dev)
    await ask(rpc.authLinkApprove, approval) // a repeat counts once
  }
  const revoke = (dev: string): Promise<unknown> =>
    ask(rpc.authRevoke, { revocation: first.revoke('nora', dev), certificate })
  let error: unknown
  for (let count = 0; count < 50 && error === undefined; count++) {
    error = await link().catch((cause: unknown) => cause)
  }
  assert.ok(hasCode(error, 'RATE_LIMITED'), String(error))
  assert.is(linked.length, 30)
  for (const dev of linked) await revoke(dev)
  assert.is(member.view.current().map.revocations.length, 30)
  const other = newDevice()
  await register(other.claim({ name: 'olga' }))
})

test.run()
