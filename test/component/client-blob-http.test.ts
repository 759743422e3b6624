// Attachments over real HTTP, against a server that answers as a test says: what is asked, how errors come back, and that neither side
// is given more than it takes.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HttpBlobs } from '../../src/client/blob-http.ts'
import type { BlobAccess } from '../../src/client/ports.ts'
import { ChatError, type ErrorCode } from '../../src/protocol/errors.ts'
import { eventually } from '../eventually.ts'

const ID = 'ab'.repeat(32)
const MIB = 1024 * 1024
/** What sockets of both sides and the streams on them may hold. */
const MAX_AHEAD = 16 * MIB

type Answer = (request: IncomingMessage, response: ServerResponse) => void
interface Scene {
  access: BlobAccess
  blobs: HttpBlobs
  signal: AbortSignal
  abort: () => void
  asked: IncomingMessage[]
}
const test = suite('blobs over HTTP')
const scene = (name: string, answer: Answer, run: (scene: Scene) => Promise<void>): void => {
  test(name, async () => {
    const asked: IncomingMessage[] = []
    const server: Server = createServer((request, response) => {
      asked.push(request)
      answer(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo // it listens on a port
    const access = { url: `ws://127.0.0.1:${port}`, token: 'secret', maxBlobBytes: MIB }
    const stop = new AbortController()
    try {
      await run({ access, blobs: new HttpBlobs(), signal: stop.signal, abort: () => stop.abort(), asked })
    } finally {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })
}

const codeOf = async (promise: Promise<unknown>): Promise<ErrorCode | undefined> => {
  const error: unknown = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  return error instanceof ChatError ? error.code : undefined
}
const refuse = (response: ServerResponse, status: number, error?: ChatError): void => {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(error ? JSON.stringify({ error: error.toWire() }) : '')
}
/** A body in parts of a MiB, that knows how much of it was taken. */
const bodyOf = (size: number) => {
  const body = {
    taken: 0,
    bytes: async function* (): AsyncGenerator<Uint8Array> {
      while (body.taken < size) {
        const part = Buffer.alloc(Math.min(MIB, size - body.taken), 7)
        body.taken += part.length
        yield part
      }
    },
  }
  return body
}
const read = async (source: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

scene(
  'HEAD says how much the cluster has',
  (_request, response) => response.writeHead(200, { 'x-blob-size': '100', 'x-blob-offset': '40' }).end(),
  async ({ access, blobs, signal, asked }) => {
    assert.is(await blobs.confirmed(access, ID, signal), 40)
    const [request] = asked
    assert.equal(
      [request?.method, request?.url, request?.headers.authorization],
      ['HEAD', `/blob/${ID}`, 'Bearer secret'],
    )
  },
)

const statuses: [status: number, outcome: ErrorCode | undefined][] = [
  [404, undefined],
  [401, 'AUTH_REQUIRED'],
  [503, 'NET_UNAVAILABLE'],
  [200, 'RPC_INVALID'],
]
for (const [status, code] of statuses) {
  scene(
    `HEAD answered ${status}`,
    (_request, response) => response.writeHead(status).end(),
    async ({ access, blobs, signal }) => {
      assert.is(await codeOf(blobs.confirmed(access, ID, signal)), code)
    },
  )
}

scene(
  'HEAD that is refused says why',
  (_request, response) => response.writeHead(503, { 'x-error-code': 'QUORUM_UNAVAILABLE' }).end(),
  async ({ access, blobs, signal }) => {
    assert.is(await codeOf(blobs.confirmed(access, ID, signal)), 'QUORUM_UNAVAILABLE')
  },
)

scene(
  'PUT sends the rest of a blob, and no more than is taken',
  (request, response) => {
    request.pause()
    request.on('end', () => response.writeHead(201).end('{}'))
  },
  async ({ access, blobs, signal, asked }) => {
    const body = bodyOf(64 * MIB)
    const put = blobs.put(access, { id: ID, size: 64 * MIB + 5, offset: 5, bytes: body.bytes() }, signal)
    await eventually(() => body.taken > 0 && asked.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.ok(body.taken <= MAX_AHEAD, `${body.taken} bytes were taken of a body that nobody reads`)
    asked[0]?.resume()
    await put
    assert.is(body.taken, 64 * MIB)
    const { 'x-blob-size': size, 'x-blob-offset': offset, 'content-length': length } = asked[0]?.headers ?? {}
    assert.equal([size, offset, length], [`${64 * MIB + 5}`, '5', `${64 * MIB}`])
  },
)

scene(
  'PUT hears a refusal, with its reason, though the body is not read',
  (_request, response) => refuse(response, 413, new ChatError('BLOB_TOO_LARGE', { message: 'too much' })),
  async ({ access, blobs, signal }) => {
    const body = bodyOf(64 * MIB)
    const put = blobs.put(access, { id: ID, size: 64 * MIB, offset: 0, bytes: body.bytes() }, signal)
    assert.is(await codeOf(put), 'BLOB_TOO_LARGE')
    assert.ok(body.taken <= MAX_AHEAD)
  },
)

scene(
  'PUT hears where to go on',
  (_request, response) => refuse(response, 409, new ChatError('BLOB_INCOMPLETE', { details: { offset: 3 } })),
  async ({ access, blobs, signal }) => {
    const put = blobs.put(access, { id: ID, size: 10, offset: 5, bytes: bodyOf(5).bytes() }, signal)
    const error: unknown = await put.catch((cause: unknown) => cause)
    assert.ok(error instanceof ChatError && error.code === 'BLOB_INCOMPLETE')
    assert.equal(error.details, { offset: 3 })
  },
)

scene(
  'PUT that breaks in the middle is a network error',
  (request) => request.once('data', () => request.socket.destroy()),
  async ({ access, blobs, signal }) => {
    const put = blobs.put(access, { id: ID, size: 64 * MIB, offset: 0, bytes: bodyOf(64 * MIB).bytes() }, signal)
    assert.is(await codeOf(put), 'NET_UNAVAILABLE')
  },
)

scene(
  'PUT of a file that changed ends with that error',
  (request) => request.resume(),
  async ({ access, blobs, signal }) => {
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(10)
      throw new ChatError('FILE_CHANGED')
    }
    assert.is(await codeOf(blobs.put(access, { id: ID, size: 20, offset: 0, bytes: bytes() }, signal)), 'FILE_CHANGED')
  },
)

scene(
  'PUT ends with its signal',
  (request) => request.pause(),
  async ({ access, blobs, signal, abort }) => {
    const body = bodyOf(64 * MIB)
    const put = blobs.put(access, { id: ID, size: 64 * MIB, offset: 0, bytes: body.bytes() }, signal)
    await eventually(() => body.taken > 0)
    abort()
    assert.ok(await codeOf(put))
  },
)

scene(
  'a server that says nothing is given up',
  () => {},
  async ({ access, signal }) => {
    const impatient = new HttpBlobs({ silenceMs: 50 })
    assert.is(await codeOf(impatient.confirmed(access, ID, signal)), 'NET_TIMEOUT')
    assert.is(await codeOf(read(impatient.get(access, { id: ID, from: 0 }, signal))), 'NET_TIMEOUT')
  },
)

const plain = Buffer.from('0123456789')
scene(
  'GET reads the whole, or from a byte on',
  (request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.writeHead(from > 0 ? 206 : 200).end(plain.subarray(from))
  },
  async ({ access, blobs, signal }) => {
    assert.is((await read(blobs.get(access, { id: ID, from: 0 }, signal))).toString(), '0123456789')
    assert.is((await read(blobs.get(access, { id: ID, from: 7 }, signal))).toString(), '789')
  },
)

scene(
  'GET from a byte on of a server that begins anew is refused: it would be other bytes',
  (_request, response) => response.writeHead(200).end(plain),
  async ({ access, blobs, signal }) => {
    assert.is(await codeOf(read(blobs.get(access, { id: ID, from: 7 }, signal))), 'NET_UNAVAILABLE')
  },
)

scene(
  'GET that breaks in the middle gives what came, then a network error',
  (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write(plain)
    setTimeout(() => response.destroy(), 20)
  },
  async ({ access, blobs, signal }) => {
    let received = 0
    const reading = async (): Promise<void> => {
      for await (const part of blobs.get(access, { id: ID, from: 0 }, signal)) received += part.length
    }
    assert.is(await codeOf(reading()), 'NET_UNAVAILABLE')
    assert.is(received, plain.length)
  },
)

scene(
  'GET of what there is not',
  (_request, response) => refuse(response, 404, new ChatError('BLOB_UNKNOWN')),
  async ({ access, blobs, signal }) => {
    assert.is(await codeOf(read(blobs.get(access, { id: ID, from: 0 }, signal))), 'BLOB_UNKNOWN')
  },
)

test('nobody there', async () => {
  const access = { url: 'ws://127.0.0.1:1', token: 't', maxBlobBytes: 1 }
  const { signal } = new AbortController()
  assert.is(await codeOf(new HttpBlobs().confirmed(access, ID, signal)), 'NET_UNAVAILABLE')
  const put = new HttpBlobs().put(access, { id: ID, size: 5, offset: 0, bytes: bodyOf(5).bytes() }, signal)
  assert.is(await codeOf(put), 'NET_UNAVAILABLE')
})

test.run()
