// Attachments at a gateway: tokens, the HTTP methods with everything they refuse, and messages that wait for their blobs.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { ClientResponse } from '../../src/node/core/ports.ts'
import { lastHourOf } from '../../src/node/gateway/pinning.ts'
import { rangeOf } from '../../src/node/gateway/range-header.ts'
import { encryptedSize } from '../../src/protocol/blob.ts'
import { toHex } from '../../src/protocol/bytes.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { hourOf, type MessageHeader, openRecord, recordKey } from '../../src/protocol/records.ts'
import { mediaList, mediaUnpin } from '../../src/protocol/rpc.ts'
import { bytesOf, idOf } from '../conformance/blobs.ts'
import { eventually } from '../eventually.ts'
import { cluster, nextId, single, type TestClient, World, type WorldOptions } from './gateway-world.ts'
import { bodyOf } from './media-world.ts'

const test = suite('gateway: media')
test.after.each(() => World.stopAll())

const HOUR_MS = 3_600_000
const noBody = bodyOf(new Uint8Array(0))

interface Client {
  client: TestClient
  world: World
  token: string
  ask: (
    method: string,
    path: string,
    options?: { headers?: Record<string, string>; body?: AsyncIterable<Uint8Array> },
  ) => Promise<ClientResponse>
  put: (bytes: Uint8Array, offset?: number, body?: AsyncIterable<Uint8Array>) => Promise<ClientResponse>
}

const start = async (options: WorldOptions = { nodes: single }): Promise<Client> => {
  const world = await World.start(options)
  const gateway = options.nodes.find(({ roles }) => roles.includes('gateway'))?.name ?? ''
  await world.register('bob')
  const client = await world.login(await world.register('alice'), gateway)
  const { token } = await client.request('media.token')
  const ask: Client['ask'] = (method, path, { headers = {}, body = noBody } = {}) => {
    const request = { method, path, headers: { authorization: `Bearer ${String(token)}`, ...headers }, body }
    const { onRequest } = world.node(gateway).listener
    if (!onRequest) throw new Error('the gateway takes no requests')
    return onRequest({ ...request, authenticated: () => {} })
  }
  const put: Client['put'] = (bytes, offset = 0, body = bodyOf(bytes.subarray(offset))) => {
    const headers = { 'x-blob-size': `${bytes.length}`, 'x-blob-offset': `${offset}` }
    return ask('PUT', `/blob/${idOf(bytes)}`, { headers, body })
  }
  return { client, world, token: String(token), ask, put }
}

const textOf = ({ body }: ClientResponse): string => (typeof body === 'string' ? body : 'a stream')
const bytesIn = async ({ body }: ClientResponse): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  if (body !== undefined && typeof body !== 'string') for await (const part of body) parts.push(part)
  return Buffer.concat(parts)
}
const outcome = (response: ClientResponse): string => {
  const { error } = JSON.parse(textOf(response)) as { error?: { code: string } } // as media-http.ts writes it
  return `${response.status} ${error?.code ?? ''}`.trim()
}
/** A blob as a client makes it: of a size that some file encrypts to. */
const blobBytes = (plain: number): Buffer => bytesOf(encryptedSize(plain))

test('up, there, down, and in part', async () => {
  const { ask, put } = await start()
  const bytes = blobBytes(300_000)
  const path = `/blob/${idOf(bytes)}`
  assert.is(outcome(await ask('HEAD', path)), '404 BLOB_UNKNOWN')
  const made = await put(bytes)
  assert.is(made.status, 201)
  assert.equal(JSON.parse(textOf(made)), { id: idOf(bytes), size: bytes.length })
  const head = await ask('HEAD', path)
  assert.equal([head.headers['x-blob-size'], head.headers['x-blob-offset']], [`${bytes.length}`, `${bytes.length}`])
  const all = await ask('GET', path)
  assert.is(all.headers['content-length'], `${bytes.length}`)
  assert.ok((await bytesIn(all)).equals(bytes))
  const part = await ask('GET', path, { headers: { range: 'bytes=100-70000' } })
  assert.is(part.status, 206)
  assert.is(part.headers['content-range'], `bytes 100-70000/${bytes.length}`)
  assert.ok((await bytesIn(part)).equals(bytes.subarray(100, 70_001)))
  assert.is((await ask('GET', path, { headers: { range: `bytes=${bytes.length}-` } })).status, 416)
})

test('an upload that was cut says where it goes on', async () => {
  const { ask, put } = await start()
  const bytes = blobBytes(600_000)
  await put(bytes, 0, bodyOf(bytes, 400_000))
  const head = await ask('HEAD', `/blob/${idOf(bytes)}`)
  const offset = Number(head.headers['x-blob-offset'])
  assert.ok(offset > 300_000 && offset <= 400_000, String(offset))
  const wrong = await put(bytes, 0)
  assert.is(outcome(wrong), '409 BLOB_INCOMPLETE')
  assert.match(textOf(wrong), `"offset":${offset}`)
  assert.is((await put(bytes, offset)).status, 201)
})

test('what a request may not be', async () => {
  const { ask, put } = await start({ nodes: single, gateway: { maxFileBytes: 1_000 } })
  const id = idOf(bytesOf(1))
  const sized = (size: string, offset = '0'): Record<string, string> => ({
    'x-blob-size': size,
    'x-blob-offset': offset,
  })
  const cases: [string, string, string, Record<string, string>?][] = [
    ['401 AUTH_REQUIRED', 'HEAD', `/blob/${id}`, { authorization: '' }],
    ['401 AUTH_REQUIRED', 'HEAD', `/blob/${id}`, { authorization: 'Bearer 00' }],
    ['400 USAGE', 'POST', `/blob/${id}`],
    ['400 USAGE', 'HEAD', '/blob/..%2f..%2fetc'],
    ['400 USAGE', 'HEAD', '/blob/../../etc/passwd'],
    ['400 USAGE', 'PUT', `/blob/${id}`],
    ['400 USAGE', 'PUT', `/blob/${id}`, sized('-1')],
    ['400 USAGE', 'PUT', `/blob/${id}`, sized('0')],
    ['400 USAGE', 'PUT', `/blob/${id}`, sized('10', '11')],
    ['413 BLOB_TOO_LARGE', 'PUT', `/blob/${id}`, sized(`${encryptedSize(1_000) + 1}`)],
    ['404 BLOB_UNKNOWN', 'GET', `/blob/${id}`],
  ]
  for (const [expected, method, path, headers = {}] of cases) {
    const response = await ask(method, path, { headers })
    assert.is(outcome(response), expected, `${method} ${path}`)
    assert.is(response.headers['x-error-code'], expected.split(' ')[1])
  }
  const bytes = blobBytes(500)
  assert.is(outcome(await put(bytes, 0, bodyOf(blobBytes(500)))), '422 BLOB_HASH')
  assert.is((await put(bytes)).status, 201)
  assert.is((await put(blobBytes(1_000))).status, 201)
})

test('a session moves a few attachments at once, each ends with it, and a token too', async () => {
  const { client, ask, put } = await start()
  const bytes = blobBytes(1_000_000)
  await put(bytes)
  const open: ClientResponse[] = []
  for (let i = 0; i < 8; i++) open.push(await ask('GET', `/blob/${idOf(bytes)}`))
  assert.is(outcome(await ask('GET', `/blob/${idOf(bytes)}`)), '429 RATE_LIMITED')
  assert.ok((await bytesIn(open.pop() ?? { status: 0, headers: {} })).equals(bytes))
  const again = await ask('GET', `/blob/${idOf(bytes)}`)
  client.drop()
  await bytesIn(again).then(
    () => assert.unreachable(),
    () => {},
  )
  assert.is(outcome(await ask('HEAD', `/blob/${idOf(bytes)}`)), '401 AUTH_REQUIRED')
})

test('a message is stored only when its blobs are kept for it', async () => {
  const { client, put, world } = await start({ nodes: cluster() })
  const [bytes, other] = [blobBytes(10_000), blobBytes(20_000)]
  const blobs: [string, number][] = [
    [idOf(bytes), bytes.length],
    [idOf(other), other.length],
  ]
  const message = client.message('bob', 'two pictures', { blobs })
  await put(bytes)
  const refused = await client.put(message)
  assert.equal([refused.code, refused.outcome], ['BLOB_UNKNOWN', 'refused'])
  await put(other)
  // Pinned on W of three; the third may still be fetching.
  await eventually(async () => (await client.put(message)).t === 'record.stored')
  const wrong = client.message('bob', 'another size', {
    blobs: [[idOf(bytes), encryptedSize(9_999)]],
  })
  assert.is((await client.put(wrong)).code, 'BLOB_UNKNOWN')
  const odd = client.message('bob', 'no id', { blobs: [['../x', 100]] } as unknown as Partial<MessageHeader>)
  assert.is((await client.put(odd)).code, 'MESSAGE_INVALID')
  const copies = ['store-1', 'store-2', 'store-3'].map((name) => world.node(name).blobs.size(idOf(bytes)))
  assert.ok((await Promise.all(copies)).filter((size) => size === bytes.length).length >= 2)
})

test('a deletion is acknowledged once its attachments are let go; until then its client sends it again', async () => {
  const { client, put, world } = await start({ nodes: cluster() })
  const stores = ['store-1', 'store-2', 'store-3']
  const bytes = blobBytes(10_000)
  const blobs: [string, number][] = [[idOf(bytes), bytes.length]]
  const [one, other] = [client.message('bob', 'one', { blobs }), client.message('bob', 'the same once more', { blobs })]
  await put(bytes)
  for (const message of [one, other]) await eventually(async () => (await client.put(message)).t === 'record.stored')
  /** `live/ended` of all homes together. */
  const pins = async (): Promise<string> => {
    const shard = Number.parseInt(idOf(bytes).slice(0, 2), 16)
    const entries = await Promise.all(
      stores.map((name) => world.node(name).transport.call(name, mediaList, { epoch: 1, shard })),
    )
    const found = entries.flatMap((page) => page.entries).filter(({ blob }) => blob === idOf(bytes))
    const count = (of: 'owned' | 'ended'): number => Math.max(0, ...found.map((entry) => entry[of]?.length ?? 0))
    return `${count('owned')}/${count('ended')}`
  }
  const deletion = (change: Record<string, unknown> = {}): Buffer => {
    const { header } = openRecord(one)
    const { from, dev, at } = header
    const target = toHex(recordKey(header.id, one))
    return client.seal({ k: 'tomb', id: nextId(), from, dev, to: 'bob', at: at + 1, target, blobs, ...change })
  }
  for (const wrong of [{ blobs: [['../x', 100]] }, { padding: 'x'.repeat(5_000) }]) {
    assert.is((await client.put(deletion(wrong))).code, 'MESSAGE_INVALID')
  }
  assert.is((await client.put(deletion({ to: 'alice' }))).t, 'record.stored')
  assert.is(await pins(), '2/0')

  const unpins = stores.slice(1).map((name) => {
    const { transport } = world.node(name)
    transport.handle(mediaUnpin, () => {
      throw new ChatError('BLOB_FULL')
    })
    return transport
  })
  const deleted = deletion()
  const unknown = await client.put(deleted)
  assert.equal([unknown.code, unknown.outcome, unknown.retryable], ['OUTCOME_UNKNOWN', 'unknown', true])
  for (const transport of unpins) transport.handle(mediaUnpin, () => ({ ended: true }))
  assert.is((await client.put(deleted)).t, 'record.stored')
  assert.is(await pins(), '2/1') // the others only say so
  // The message once more: it is stored, and its attachment stays let go at the home that knows it.
  assert.is((await client.put(one)).t, 'record.stored')
})

test('a pin lasts as long as any store may hold the message', () => {
  const at = 490_000 * HOUR_MS + 1
  const header = { at } as MessageHeader // nothing else is read
  const retentionMs = 10.5 * HOUR_MS
  // The store keeps it while hourOf(now - retention) <= hourOf(at).
  const lastMs = 490_001 * HOUR_MS + retentionMs - 1
  assert.ok(lastHourOf(header, retentionMs) >= hourOf(lastMs))
  assert.is(lastHourOf({ ...header, exp: at + 2 * HOUR_MS }, retentionMs), 490_003)
  assert.is(lastHourOf({ ...header, exp: at + 99 * HOUR_MS }, retentionMs), lastHourOf(header, retentionMs))
})

test('ranges as RFC 9110 has them', () => {
  const cases: [string | undefined, ReturnType<typeof rangeOf>][] = [
    [undefined, undefined],
    ['bytes=0-9', { start: 0, end: 10 }],
    ['bytes=5-', { start: 5, end: 100 }],
    ['bytes=-5', { start: 95, end: 100 }],
    ['bytes=-500', { start: 0, end: 100 }],
    ['bytes=90-500', { start: 90, end: 100 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=9-5', undefined],
    ['bytes=0-1,3-4', undefined],
    ['bytes=-', undefined],
    ['lines=1-2', undefined],
  ]
  for (const [header, expected] of cases) assert.equal(rangeOf(header, 100), expected, header)
})

test.run()
