// deadline: 240s
// Attachments through real nodes, over real HTTP: three copies, a store that is killed in the middle, damage on one disk, a full one,
// and what all of it costs in memory.
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { encryptedSize } from '../../src/protocol/blob.ts'
import { eventually } from '../eventually.ts'
import { answerOf, Person, type RawClient } from './raw-client.ts'
import { World } from './world.ts'

const MIB = 1024 * 1024
/** What a GiB may cost: it holds at any size. */
const MAX_GROWN_BYTES = 64 * MIB

interface Context {
  world: World
  url: string
  alice: Person
  client: RawClient
  token: string
}
const test = suite<Context>('attachments')
test.before(async (context) => {
  const world = await World.up({ gateways: 1, routers: 1, stores: 3 })
  const ws = world.gateways[0] ?? ''
  const alice = await Person.register(ws, 'alice')
  await Person.register(ws, 'bob')
  const client = await alice.login(ws)
  const { token } = await client.request('media.token')
  Object.assign(context, { world, url: ws.replace(/^ws/, 'http'), alice, client, token: String(token) })
})
test.after(async ({ client, world }) => {
  client.end()
  await world.end()
})

interface Attachment {
  id: string
  bytes: Buffer
}
const newBlob = (plain: number): Attachment => {
  const bytes = randomBytes(encryptedSize(plain))
  return { id: createHash('sha256').update(bytes).digest('hex'), bytes }
}
const headersFor = ({ token }: Context, { bytes }: Attachment, offset = 0): Record<string, string> => ({
  authorization: `Bearer ${token}`,
  'x-blob-size': `${bytes.length}`,
  'x-blob-offset': `${offset}`,
})
const put = (context: Context, blob: Attachment, offset = 0): Promise<Response> => {
  const body = new Blob([Uint8Array.from(blob.bytes.subarray(offset))])
  return fetch(`${context.url}/blob/${blob.id}`, { method: 'PUT', headers: headersFor(context, blob, offset), body })
}
const get = async ({ url, token }: Context, { id }: Attachment): Promise<string> => {
  const response = await fetch(`${url}/blob/${id}`, { headers: { authorization: `Bearer ${token}` } })
  const hash = createHash('sha256')
  if (response.body) for await (const part of response.body) hash.update(part)
  return hash.digest('hex')
}
const offsetOf = async ({ url, token }: Context, { id }: Attachment): Promise<number> => {
  const response = await fetch(`${url}/blob/${id}`, { method: 'HEAD', headers: { authorization: `Bearer ${token}` } })
  return response.status === 404 ? 0 : Number(response.headers.get('x-blob-offset'))
}
const pathAt = (world: World, node: string, { id }: Attachment): string =>
  join(world.nodeDirectory(node), 'blobs', id.slice(0, 2), id)
const isAt = (world: World, node: string, blob: Attachment): boolean => {
  try {
    return readdirSync(join(pathAt(world, node, blob), '..')).includes(blob.id)
  } catch {
    return false // nothing of its shard
  }
}
const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024

test('up and down through a cluster, in little memory, and kept for its message', async (context) => {
  const { world, alice, client } = context
  const nodes = (await world.nodes()).filter(({ name }) => /store|gateway/.test(name))
  await put(context, newBlob(4 * MIB)) // what is loaded once is no cost of a file
  const before = new Map(nodes.map(({ name, pid }) => [name, residentBytes(pid ?? 0)]))
  const grown = (): [string, number][] =>
    nodes.map(({ name, pid }) => [name, residentBytes(pid ?? 0) - (before.get(name) ?? 0)])
  const blob = newBlob(32 * MIB)
  const most = new Map<string, number>()
  const look = setInterval(() => {
    for (const [name, bytes] of grown()) most.set(name, Math.max(bytes, most.get(name) ?? 0))
  }, 20)
  try {
    assert.is((await put(context, blob)).status, 201)
    assert.is(await get(context, blob), blob.id)
  } finally {
    clearInterval(look)
  }
  for (const [name, bytes] of most)
    assert.ok(bytes < MAX_GROWN_BYTES, `${name} took ${Math.round(bytes / MIB)} MiB more`)
  const blobs = [[blob.id, blob.bytes.length]]
  const stored = await client.request('record.put', {
    record: alice.message('bob', 'a film', { blobs }).toString('base64'),
  })
  assert.is(answerOf(stored), 'record.stored')
  const unknown = [[newBlob(10).id, blob.bytes.length]]
  const refused = alice.message('bob', 'nothing', { blobs: unknown, seq: 2 }).toString('base64')
  assert.is(answerOf(await client.request('record.put', { record: refused })), 'BLOB_UNKNOWN')
  const check = await world.check()
  assert.is(check.code, 0, check.stdout + check.stderr)
  assert.equal((JSON.parse(check.stdout) as { blobs: unknown }).blobs, { named: 1, whole: 1 }) // check-report.ts
})

test('a store killed in the middle of an upload delays nobody, and gets its copy when it is back', async (context) => {
  const { world } = context
  const blob = newBlob(12 * MIB)
  const upload = put(context, blob)
  await world.cluster('kill', 'store-2')
  assert.is((await upload).status, 201)
  assert.is(await get(context, blob), blob.id)
  await world.cluster('start', 'store-2')
  await eventually(() => isAt(world, 'store-2', blob))
})

test('an upload that broke off goes on after all stores were killed', async (context) => {
  const { world } = context
  const blob = newBlob(8 * MIB)
  const half = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(Uint8Array.from(blob.bytes.subarray(0, 5 * MIB))),
  })
  const abort = new AbortController()
  // The cast: fetch of Node needs `duplex` for a stream, and its types lack it.
  const options = {
    method: 'PUT',
    headers: headersFor(context, blob),
    body: half,
    duplex: 'half',
    signal: abort.signal,
  }
  const broken = fetch(`${context.url}/blob/${blob.id}`, options as RequestInit).catch(() => undefined)
  const offset = await eventually(async () => {
    const now = await offsetOf(context, blob)
    return now > 4 * MIB && now
  })
  abort.abort()
  await broken
  const stores = ['store-1', 'store-2', 'store-3']
  for (const store of stores) await world.cluster('kill', store)
  for (const store of stores) await world.cluster('start', store)
  const after = await eventually(() => offsetOf(context, blob))
  assert.ok(after >= Number(offset), `${after} after ${offset} were confirmed`)
  assert.is((await put(context, blob, after)).status, 201)
  assert.is(await get(context, blob), blob.id)
})

test('damage on one disk is served by another, and healed', async (context) => {
  const { world } = context
  const blob = newBlob(3 * MIB)
  assert.is((await put(context, blob)).status, 201)
  const stores = ['store-1', 'store-2', 'store-3']
  await eventually(() => stores.every((store) => isAt(world, store, blob)))
  const isWhole = (store: string): boolean => readFileSync(pathAt(world, store, blob)).equals(blob.bytes)
  for (const [index, store] of stores.entries()) {
    const bytes = Buffer.from(blob.bytes)
    const at = (index + 0.5) * MIB
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(pathAt(world, store, blob), bytes, { flag: 'r+' }) // in place: its node may have it open
    assert.not(isWhole(store))
  }
  assert.is(await get(context, blob), blob.id)
  // Who was asked found its damage; the others read theirs once a day, or when they are asked.
  await eventually(() => stores.some(isWhole))
  assert.is(await get(context, blob), blob.id)
})

test.run()
