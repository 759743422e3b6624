// The gateway's door with real sockets: who is let in, what closes a connection, and in which order those without a name go.
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { WebSocket } from 'ws'
import { webSocketDial } from '../../src/client/websocket.ts'
import type { ClientListener, ClientSocket } from '../../src/node/core/ports.ts'
import { webSocketListener, type WebSocketListenerOptions } from '../../src/node/net/websocket-listener.ts'
import { hasCode } from '../../src/protocol/errors.ts'
import { limits } from '../../src/protocol/limits.ts'
import { eventually, patienceMs } from '../eventually.ts'
import { FakeClock } from '../fake-clock.ts'
import { measureLateness } from '../lateness.ts'

interface Door {
  listener: ClientListener
  url: string
  sockets: ClientSocket[]
  got: string[]
  closed: number
}
interface World {
  open: (options?: Partial<WebSocketListenerOptions>) => Promise<Door>
  client: (door: Door, options?: { subprotocol?: string; rejectUnauthorized?: boolean }) => Promise<WebSocket>
  ends: (() => void | Promise<void>)[]
}

const test = suite<World>('websocket listener')
test.before.each((world) => {
  world.ends = []
  world.open = async (options = {}) => {
    const listener = webSocketListener({ host: '127.0.0.1', port: 0, insecure: false, ...options })
    const door: Door = { listener, url: '', sockets: [], got: [], closed: 0 }
    const { url } = await listener.start((socket) => {
      door.sockets.push(socket)
      return { message: (text) => void door.got.push(text), closed: () => void (door.closed += 1) }
    })
    world.ends.push(() => listener.stop())
    return Object.assign(door, { url })
  }
  world.client = async (door, { subprotocol = 'chat.v1', rejectUnauthorized = true } = {}) => {
    const client = new WebSocket(door.url, subprotocol, { perMessageDeflate: false, rejectUnauthorized })
    world.ends.unshift(() => client.terminate())
    client.on('error', () => {})
    await once(client, 'open')
    return client
  }
})
test.after.each(async ({ ends }) => {
  for (const end of ends) await end()
})

const closeOf = async (client: WebSocket): Promise<number> => {
  const [code] = (await once(client, 'close', { signal: AbortSignal.timeout(patienceMs()) })) as [number] // as ws emits it
  return code
}
/** Time for the listener: nobody is thrown out before it passes, however slow the machine is. */
const letPass = (clock: FakeClock): NodeJS.Timeout => setInterval(() => clock.advance(limits.unauthenticatedMs / 10), 5)
const portOf = (door: Door): number => Number(new URL(door.url).port)

test('text goes both ways, and both sides hear of the end', async ({ open, client }) => {
  const door = await open()
  const socket = await client(door)
  const got: string[] = []
  socket.on('message', (data: Buffer) => got.push(data.toString()))
  socket.send('{"t":"ping"}')
  await eventually(() => door.got.length === 1)
  for (const text of ['one', 'zwei ü', 'x'.repeat(200_000)]) door.sockets[0]?.send(text)
  await eventually(() => got.length === 3)
  assert.equal(
    got.map((text) => text.length),
    [3, 6, 200_000],
  )
  assert.is(door.got[0], '{"t":"ping"}')
  assert.match(door.sockets[0]?.remote ?? '', /^127\.0\.0\.1:\d+$/)
  socket.close()
  await eventually(() => door.closed === 1)
  door.sockets[0]?.send('into the void')
})

test('without the subprotocol nobody gets in, and plain HTTP is told what to do', async ({ open, client }) => {
  const door = await open()
  const refused = await client(door, { subprotocol: 'chat.v9' }).then(
    () => 'open',
    () => 'refused',
  )
  assert.is(refused, 'refused')
  const response = await fetch(door.url.replace('ws', 'http'))
  assert.is(response.status, 426)
  assert.match(await response.text(), /chat\.v1/)
  assert.is(door.sockets.length, 0)
})

test('a frame above 16 KiB ends a connection without a name; with one 256 KiB pass, and no more', async ({
  open,
  client,
}) => {
  const door = await open()
  const early = await client(door)
  early.send('x'.repeat(limits.maxUnauthenticatedFrameBytes + 1))
  assert.is(await closeOf(early), 1009)
  const late = await client(door)
  door.sockets[1]?.authenticated()
  late.send('x'.repeat(limits.maxFrameBytes))
  await eventually(() => door.got.length === 1)
  assert.is(door.got[0]?.length, limits.maxFrameBytes)
  late.send('x'.repeat(limits.maxFrameBytes + 1))
  assert.is(await closeOf(late), 1009)
  assert.is(door.got.length, 1)
})

/** A masked frame with a zero mask, as bytes. */
const frame = (firstByte: number, payload: Buffer): Buffer => {
  const header = Buffer.alloc(8)
  header[0] = firstByte
  header[1] = 0x80 | 126
  header.writeUInt16BE(payload.length, 2)
  return Buffer.concat([header, payload])
}
const rawClient = async (door: Door): Promise<Socket> => {
  const socket = connect(portOf(door), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(
    'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\nSec-WebSocket-Protocol: chat.v1\r\n\r\n`,
  )
  await once(socket, 'data')
  return socket
}

test('a flood of fragments ends the connection', async ({ open, ends }) => {
  const door = await open()
  const socket = await rawClient(door)
  ends.unshift(() => void socket.destroy())
  for (let i = 0; i <= limits.maxFragments; i++) socket.write(frame(i === 0 ? 0x01 : 0x00, Buffer.from('x')))
  await once(socket, 'close', { signal: AbortSignal.timeout(patienceMs()) })
  assert.equal(door.got, [])
})

test('a large frame in the small segments of a slow line passes once authenticated', async ({ open, ends }) => {
  const door = await open()
  const socket = await rawClient(door)
  ends.unshift(() => void socket.destroy())
  socket.setNoDelay(true)
  door.sockets[0]?.authenticated()
  const bytes = frame(0x81, Buffer.alloc(60_000, 0x61))
  for (let at = 0; at < bytes.length; at += 512) {
    socket.write(bytes.subarray(at, at + 512))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await eventually(() => door.got.length === 1)
  assert.is(door.got[0]?.length, 60_000)
})

test('binary frames are refused', async ({ open, client }) => {
  const door = await open()
  const socket = await client(door)
  socket.send(Buffer.from('x'))
  assert.is(await closeOf(socket), 1003)
  assert.equal(door.got, [])
})

test('who does not authenticate in time goes, whoever did stays; silent TCP connections go too', async ({
  open,
  client,
  ends,
}) => {
  const clock = new FakeClock()
  const door = await open({ clock })
  const silent = connect(portOf(door), '127.0.0.1')
  ends.unshift(() => void silent.destroy())
  const [named, nameless] = [await client(door), await client(door)]
  door.sockets[0]?.authenticated()
  const passing = letPass(clock)
  assert.is(await closeOf(nameless), 1008)
  await eventually(() => silent.destroyed || silent.readableEnded || silent.closed || silent.readyState === 'closed')
  clearInterval(passing)
  assert.is(named.readyState, WebSocket.OPEN)
})

test('when too many have no name the oldest goes, never the newcomer, nor one with a name', async ({
  open,
  client,
}) => {
  const door = await open({ maxUnauthenticatedSockets: 3 })
  const clients: WebSocket[] = []
  for (let i = 0; i < 6; i++) {
    clients.push(await client(door))
    if (i === 0) door.sockets[0]?.authenticated()
  }
  await eventually(() => clients.filter((socket) => socket.readyState === WebSocket.OPEN).length === 4)
  assert.equal(
    clients.map((socket) => socket.readyState === WebSocket.OPEN),
    [true, false, false, true, true, true],
  )
})

test('above the limit of connections a newcomer is told 503', async ({ open, client }) => {
  const door = await open({ maxSockets: 2 })
  await client(door)
  const second = await client(door)
  const third = new WebSocket(door.url, 'chat.v1')
  const [error] = (await once(third, 'error')) as [Error] // as ws emits it
  assert.match(error.message, /503/)
  second.close()
  await eventually(() => door.closed === 1)
  await client(door)
})

test('a client that answers no close frame is cut off after a second', async ({ open, ends }) => {
  const door = await open()
  const socket = await rawClient(door)
  ends.unshift(() => void socket.destroy())
  const lateness = measureLateness()
  door.sockets[0]?.close(1000, 'bye')
  await eventually(() => door.closed === 1)
  const tookMs = lateness.ownMs()
  lateness.stop()
  assert.ok(tookMs < 3_000, `${tookMs} ms`)
})

test('bytes that a slow client does not read are counted', async ({ open, ends }) => {
  const door = await open()
  const socket = await rawClient(door)
  ends.unshift(() => void socket.destroy())
  socket.pause()
  for (let i = 0; i < 200; i++) door.sockets[0]?.send('x'.repeat(100_000))
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok((door.sockets[0]?.bufferedBytes ?? 0) > limits.maxBufferedBytesPerClient)
})

test('stopAccepting keeps who is there; stop tells them and ends', async ({ open, client }) => {
  const door = await open()
  const socket = await client(door)
  door.listener.stopAccepting()
  const late = await client(door).then(
    () => 'open',
    () => 'refused',
  )
  assert.is(late, 'refused')
  door.sockets[0]?.send('still here')
  await once(socket, 'message')
  const [code] = await Promise.all([closeOf(socket), door.listener.stop()])
  assert.is(code, 1001)
})

test('plain ws:// beyond this machine needs to be asked for', async ({ open }) => {
  const refusal = await open({ host: '0.0.0.0' }).then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(hasCode(refusal, 'NET_INSECURE'))
  const door = await open({ host: '0.0.0.0', insecure: true })
  assert.match(door.url, /^ws:\/\/0\.0\.0\.0:\d+$/)
})

test('a port in use is a clear error', async ({ open }) => {
  const door = await open()
  const error = await open({ port: portOf(door) }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(hasCode(error, 'PORT_IN_USE'), String(error))
})

const selfSigned = (): { cert: Buffer; key: Buffer } | undefined => {
  const directory = mkdtempSync(join(tmpdir(), 'chatd-tls-'))
  try {
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(directory, name)) as [string, string]
    const options = [
      '-newkey',
      'ed25519',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
    ]
    execFileSync('openssl', ['req', '-x509', ...options], { stdio: 'ignore' })
    return { key: readFileSync(key), cert: readFileSync(cert) }
  } catch {
    return undefined // no openssl on this machine
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('with a certificate it is wss://, and the same rules hold', async ({ open, client }) => {
  const tls = selfSigned()
  if (!tls) return
  const clock = new FakeClock()
  const door = await open({ tls, clock })
  assert.match(door.url, /^wss:/)
  const [named, nameless] = [
    await client(door, { rejectUnauthorized: false }),
    await client(door, { rejectUnauthorized: false }),
  ]
  door.sockets[0]?.authenticated()
  named.send('hello')
  await eventually(() => door.got.length === 1)
  const passing = letPass(clock)
  assert.is(await closeOf(nameless), 1008)
  clearInterval(passing)
  assert.is(named.readyState, WebSocket.OPEN)
})

test('a client that does not trust the certificate is told how to, and of a door that is shut that it is', async ({
  open,
}) => {
  const tls = selfSigned()
  if (!tls) return
  const door = await open({ tls })
  const dial = webSocketDial()
  const told = async (url: string): Promise<string> => {
    const error: unknown = await dial(url, { message() {}, closed() {} }).catch((cause: unknown) => cause)
    assert.ok(hasCode(error, 'NET_UNAVAILABLE'))
    return String(error)
  }
  assert.match(await told(door.url), /self-signed certificate\); trust .* NODE_EXTRA_CA_CERTS=FILE$/)
  assert.match(await told('ws://127.0.0.1:1'), /ECONNREFUSED.*; check the address and that the gateway runs$/)
})

test.run()
