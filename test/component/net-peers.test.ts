// Real libp2p nodes in one process: how members find each other again, how maps reach those that missed them,
// and how a hung or removed peer is noticed.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { hasCode } from '../../src/protocol/errors.ts'
import { makeCertificate } from '../../src/protocol/certificate.ts'
import { toBase64 } from '../../src/protocol/bytes.ts'
import { deviceIdOf } from '../../src/protocol/records.ts'
import { mapGet, routeLookup } from '../../src/protocol/rpc.ts'
import { fastSigner, keyPairFromSeed } from '../../src/protocol/signing.ts'
import { eventually } from '../eventually.ts'
import {
  areConnected,
  signedMap,
  startTestCluster,
  startTestNode,
  testCluster,
  testSeed,
  type TestNode,
} from '../net-nodes.ts'
import { measureLateness } from '../lateness.ts'
import { stallingProxy } from '../stalling-proxy.ts'

const test = suite<{ nodes: TestNode[] }>('peers')
test.before.each((context) => {
  context.nodes = []
})
test.after.each(async ({ nodes }) => {
  await Promise.all(nodes.map((node) => node.stop()))
})
const portOf = (node: TestNode): string => node.member.addresses[0] ?? ''
const epochOf = (node: TestNode): number => node.view.current().map.epoch

/** The same node again: its key, its port, and the map it had. */
const restart = (node: TestNode): Promise<TestNode> =>
  startTestNode({ number: node.number, map: node.view.current(), listen: portOf(node) })

test('nodes of one map are all connected, and know each other’s routers in the DHT', async ({ nodes }) => {
  nodes.push(...(await startTestCluster([1, 2, 3, 4])))
  await eventually(() => areConnected(nodes))
  await eventually(() => nodes.every((node) => node.transport.dhtPeers === 3))
})

test('after any node was restarted, and after all were in another order, they are connected again', async ({
  nodes,
}) => {
  nodes.push(...(await startTestCluster([1, 2, 3])))
  await eventually(() => areConnected(nodes))
  for (const i of [0, 1, 2]) {
    const node = nodes[i]
    assert.ok(node)
    await node.stop()
    await eventually(() => nodes.every((other) => other === node || !other.transport.isConnected(node.peer)))
    nodes[i] = await restart(node)
    await eventually(() => areConnected(nodes))
  }
  for (const order of [
    [2, 0, 1],
    [1, 2, 0],
  ]) {
    await Promise.all(nodes.map((node) => node.stop()))
    const old = nodes.splice(0)
    for (const i of order) {
      const node = old[i]
      if (node) nodes.push(await restart(node))
      nodes.sort((x, y) => x.number - y.number)
    }
    await eventually(() => areConnected(nodes))
  }
})

test('a node that has an older map learns the newest, started before or after the others', async ({ nodes }) => {
  const [a, b, c] = await startTestCluster([1, 2, 3])
  assert.ok(a && b && c)
  nodes.push(a, b)
  const old = c.view.current()
  await c.stop()
  const newer = signedMap(
    9,
    [a, b, c].map((node) => node.member),
  ).sealed
  a.view.adopt(newer)
  const again = await startTestNode({ number: 3, map: old, listen: portOf(c) })
  nodes.push(again)
  await eventually(() => nodes.every((node) => epochOf(node) === 9) && areConnected(nodes))
})

test('a node that others do not know yet shows them the map in which it stands', async ({ nodes }) => {
  nodes.push(...(await startTestCluster([1, 2])))
  await eventually(() => areConnected(nodes))
  const newcomer = await startTestNode({ number: 3, map: signedMap(1, []) })
  nodes.push(newcomer)
  newcomer.view.adopt(
    signedMap(
      3,
      nodes.map((node) => node.member),
    ).sealed,
  )
  await eventually(() => areConnected(nodes))
  assert.ok(nodes.every((node) => epochOf(node) === 3 && node.persisted.length > 0))
})

test('a removed member loses its links at once, learns why, and stays out', async ({ nodes }) => {
  nodes.push(...(await startTestCluster([1, 2, 3])))
  const [a, b, c] = nodes
  assert.ok(a && b && c)
  await eventually(() => areConnected(nodes))
  a.view.adopt(signedMap(3, [a.member, b.member]).sealed)
  await eventually(() => !a.transport.isConnected(c.peer) && !b.transport.isConnected(c.peer))
  await eventually(() => epochOf(c) === 3)
  await eventually(() => c.transport.connectedPeers().join() === c.peer)
  await eventually(() => a.transport.dhtPeers === 1)
  const refusal = await c.transport.call(a.peer, mapGet, { epoch: 0 }).catch((error: unknown) => error)
  assert.ok(hasCode(refusal, 'PEER_UNREACHABLE'))
  assert.ok(a.transport.isConnected(b.peer))
})

test('a peer that hangs is noticed within 4 s on both sides, and is back soon after it wakes', async ({ nodes }) => {
  const started = await startTestCluster([1, 2])
  const [a, b] = started
  assert.ok(a && b)
  nodes.push(a, b)
  await eventually(() => areConnected(nodes))
  const proxies = await Promise.all(started.map(() => stallingProxy()))
  const members = started.map((node, i) => {
    const proxy = proxies[i]
    assert.ok(proxy)
    proxy.target = Number(portOf(node).split('/').pop())
    return { ...node.member, addresses: [`/ip4/127.0.0.1/tcp/${proxy.port}`] }
  })
  // The links of now go without the proxies: both nodes start again with a map that leads through them.
  await Promise.all(nodes.splice(0).map((node) => node.stop()))
  const map = signedMap(5, members)
  for (const { number, member } of started) {
    nodes.push(await startTestNode({ number, map, listen: member.addresses[0] ?? '' }))
  }
  const [first, second] = nodes
  assert.ok(first && second)
  await eventually(() => areConnected(nodes))
  second.transport.handle(routeLookup, () => new Promise(() => {}))
  const call = first.transport.call(second.peer, routeLookup, { user: 'u' }, { timeoutMs: 60_000 })
  for (const proxy of proxies) proxy.stall()
  const lateness = measureLateness()
  const error = await call.catch((thrown: unknown) => thrown)
  assert.ok(hasCode(error, 'NET_CLOSED'), String(error))
  await eventually(() => !second.transport.isConnected(first.peer))
  const noticedMs = lateness.ownMs()
  lateness.stop()
  assert.ok(noticedMs < 4_000, `${noticedMs} ms`)
  for (const proxy of proxies) proxy.resume()
  await eventually(() => areConnected(nodes))
  await Promise.all(proxies.map((proxy) => proxy.close()))
})

test('certificates put into the DHT by one node are found by another, and forged ones are not kept', async ({
  nodes,
}) => {
  nodes.push(...(await startTestCluster([1, 2, 3])))
  const [a, b] = nodes
  assert.ok(a && b)
  await eventually(() => nodes.every((node) => node.transport.dhtPeers === 2))
  const { publicKey } = keyPairFromSeed(testSeed(40))
  const header = {
    k: 'cert' as const,
    id: '01890000-0000-7000-8000-000000000000',
    user: 'bob',
    dev: deviceIdOf(publicKey),
    key: toBase64(publicKey),
    serial: 1,
    at: 1,
    exp: 2,
  }
  const sealed = makeCertificate(testCluster, header, fastSigner(testSeed(0)))
  assert.equal(await b.transport.certificateCache.getCertificates('bob'), [])
  await a.transport.certificateCache.putCertificates('bob', [sealed])
  await eventually(async () => {
    const [found] = await b.transport.certificateCache.getCertificates('bob')
    return found && sealed.equals(found)
  })
  const forged = makeCertificate(testCluster, { ...header, user: 'eve' }, fastSigner(testSeed(50)))
  await a.transport.certificateCache.putCertificates('eve', [forged])
  assert.equal(await b.transport.certificateCache.getCertificates('eve'), [])
})

test('a port in use is a clear error', async ({ nodes }) => {
  const [a] = await startTestCluster([1])
  assert.ok(a)
  nodes.push(a)
  const error = await startTestNode({ number: 2, map: signedMap(1, []), listen: portOf(a) }).catch(
    (thrown: unknown) => thrown,
  )
  assert.ok(hasCode(error, 'PORT_IN_USE'), String(error))
})

test.run()
