// S3: a peer outside the signed map gets nothing but the hello exchange. The stranger here is a libp2p node of its own that
// speaks all the protocols.
import type { Connection, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ChatdLibp2p, createNode } from '../../src/node/net/libp2p-node.ts'
import { MemberGate } from '../../src/node/net/member-gate.ts'
import { libp2pKey } from '../../src/node/net/node-identity.ts'
import { certificateKey, mapKey } from '../../src/node/net/record-rules.ts'
import { systemClock } from '../../src/platform/system.ts'
import { equalBytes } from '../../src/protocol/bytes.ts'
import { openMap } from '../../src/protocol/cluster-map.ts'
import { eventually, patienceMs } from '../eventually.ts'
import { FakeClock } from '../fake-clock.ts'
import {
  areConnected,
  peerOf,
  signedMap,
  startTestCluster,
  testCluster,
  testSeed,
  type TestNode,
} from '../net-nodes.ts'

const STRANGER = 66
const accept = (): void => {}

interface World {
  nodes: TestNode[]
  member: TestNode
  stranger: ChatdLibp2p
  connection: Connection
}

/** As our nodes, but it lets everybody in and believes every record. */
const startStranger = async (members: TestNode[]): Promise<ChatdLibp2p> => {
  const gate = new MemberGate(systemClock)
  gate.use(
    signedMap(
      1,
      members.map((node) => node.member),
    ).map,
  )
  const any = { 'chatd-map': accept, 'chatd-cert': accept }
  const first = { 'chatd-map': () => 0, 'chatd-cert': () => 0 }
  const records = { validators: any, selectors: first }
  const node = await createNode({
    privateKey: libp2pKey(testSeed(STRANGER)),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    isRouter: true,
    gate,
    records,
  })
  await node.start()
  return node
}

const test = suite<World>('strangers')
test.before.each(async (world) => {
  world.nodes = await startTestCluster([1, 2])
  await eventually(() => areConnected(world.nodes))
  const [member] = world.nodes
  if (!member) throw new Error('two were started')
  world.member = member
  world.stranger = await startStranger(world.nodes)
  world.connection = await world.stranger.dial(multiaddr(`${member.member.addresses[0]}/p2p/${member.peer}`))
})
test.after.each(async ({ nodes, stranger }) => {
  await Promise.all([stranger.stop(), ...nodes.map((node) => node.stop())])
})

/** The bytes that come, until the stream or its connection ends. */
const everythingFrom = async (stream: Stream): Promise<number> => {
  let bytes = 0
  stream.addEventListener('message', ({ data }) => {
    bytes += data.byteLength
  })
  await eventually(() => stream.status !== 'open' || stream.readableEnded)
  return bytes
}

for (const protocol of [
  '/chatd/rpc-control/1',
  '/chatd/rpc-data/1',
  '/chatd/kad/1.0.0',
  '/ipfs/id/1.0.0',
  '/ipfs/ping/1.0.0',
]) {
  test(`${protocol} answers nothing`, async ({ connection, member }) => {
    let bytes = 0
    try {
      const stream = await connection.newStream(protocol)
      stream.send(Buffer.alloc(32, 1))
      bytes = await everythingFrom(stream)
    } catch {
      // Refused while the protocol was negotiated, or reset before the first byte was sent.
    }
    assert.is(bytes, 0)
    assert.not(member.transport.isConnected(peerOf(STRANGER)))
  })
}

const sayHello = async (connection: Connection, shown: Uint8Array): Promise<Uint8Array> => {
  const stream = await connection.newStream('/chatd/hello/1')
  const messages = lpStream(stream, { maxDataLength: 8 * 1024 * 1024 })
  const signal = AbortSignal.timeout(patienceMs())
  await messages.write(shown, { signal })
  return (await messages.read({ signal })).subarray()
}

test('hello shows the newest map, and then the stranger is cut off', async ({ connection, member }) => {
  const shown = await sayHello(connection, signedMap(1, []).sealed)
  assert.is(openMap(shown, testCluster).map.epoch, 2)
  await eventually(() => connection.status !== 'open')
  assert.not(member.transport.isConnected(peerOf(STRANGER)))
})

test('a stranger that says nothing is cut off as well', async ({ connection }) => {
  await eventually(() => connection.status !== 'open')
})

const LIES: [string, () => Uint8Array][] = [
  ['a map of a false authority', () => signedMap(9, [], testSeed(STRANGER)).sealed],
  ['nonsense', () => Buffer.alloc(1_000, 7)],
  ['more than 1 MiB', () => Buffer.alloc(1024 * 1024 + 100)],
]
for (const [name, lie] of LIES) {
  test(`hello with ${name} is not answered`, async ({ connection, member }) => {
    const answer = await sayHello(connection, lie()).then(
      () => 'answered',
      () => 'nothing',
    )
    assert.is(answer, 'nothing')
    await eventually(() => connection.status !== 'open')
    assert.is(member.view.current().map.epoch, 2)
  })
}

test('a newer valid map that a stranger shows is adopted, and it stays a stranger', async ({
  connection,
  member,
  nodes,
}) => {
  const newer = signedMap(
    4,
    nodes.map((node) => node.member),
  ).sealed
  const shown = await sayHello(connection, newer)
  assert.ok(equalBytes(shown, newer))
  assert.is(member.view.current().map.epoch, 4)
  assert.not(member.transport.isConnected(peerOf(STRANGER)))
  assert.ok(areConnected(nodes))
})

test('no record of it gets into the DHT, and it gets no place in a routing table', async ({
  stranger,
  member,
  nodes,
}) => {
  const put = async (key: Uint8Array, value: Uint8Array): Promise<number> => {
    let stored = 0
    try {
      for await (const event of stranger.services.dht.put(key, value, { signal: AbortSignal.timeout(1_500) })) {
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') stored += 1
      }
    } catch {
      // Nobody to ask: that is a refusal too.
    }
    return stored
  }
  assert.is(await put(certificateKey('bob'), Buffer.alloc(10)), 0)
  assert.is(await put(mapKey(testCluster), signedMap(9, []).sealed), 0)
  assert.is(member.view.current().map.epoch, 2)
  assert.ok(nodes.every((node) => node.transport.dhtPeers <= 1))
})

test.run()

const limited = suite('gate')

limited('strangers get in few at a time, members always', () => {
  const clock = new FakeClock()
  const gate = new MemberGate(clock)
  gate.use(signedMap(1, [{ number: 1, addresses: [] }]).map)
  const denies = (number: number): boolean =>
    // The connection is not looked at.
    gate.gater.denyInboundEncryptedConnection?.(libp2pPeer(number), undefined as never) === true
  const admitted = (): number =>
    Array.from({ length: 200 }, () => denies(STRANGER)).filter((isDenied) => !isDenied).length
  assert.is(admitted(), 40)
  assert.not(denies(1))
  clock.advance(500)
  assert.is(admitted(), 10)
  clock.advance(60_000)
  assert.is(admitted(), 40)
})
const libp2pPeer = (number: number): Parameters<NonNullable<MemberGate['gater']['denyDialPeer']>>[0] =>
  ({ toString: () => peerOf(number) }) as never // only its text is used

limited.run()
