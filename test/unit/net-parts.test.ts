// The small parts of the peer transport: deadlines, dialing, newcomers, what the DHT may hold.
import { Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { packCertificates, unpackCertificates } from '../../src/node/net/certificate-list.ts'
import { Dialer } from '../../src/node/net/dialer.ts'
import { isLoopback } from '../../src/node/net/listen-error.ts'
import { MapRecord } from '../../src/node/net/map-record.ts'
import { Newcomers } from '../../src/node/net/newcomers.ts'
import { libp2pKey, nodeIdentity } from '../../src/node/net/node-identity.ts'
import { PendingCalls } from '../../src/node/net/pending-calls.ts'
import { certificateKey, mapKey, recordRules } from '../../src/node/net/record-rules.ts'
import type { ClusterView } from '../../src/node/core/ports.ts'
import { makeCertificate } from '../../src/protocol/certificate.ts'
import { silentLogger } from '../../src/platform/ports.ts'
import { openMap, type Role, type SignedMap } from '../../src/protocol/cluster-map.ts'
import { toBase64 } from '../../src/protocol/bytes.ts'
import { deviceIdOf } from '../../src/protocol/records.ts'
import { fastSigner, keyPairFromSeed, verifierFor } from '../../src/protocol/signing.ts'
import { FakeClock } from '../fake-clock.ts'
import { peerOf, signedMap, testCluster, testSeed } from '../net-nodes.ts'

const pendingCalls = suite('pending calls')

pendingCalls('deadlines are kept to within a slot, whatever their order', async () => {
  const pending = new PendingCalls()
  const late: number[] = []
  for (const deadline of [500, 120, 5_000, 60, 119]) {
    const { id, answer } = pending.open(deadline)
    pending.markSent(id, 1)
    answer.catch(() => late.push(deadline))
  }
  const seen: string[] = []
  for (let now = 0; now <= 1_000; now += 50) {
    pending.sweep(now)
    await Promise.resolve()
    await Promise.resolve()
    seen.push(...late.splice(0).map((deadline) => `${deadline}@${now}`))
  }
  assert.equal(seen, ['60@100', '120@150', '119@150', '500@500'])
  assert.is(pending.bytes, 1)
})

pendingCalls('a deadline that is over already rejects in the next sweep', async () => {
  const pending = new PendingCalls()
  pending.open(100_000).answer.catch(() => {})
  pending.sweep(5_000)
  const { answer } = pending.open(10)
  pending.sweep(5_050)
  pending.sweep(5_100)
  assert.instance(await answer.catch((error: unknown) => error), Error)
})

pendingCalls('every request gets another id', () => {
  const pending = new PendingCalls()
  const ids = Array.from({ length: 100 }, () => pending.open(1).id)
  assert.is(new Set(ids).size, 100)
  assert.not(ids.includes(0))
})

pendingCalls.run()

const dialing = suite('dialer')
const nodeNamed = (peer: string) => ({ peer, key: '', name: peer, roles: [], weight: 1, addresses: [] })
const setUp = (self: string, isReachable: () => boolean) => {
  const clock = new FakeClock()
  const dials: number[] = []
  const dial = (): Promise<void> => {
    dials.push(clock.monotonic())
    return isReachable() ? Promise.resolve() : Promise.reject(new Error('refused'))
  }
  let isUp = false
  const dialer = new Dialer({
    self,
    clock,
    random: { float: () => 1, bytes: () => new Uint8Array(0) },
    isUp: () => isUp,
    dial,
  })
  dialer.use({ ...signedMap(1, []).map, nodes: [nodeNamed('m')] })
  const run = async (ms: number): Promise<void> => {
    for (let t = 0; t < ms; t += 50) {
      clock.advance(50)
      dialer.tick(clock.monotonic())
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { dialer, dials, run, setUp: (value: boolean) => void (isUp = value) }
}

dialing('both sides dial at start, then backs off up to 5 s, for ever', async () => {
  for (const self of ['a', 'z']) {
    const { dials, run } = setUp(self, () => false)
    await run(60_000)
    assert.is(dials[0], 50)
    const gaps = dials.slice(1).map((at, i) => at - (dials[i] ?? 0))
    assert.ok(Math.max(...gaps) <= 5_050, String(gaps))
    assert.ok(dials.length > 12)
  }
})

dialing('who was dialed to the end, or is there, was tried; who is new in the map was not', async () => {
  for (const isReachable of [true, false]) {
    const { dialer, run } = setUp('a', () => isReachable)
    assert.is(dialer.hasTriedAll, false)
    await run(50)
    assert.is(dialer.hasTriedAll, true)
    dialer.use({ ...signedMap(2, []).map, nodes: [nodeNamed('m'), nodeNamed('n')] })
    assert.is(dialer.hasTriedAll, false)
    dialer.use({ ...signedMap(3, []).map, nodes: [nodeNamed('a')] })
    assert.is(dialer.hasTriedAll, true)
  }
  const { dialer, setUp: setState } = setUp('a', () => true)
  setState(true)
  assert.is(dialer.hasTriedAll, true)
})

dialing('after a loss the smaller id dials at once, the greater one only after 3 s', async () => {
  for (const [self, least] of [
    ['a', 0],
    ['z', 3_000],
  ] as const) {
    const { dialer, dials, run, setUp: setState } = setUp(self, () => true)
    await run(50)
    setState(true)
    await run(10_000)
    const before = dials.length
    setState(false)
    dialer.lost('m')
    await run(4_000)
    const [first = 0] = dials.slice(before)
    const waited = first - 10_050
    assert.ok(waited >= least && waited <= least + 100, `${self} waited ${waited}`)
  }
})

dialing('a node that left the map is not dialed', async () => {
  const { dialer, dials, run } = setUp('a', () => false)
  dialer.use({ ...signedMap(2, []).map, nodes: [] })
  await run(10_000)
  assert.is(dials.length, 0)
})

dialing.run()

const newcomers = suite('newcomers')
const socketFrom = (port: number): Socket =>
  Object.defineProperties(new Socket(), { remoteAddress: { value: '::1' }, remotePort: { value: port } })

newcomers('when they are too many the oldest goes', () => {
  const list = new Newcomers(3, 10_000)
  const sockets = [1, 2, 3, 4, 5].map(socketFrom)
  for (const socket of sockets) list.add(socket, 0)
  assert.equal(
    sockets.map((socket) => socket.destroyed),
    [true, true, false, false, false],
  )
})

newcomers('one that authenticated stays, one that does not in time is told and goes', () => {
  const list = new Newcomers(3, 10_000)
  const [first, second] = [socketFrom(1), socketFrom(2)]
  const said: string[] = []
  list.add(first, 0)
  list.add(second, 0)
  list.attach('[::1]:2', { close: (code, reason) => said.push(`${code} ${reason}`), terminate() {} })
  list.remove('[::1]:1')
  list.sweep(9_999)
  assert.equal(said, [])
  list.sweep(10_000)
  assert.equal(said, ['1008 not authenticated in time'])
  assert.is(list.size, 0)
  assert.not(first.destroyed)
})

newcomers.run()

const identity = suite('identity and addresses')

identity('one seed gives one peer id, the same key in libp2p, and signatures that verify', () => {
  const node = nodeIdentity(testSeed(1))
  const { peer, publicKey } = node
  assert.is(peer, libp2pKey(testSeed(1)).publicKey.toString())
  assert.match(peer, /^12D3KooW/)
  const message = Buffer.from('hello')
  assert.ok(verifierFor(publicKey).verify(message, node.sign(message)))
})

identity('loopback addresses are known, everything else is not', () => {
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]']) assert.ok(isLoopback(host), host)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org', 'localhost.example.org', '']) {
    assert.not(isLoopback(host), host)
  }
})

identity.run()

const records = suite('records of the DHT')
const authority = fastSigner(testSeed(0))
const certificate = (user: string, serial: number, sign = authority): Buffer => {
  const { publicKey } = keyPairFromSeed(testSeed(serial))
  const header = {
    k: 'cert' as const,
    id: '01890000-0000-7000-8000-000000000000',
    user,
    dev: deviceIdOf(publicKey),
    key: toBase64(publicKey),
    serial,
    at: 1,
    exp: 2,
  }
  return makeCertificate(testCluster, header, sign)
}
const rulesAt = (epoch: number) => {
  let current = signedMap(epoch, [])
  const view: ClusterView = {
    current: () => current,
    adopt: (sealed) => {
      const isNewer = openMap(sealed, testCluster).map.epoch > current.map.epoch
      if (isNewer) current = openMap(sealed, testCluster)
      return isNewer
    },
    watch() {},
  }
  return { view, ...recordRules(testCluster, () => view) }
}

records('a map: only of this cluster, signed, and not of an epoch that is over; a newer one is adopted', () => {
  const { validators, selectors, view } = rulesAt(5)
  const validate = (epoch: number, key = mapKey(testCluster)): void =>
    validators['chatd-map']?.(key, signedMap(epoch, []).sealed)
  assert.throws(() => validate(4))
  assert.throws(() => validate(5, Buffer.from('/chatd-map/abc')))
  const forged = Uint8Array.from(signedMap(6, []).sealed)
  forged[forged.length - 3] = (forged[forged.length - 3] ?? 0) ^ 1
  assert.throws(() => validators['chatd-map']?.(mapKey(testCluster), forged))
  validate(5)
  validate(7)
  assert.is(view.current().map.epoch, 7)
  assert.throws(() => validate(6))
  const list = [3, 9, 4].map((epoch) => signedMap(epoch, []).sealed)
  assert.is(selectors['chatd-map']?.(mapKey(testCluster), list), 1)
})

records('certificates: all of the user in the key, signed by the authority, and not older than those seen', () => {
  const { validators } = rulesAt(1)
  const validate = (user: string, list: Uint8Array[]): void =>
    validators['chatd-cert']?.(certificateKey(user), packCertificates(list))
  validate('bob', [certificate('bob', 2)])
  validate('bob', [certificate('bob', 2), certificate('bob', 3)])
  assert.throws(() => validate('bob', [certificate('bob', 2)]), /Older/)
  assert.throws(() => validate('eve', [certificate('bob', 9)]))
  assert.throws(() => validate('eve', [certificate('eve', 9, fastSigner(testSeed(66)))]))
  assert.throws(() => validate('eve', []))
})

records('public keys, which kad-dht would keep, are refused', () => {
  assert.throws(() => rulesAt(1).validators['pk']?.(Buffer.from('/pk/x'), Buffer.from('x')))
})

records('a list of certificates survives packing; nonsense does not', () => {
  const list = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('three')]
  assert.equal(unpackCertificates(packCertificates(list)).map(String), ['one', '', 'three'])
  for (const bad of [[0], [0, 0, 0, 9, 1], [255, 255, 255, 255]])
    assert.throws(() => unpackCertificates(Uint8Array.from(bad)))
})

records.run()

const mapRecord = suite('map record')

const PUBLISHERS: [name: string, roles: Role[], authority: boolean, expected: string][] = [
  ['the authority publishes a new map at once', ['store'], true, 'put 2, put 3'],
  ['a router publishes it in its next round', ['router'], false, 'put 2, later, put 3'],
  ['another member only reads', ['gateway'], false, 'get, later, get'],
]
for (const [name, roles, authority, expected] of PUBLISHERS) {
  mapRecord(name, async () => {
    const clock = new FakeClock()
    const done: string[] = []
    const mapAt = (epoch: number): SignedMap => {
      const { map, sealed } = signedMap(epoch, [{ number: 1, addresses: [], roles }])
      return { map: { ...map, nodes: map.nodes.map((node) => ({ ...node, authority })) }, sealed }
    }
    let current = mapAt(2)
    let adopted: (map: SignedMap) => void = () => {}
    const view: ClusterView = { current: () => current, adopt: () => false, watch: (watcher) => (adopted = watcher) }
    const records = {
      publishMap: async (_cluster: string, sealed: Uint8Array) =>
        done.push(`put ${openMap(sealed, testCluster).map.epoch}`),
      readMap: async () => void done.push('get'),
    }
    const stopping = new AbortController()
    new MapRecord({ records, self: peerOf(1), view, clock, log: silentLogger }).start(stopping.signal)
    await settle()
    current = mapAt(3)
    adopted(current)
    await settle()
    if (done.length === 1) done.push('later')
    clock.advance(60_000)
    await settle()
    assert.is(done.join(', '), expected)
    stopping.abort()
  })
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

mapRecord.run()
