// A stream of the real yamux as the wire under RPC: its window is told at half, everything arrives, and whoever pauses is not flooded.
import type { Stream } from '@libp2p/interface'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ChatdLibp2p, createNode } from '../../src/node/net/libp2p-node.ts'
import { wireOf } from '../../src/node/net/libp2p-wire.ts'
import { MemberGate } from '../../src/node/net/member-gate.ts'
import { libp2pKey } from '../../src/node/net/node-identity.ts'
import type { RpcWire } from '../../src/node/net/rpc-stream.ts'
import { systemClock } from '../../src/platform/system.ts'
import { eventually } from '../eventually.ts'
import { signedMap, testSeed } from '../net-nodes.ts'

const PROTOCOL = '/test/wire/1'
const members = [1, 2].map((number) => ({ number, addresses: [] }))

const startNode = async (number: number): Promise<ChatdLibp2p> => {
  const gate = new MemberGate(systemClock)
  gate.use(signedMap(1, members).map)
  const records = { validators: {}, selectors: {} }
  const listen = ['/ip4/127.0.0.1/tcp/0']
  const node = await createNode({ privateKey: libp2pKey(testSeed(number)), listen, isRouter: false, gate, records })
  await node.start()
  return node
}

/** How often this side told of its window. */
const countUpdates = (stream: Stream): (() => number) => {
  let count = 0
  const sender = stream as Stream & { sendFrame: (header: { type: number }) => void } // of yamux: what the test looks at
  const send = sender.sendFrame
  sender.sendFrame = (header, ...rest) => {
    if (header.type === 1) count += 1
    send(header, ...rest)
  }
  return () => count
}

interface World {
  nodes: ChatdLibp2p[]
  writer: RpcWire
  reader: RpcWire
  updates: () => number
  received: () => number
}
const wire = suite<World>('wire')
wire.before.each(async (world) => {
  const [a, b] = await Promise.all([startNode(1), startNode(2)])
  world.nodes = [a, b]
  const incoming = Promise.withResolvers<Stream>()
  await b.handle(PROTOCOL, incoming.resolve)
  const stream = await a.dialProtocol(b.getMultiaddrs(), PROTOCOL)
  world.writer = wireOf(stream)
  const other = await incoming.promise
  world.updates = countUpdates(other)
  world.reader = wireOf(other)
  let bytes = 0
  world.reader.listen({ data: ({ length }) => void (bytes += length), drained: () => {}, closed: () => {} })
  world.received = () => bytes
})
wire.after.each(async ({ nodes }) => {
  for (const node of nodes) await node.stop()
})

wire('a window is told when half of it is used, not for every frame', async ({ writer, received, updates }) => {
  const frame = Buffer.alloc(1_000, 1)
  const total = 2_000
  for (let sent = 0; sent < total; ) {
    for (let i = 0; i < 20; i++, sent++) writer.send(frame)
    await eventually(() => received() === sent * frame.length)
  }
  // A hundred turns of 20,000 bytes, and windows of at least 256 KiB: every sixth at most has something to tell.
  assert.ok(updates() >= 1 && updates() <= 20, `${updates()} updates`)
})

wire('more than a window at once arrives whole', async ({ writer, received }) => {
  const bytes = 5 * 1024 * 1024
  writer.send(Buffer.alloc(bytes, 2))
  await eventually(() => received() === bytes)
})

wire('a reader that pauses gets the rest once it goes on', async ({ writer, reader, received }) => {
  writer.send(Buffer.alloc(100, 3))
  await eventually(() => received() === 100)
  reader.pause()
  const bytes = 3 * 1024 * 1024
  writer.send(Buffer.alloc(bytes, 3))
  const before = received()
  assert.ok(before < bytes)
  reader.resume()
  await eventually(() => received() === bytes + 100)
})

wire.run()
