// HTTP at the gateway's door with real sockets: bodies stream both ways at the pace of the slower side, and answers get through.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ClientRequest, ClientRequestHandler } from '../../src/node/core/ports.ts'
import { webSocketListener } from '../../src/node/net/websocket-listener.ts'
import type { Clock } from '../../src/platform/ports.ts'
import { hasCode } from '../../src/protocol/errors.ts'
import { limits } from '../../src/protocol/limits.ts'
import { eventually } from '../eventually.ts'
import { FakeClock } from '../fake-clock.ts'

interface World {
  open: (handler: ClientRequestHandler, options?: { unauthenticatedMs?: number; clock?: Clock }) => Promise<number>
  ends: (() => Promise<void>)[]
}
const test = suite<World>('requests of clients')
test.before.each((world) => {
  world.ends = []
  // Strangers have a minute: a busy machine takes its time with what these tests send.
  world.open = async (handler, options = { unauthenticatedMs: 60_000 }) => {
    const listener = webSocketListener({ host: '127.0.0.1', port: 0, insecure: false, ...options })
    const { url } = await listener.start(() => ({ message() {}, closed() {} }), handler)
    world.ends.push(() => listener.stop())
    return Number(new URL(url).port)
  }
})
test.after.each(async ({ ends }) => {
  for (const end of ends) await end()
})

const MIB = 1024 * 1024
async function* zeros(bytes: number, onChunk = (_sent: number): void => {}): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < bytes; sent += MIB) {
    onChunk(sent)
    yield new Uint8Array(Math.min(MIB, bytes - sent))
  }
}
const count = async (body: AsyncIterable<Uint8Array>): Promise<number> => {
  let bytes = 0
  for await (const chunk of body) bytes += chunk.length
  return bytes
}
const answered = (request: ReturnType<typeof httpRequest>): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    request.on('response', resolve)
    request.on('error', reject)
  })

test('a body comes whole, and so does the answer', async ({ open }) => {
  let seen: ClientRequest | undefined
  const port = await open(async (request) => {
    seen = request
    return { status: 201, headers: { 'x-got': `${await count(request.body)}` }, body: zeros(3 * MIB + 5) }
  })
  const response = await fetch(`http://127.0.0.1:${port}/blob/abc?x=1`, {
    method: 'PUT',
    body: new Uint8Array(5 * MIB),
    headers: { 'X-Size': '7' },
  })
  assert.is(response.status, 201)
  assert.is(response.headers.get('x-got'), `${5 * MIB}`)
  assert.is((await response.arrayBuffer()).byteLength, 3 * MIB + 5)
  assert.equal([seen?.method, seen?.path, seen?.headers['x-size']], ['PUT', '/blob/abc?x=1', '7'])
})

test('whoever reads slowly is sent no more than fits between', async ({ open }) => {
  let sent = 0
  const port = await open(async () => ({ status: 200, headers: {}, body: zeros(100 * MIB, (at) => (sent = at)) }))
  const request = httpRequest({ port, path: '/blob/x' }).end()
  const response = await answered(request)
  await new Promise((resolve) => setTimeout(resolve, 200))
  assert.ok(sent < 20 * MIB, `${sent} bytes were made for a client that reads nothing`)
  let got = 0
  response.on('data', (chunk: Buffer) => (got += chunk.length))
  await eventually(() => got === 100 * MIB)
})

test('a body nobody reads stays with the client, and the answer gets through all the same', async ({ open }) => {
  const port = await open(async () => ({ status: 409, headers: {}, body: '{"no":1}' }))
  const request = httpRequest({ port, path: '/blob/x', method: 'PUT', headers: { 'content-length': 50 * MIB } })
  request.write(new Uint8Array(8 * MIB))
  const response = await answered(request)
  assert.is(response.statusCode, 409)
  assert.is(response.headers.connection, 'close')
  response.resume()
  request.on('error', () => {})
  await eventually(() => request.destroyed || request.socket?.destroyed)
})

test('an answer in the middle of a body gets through to a client that goes on sending', async ({ open }) => {
  const port = await open(async ({ body }) => {
    for await (const _piece of body) break
    return { status: 507, headers: { 'content-length': '8' }, body: '{"no":1}' }
  })
  for (let round = 0; round < 10; round++) {
    const request = httpRequest({ port, path: '/blob/x', method: 'PUT', headers: { 'content-length': 50 * MIB } })
    const answer = answered(request)
    const sending = setInterval(() => request.write(new Uint8Array(MIB)), 1)
    const response = await answer.finally(() => clearInterval(sending))
    assert.is(response.statusCode, 507)
    assert.is(await count(response), 8)
    request.destroy()
  }
})

test('a client that goes away ends the body with an error, and the answer’s source', async ({ open }) => {
  let failure: unknown
  let isReleased = false
  const port = await open(async ({ method, body }) => {
    if (method === 'PUT') await count(body).catch((error: unknown) => (failure = error))
    const source = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield* zeros(500 * MIB)
      } finally {
        isReleased = true
      }
    }
    return { status: 200, headers: {}, body: source() }
  })
  const up = httpRequest({ port, path: '/blob/x', method: 'PUT', headers: { 'content-length': 10 * MIB } })
  up.on('error', () => {})
  up.write(new Uint8Array(MIB), () => setTimeout(() => up.destroy(), 20))
  await eventually(() => hasCode(failure, 'NET_CLOSED'))
  isReleased = false
  const down = httpRequest({ port, path: '/blob/x' }).end()
  const response = await answered(down)
  response.once('data', () => down.destroy())
  await eventually(() => isReleased)
})

test('a source that fails breaks the connection off: nobody takes half for the whole', async ({ open }) => {
  const port = await open(async () => ({
    status: 200,
    headers: { 'content-length': `${10 * MIB}` },
    body: (async function* () {
      yield new Uint8Array(MIB)
      throw new Error('no home has the rest')
    })(),
  }))
  const response = await fetch(`http://127.0.0.1:${port}/blob/x`)
  await response.arrayBuffer().then(
    () => assert.unreachable(),
    () => {},
  )
})

test('strangers have seconds, those who showed a token as long as they need', async ({ open }) => {
  // Time passes only once both were heard.
  const clock = new FakeClock()
  let heard = 0
  const port = await open(
    async (request) => {
      heard += 1
      if (request.headers.authorization !== undefined) request.authenticated()
      return { status: 200, headers: {}, body: `${await count(request.body)}` }
    },
    { clock },
  )
  const slow = (extra: string): { socket: Socket; text: Promise<string> } => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`PUT /blob/x HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n${extra}\r\na`)
    let text = ''
    socket.on('data', (data) => (text += data.toString()))
    return { socket, text: new Promise((resolve) => socket.on('close', () => resolve(text))) }
  }
  const [stranger, known] = [slow(''), slow('authorization: Bearer x\r\n')]
  await eventually(() => heard === 2)
  const passing = setInterval(() => clock.advance(limits.unauthenticatedMs), 5)
  assert.is(await stranger.text, '')
  clearInterval(passing)
  known.socket.write('b')
  assert.match(await known.text, /200 OK/)
})

test('other paths are told to speak WebSocket', async ({ open }) => {
  const port = await open(async () => ({ status: 200, headers: {} }))
  assert.is((await fetch(`http://127.0.0.1:${port}/`)).status, 426)
})

test.run()
