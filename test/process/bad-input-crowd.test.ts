// A crowd at the door: hundreds that say nothing and a hundred that say only rubbish, as fast as they can, for a while.
// Two people who were there before talk on beside them, a newcomer gets in, and the node is itself again when they have gone.
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type WebSocket from 'ws'
import { toBase64 } from '../../src/protocol/bytes.ts'
import { limits } from '../../src/protocol/limits.ts'
import { eventually } from '../eventually.ts'
import { chatdJson, cleanUp, newDirectory, type NodeProcess, startNode } from '../node-process.ts'
import { answerOf, Person, RawClient } from './raw-client.ts'
import { Witness } from './witness.ts'

const crowd = suite('a crowd at the door')
let node: NodeProcess
let url = ''
let witness: Witness

crowd.before(async () => {
  node = await startNode(join(newDirectory(), 'node'), '--role', 'all', '--ws', '127.0.0.1:0', '--open-registration')
  url = node.ready.ws ?? ''
  witness = await Witness.start(url)
})
crowd.after(async () => {
  await witness.audit()
  witness.end()
  assert.not.match(node.output.stderr, /unexpectedly|the node fails/)
  assert.is((await node.stop()).code, 0)
  await cleanUp()
})

/** A TCP connection; `text` is all it ever says. */
const silent = (text: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname, () => {
      socket.write(text)
      resolve(socket)
    })
    socket.once('error', reject)
    socket.on('error', () => {})
    socket.resume()
  })
const all = <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => make(i)))

/** What each hostile connection sends again and again. */
const RUBBISH: ((socket: WebSocket) => void)[] = [
  (socket) => socket.send('x'),
  (socket) => socket.send('{"t":"ping","id":1}'),
  (socket) =>
    socket.send(JSON.stringify({ t: 'auth.hello', id: 1, certificate: 'AAAA', nonce: toBase64(Buffer.alloc(32)) })),
  (socket) => socket.send(JSON.stringify({ t: 'auth.register', id: 1, claim: toBase64(Buffer.alloc(9_000)) })),
  (socket) => socket.send('{"t":"record.put","id":1}'),
  (socket) => socket.send('['.repeat(limits.maxUnauthenticatedFrameBytes)),
  (socket) => socket.ping('x'),
  (socket) => socket.send('x', { fin: false }),
  (socket) => socket.send(Buffer.alloc(10)),
  (socket) => socket.send('x'.repeat(limits.maxUnauthenticatedFrameBytes + 1)),
]

/** Comes back as often as it is thrown out, until `signal`. */
const misbehave = async (act: (socket: WebSocket) => void, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    const client = await RawClient.open(url).catch(() => undefined)
    if (!client) continue
    const pump = setInterval(() => {
      for (let i = 0; i < 5 && client.socket.readyState === client.socket.OPEN; i++) act(client.socket)
    }, 20)
    const leave = (): void => client.end()
    signal.addEventListener('abort', leave)
    await client.closed
    signal.removeEventListener('abort', leave)
    clearInterval(pump)
  }
}

crowd('300 silent and 100 hostile connections: others talk on, and a newcomer gets in', async () => {
  const upgrade =
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat.v1\r\n'
  const said = ['', 'GET / HT', upgrade, `${upgrade}\r\n`]
  for (let i = 0; i < 10; i++) await witness.round(`before the crowd ${i}`)
  const calmMs = witness.slowestMs
  const sockets = await all(300, (i) => silent(said[i % said.length] ?? ''))
  const stop = new AbortController()
  const hostile = Array.from({ length: 100 }, (_, i) =>
    misbehave(RUBBISH[i % RUBBISH.length] ?? (() => {}), stop.signal),
  )
  for (let i = 0; i < 30; i++) await witness.round(`beside the crowd ${i}`)
  const carol = await Person.register(url, 'carol')
  const session = await carol.login(url)
  const record = toBase64(carol.message('carol', 'I am in'))
  assert.is(answerOf(await session.request('record.put', { record })), 'record.stored')
  session.end()
  assert.ok(
    witness.slowestMs < 5_000 + 20 * calmMs,
    `a message took ${witness.slowestMs} ms, without them ${calmMs} ms`,
  )
  stop.abort()
  await Promise.all(hostile)
  for (const socket of sockets) socket.destroy()
  await eventually(
    async () => {
      const { nodes } = await chatdJson<{ nodes: { sessions?: number }[] }>('status', '--data', node.data)
      return nodes[0]?.sessions === 2
    },
    { everyMs: 200 },
  )
})

crowd.run()
