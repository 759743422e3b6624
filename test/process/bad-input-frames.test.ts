// What is no frame, or no frame that makes sense: over real sockets against a real node. Each gets its error or loses its
// connection; two people who talk on beside it notice nothing, and nothing that was acknowledged is lost.
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { toBase64 } from '../../src/protocol/bytes.ts'
import { clientFrames } from '../../src/protocol/frames.ts'
import { limits } from '../../src/protocol/limits.ts'
import { cleanUp, newDirectory, type NodeProcess, startNode } from '../node-process.ts'
import { answerOf, Person, RawClient } from './raw-client.ts'
import { Witness } from './witness.ts'

const frames = suite('bad frames')
let node: NodeProcess
let url = ''
let carol: Person
let witness: Witness

frames.before(async () => {
  node = await startNode(join(newDirectory(), 'node'), '--role', 'all', '--ws', '127.0.0.1:0', '--open-registration')
  url = node.ready.ws ?? ''
  carol = await Person.register(url, 'carol')
  witness = await Witness.start(url)
})
frames.after.each(() => witness.round('after a test'))
frames.after(async () => {
  await witness.audit()
  witness.end()
  assert.not.match(node.output.stderr, /unexpectedly|the node fails/)
  assert.is((await node.stop()).code, 0)
  await cleanUp()
})

const both = async (use: (client: RawClient, isMember: boolean) => Promise<void>): Promise<void> => {
  for (const isMember of [false, true]) {
    const client = isMember ? await carol.login(url) : await RawClient.open(url)
    await use(client, isMember)
    client.end()
  }
}

const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

frames('text that is no frame is answered, and the connection goes on', async () => {
  const texts = [
    '',
    'x',
    '{',
    '[]',
    'null',
    '42',
    '"ping"',
    '{}',
    '{"t":5}',
    '{"t":null,"id":1}',
    '\u0000',
    '['.repeat(15_000),
  ]
  await both(async (client) => {
    for (const text of texts) assert.is(await client.refusalOf(text), 'FRAME_INVALID', text.slice(0, 20))
    assert.is(answerOf(await client.request('ping')), 'pong')
  })
})

frames('unknown types, and names that every object has', async () => {
  await both(async (client, isMember) => {
    for (const t of ['nope', 'record.stored', '__proto__', 'constructor', 'toString', 'PING', 'x'.repeat(10_000)]) {
      assert.is(answerOf(await client.request(t)), isMember ? 'FRAME_UNKNOWN' : 'AUTH_REQUIRED', t.slice(0, 20))
    }
  })
})

frames('fields that are missing or of the wrong type are named; those not known are ignored', async () => {
  const client = await carol.login(url)
  const bad: [t: string, fields: Record<string, unknown>][] = [
    ['record.put', {}],
    ['record.put', { record: 5 }],
    ['record.put', { record: null }],
    ['record.put', { record: ['AAAA'] }],
    ['record.put', { record: 'A'.repeat(180_001) }],
    ['feed.open', {}],
    ['feed.open', { cursors: 'x' }],
    ['feed.open', { cursors: { x: { feed: 'y' } } }],
    ['feed.open', { cursors: { x: { feed: 'y', number: -1 } } }],
    ['feed.open', { cursors: { x: { feed: 'y'.repeat(65), number: 1 } } }],
    ['feed.fetch', { home: 'x', keys: 7 }],
    ['feed.fetch', { home: 'x', keys: 'AAAA' }],
    ['feed.fetch', { home: 'x', keys: toBase64(Buffer.alloc(32 * (limits.maxFetchKeys + 1))) }],
    ['certificate.get', { user: {} }],
    ['link.lookup', { code: 'x'.repeat(65) }],
  ]
  for (const [t, fields] of bad) {
    assert.is(answerOf(await client.request(t, fields)), 'FRAME_INVALID', JSON.stringify(fields).slice(0, 60))
  }
  for (const id of ['-1', '1.5', '"1"', 'null', '1e999', '{}']) {
    assert.is(await client.refusalOf(`{"t":"ping","id":${id}}`), 'FRAME_INVALID', id)
  }
  const extra = { more: JSON.parse(deep(3_000)) as unknown, t2: 'record.put', __proto__: { id: 9 } }
  assert.is(answerOf(await client.request('ping', extra)), 'pong')
  const hostile = '{"t":"ping","id":77,"__proto__":{"t":"record.put"},"constructor":1,"x":' + deep(100_000) + '}'
  client.socket.send(hostile)
  assert.is((await client.next(({ id }) => id === 77)).t, 'pong')
  client.end()
})

frames('an id may be used twice: each request gets its answer', async () => {
  const client = await carol.login(url)
  for (const t of ['ping', 'auth.map', 'nope', 'ping']) client.socket.send(JSON.stringify({ t, id: 500 }))
  await client.next(({ t }) => t === 'error')
  await client.next(({ t }) => t === 'auth.map')
  assert.is(client.frames.filter(({ id, t }) => id === 500 && t === 'pong').length, 2)
  client.end()
})

frames('before authentication only the handshake is served, after it only once', async () => {
  const stranger = await RawClient.open(url)
  const member = await carol.login(url)
  for (const [t, { phase, example }] of Object.entries(clientFrames)) {
    if (phase === 'after') assert.is(answerOf(await stranger.request(t, example)), 'AUTH_REQUIRED', t)
    if (phase === 'before') assert.is(answerOf(await member.request(t, example)), 'FRAME_INVALID', t)
  }
  assert.is(answerOf(await member.request('ping')), 'pong')
  stranger.end()
  member.end()
})

frames('binary and oversized frames end the connection, before and after authentication', async () => {
  await both(async (client) => {
    client.socket.send(Buffer.from('{"t":"ping","id":1}'))
    assert.is((await client.closed).code, 1003)
  })
  const stranger = await RawClient.open(url)
  stranger.socket.send('x'.repeat(limits.maxUnauthenticatedFrameBytes + 1))
  assert.is((await stranger.closed).code, 1009)
  const member = await carol.login(url)
  assert.is(await member.refusalOf('x'.repeat(limits.maxFrameBytes)), 'FRAME_INVALID')
  member.socket.send('x'.repeat(limits.maxFrameBytes + 1))
  assert.is((await member.closed).code, 1009)
})

frames('a flood of fragments, empty ones too, ends the connection', async () => {
  for (const piece of ['x', '']) {
    const client = await carol.login(url)
    for (let i = 0; i <= limits.maxFragments + 1; i++) client.socket.send(piece, { fin: false })
    assert.is((await client.closed).code, 1008)
  }
})

/** After an upgrade by hand: the socket under a WebSocket. */
const upgraded = (): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.once('error', reject)
    socket.write(
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat.v1\r\n\r\n',
    )
    socket.once('data', (data) => {
      assert.match(data.toString('latin1'), /^HTTP\/1\.1 101 /)
      resolve(socket)
    })
  })
/** The close code in what came last, or 0 when the connection just ended. */
const endOf = (socket: Socket): Promise<number> =>
  new Promise((resolve) => {
    let last: Buffer = Buffer.alloc(0)
    socket.on('data', (data: Buffer) => {
      last = data
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(last[0] === 0x88 ? last.readUInt16BE(2) : 0))
  })
const MASK = Buffer.alloc(4)

frames('half a frame: whoever is cut off in the middle of one leaves nothing behind', async () => {
  const begun = Buffer.concat([Buffer.from([0x81, 0xfe, 0x40, 0x00]), MASK, Buffer.from('{"t":"record.put"')])
  for (const length of [1, 3, 6, begun.length]) {
    const socket = await upgraded()
    socket.write(begun.subarray(0, length))
    await new Promise<void>((resolve) => socket.write('', () => resolve()))
    socket.resetAndDestroy()
  }
  const half = await upgraded()
  half.end(begun)
  assert.is(await endOf(half), 0)
})

const BROKEN: [what: string, bytes: Buffer, code: number][] = [
  ['no mask', Buffer.from([0x81, 0x02, 0x7b, 0x7d]), 1002],
  ['a reserved bit', Buffer.concat([Buffer.from([0xf1, 0x82]), MASK, Buffer.from('{}')]), 1002],
  ['a reserved opcode', Buffer.concat([Buffer.from([0x83, 0x82]), MASK, Buffer.from('{}')]), 1002],
  ['the rest of nothing', Buffer.concat([Buffer.from([0x80, 0x82]), MASK, Buffer.from('{}')]), 1002],
  ['a control frame in fragments', Buffer.concat([Buffer.from([0x09, 0x80]), MASK]), 1002],
  ['a long control frame', Buffer.from([0x89, 0xfe, 0x00, 0x7e]), 1002],
  ['2^62 bytes', Buffer.from([0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0]), 1009],
  ['text that is not UTF-8', Buffer.concat([Buffer.from([0x81, 0x82]), MASK, Buffer.from([0xff, 0xfe])]), 1007],
  [
    'a close code that none may send',
    Buffer.concat([Buffer.from([0x88, 0x82]), MASK, Buffer.from([0x03, 0xed])]),
    1002,
  ],
]
frames('broken WebSocket frames end the connection with the fitting code', async () => {
  for (const [what, bytes, code] of BROKEN) {
    const socket = await upgraded()
    const end = endOf(socket)
    socket.write(bytes)
    assert.is(await end, code, what)
  }
})

frames('what is no WebSocket at all gets an HTTP answer or the end', async () => {
  const { hostname, port } = new URL(url)
  const talk = (text: string): Promise<string> =>
    new Promise((resolve) => {
      let answer = ''
      const socket = connect(Number(port), hostname, () => socket.write(text))
      socket.on('error', () => {})
      socket.on('data', (data: Buffer) => {
        answer += data.toString('latin1')
      })
      socket.on('close', () => resolve(answer.split('\r\n', 1)[0] ?? ''))
    })
  const upgrade = 'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
  assert.match(await talk('\u0016\u0003\u0001garbage\r\n\r\n'), /^HTTP\/1\.1 400/)
  assert.match(await talk('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 426/)
  assert.match(await talk(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431/)
  assert.match(await talk(`${upgrade}Sec-WebSocket-Version: 13\r\n\r\n`), /^HTTP\/1\.1 400/)
  const offer = `${upgrade}Sec-WebSocket-Protocol: chat.v1\r\n`
  assert.match(await talk(`${offer}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n`), /^HTTP\/1\.1 400/)
  assert.match(
    await talk(`${offer}Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`),
    /^HTTP\/1\.1 4/,
  )
})

frames('who goes on sending what nobody can serve is ended', async () => {
  await both(async (client) => {
    for (let i = 0; i < 3_000; i++) client.socket.send('x')
    assert.equal(await client.closed, { code: 1008, reason: 'RATE_LIMITED' })
  })
})

frames('who asks and never reads the answers is ended, and the node keeps its memory', async () => {
  const client = await carol.login(url)
  client.socket.pause()
  const request = JSON.stringify({ t: 'auth.map', id: 1 })
  const sent = new Promise<void>((resolve) => client.socket.once('close', () => resolve()))
  const pump = setInterval(() => {
    for (let i = 0; i < 500; i++) client.socket.send(request)
  }, 2)
  await witness.round('beside one who never reads')
  // Nothing that the node says gets through; that it hung up shows in the writes.
  await Promise.race([sent, client.closed])
  clearInterval(pump)
  client.end()
})

frames.run()
