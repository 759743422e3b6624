// deadline: 120s
// The disk of attachments is full, for real: a file system of a few MiB. What is there is served, what does not fit is refused as what to
// try again, messages go on, and with room again so do uploads. Skipped, with a notice, where nobody may mount.
import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { WireError } from '../../src/protocol/errors.ts'
import { eventually } from '../eventually.ts'
import { mountSmall } from '../small-disk.ts'
import { ChatNode } from './chat-node.ts'
import { answerOf, Person } from './raw-client.ts'

const MIB = 1024 * 1024
const DISK_MIB = 10

interface Context {
  node: ChatNode
  disk: string
  token: string
}
const test = suite<Context>('full media disk')

interface Blob {
  id: string
  bytes: Buffer
}
const newBlob = (size: number): Blob => {
  const bytes = randomBytes(size)
  return { id: createHash('sha256').update(bytes).digest('hex'), bytes }
}

interface Answer {
  status: number
  error?: WireError
}
/** In two halves; `between` runs once the node has something of the first. */
const put = ({ node, token, disk }: Context, { id, bytes }: Blob, between?: () => void): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const url = `${node.gateway.replace(/^ws/, 'http')}/blob/${id}`
    const headers = {
      authorization: `Bearer ${token}`,
      'content-length': bytes.length,
      'x-blob-size': bytes.length,
      'x-blob-offset': 0,
    }
    const request = httpRequest(url, { method: 'PUT', headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, ...(JSON.parse(text) as object) }))
    })
    request.on('error', reject)
    const half = bytes.length / 2
    request.write(bytes.subarray(0, half))
    const goOn = async (): Promise<void> => {
      if (between) await eventually(() => isBegun(disk, id))
      between?.()
      request.end(bytes.subarray(half))
    }
    goOn().catch(reject)
  })

const isBegun = (disk: string, id: string): boolean => {
  const folder = join(disk, id.slice(0, 2))
  return readdirSync(disk).includes(id.slice(0, 2)) && readdirSync(folder).includes(`${id}.part`)
}

const hashOf = async ({ node, token }: Context, { id }: Blob): Promise<string> => {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${node.gateway.replace(/^ws/, 'http')}/blob/${id}`, { headers })
  return createHash('sha256')
    .update(Buffer.from(await response.arrayBuffer()))
    .digest('hex')
}

const mounted = (directory: string): boolean => {
  mkdirSync(directory, { recursive: true })
  return mountSmall(directory, `size=${DISK_MIB}m,mode=700`)
}

test('a full disk refuses uploads as what to try again, serves what it has, and takes more when there is room', async (context) => {
  const node = new ChatNode()
  const disk = join(node.directory, 'node', 'blobs')
  await node.start()
  const isMounted = mounted(disk)
  try {
    if (isMounted) await fillAndFree(Object.assign(context, { node, disk }))
    else process.stderr.write('skipped: no file system can be mounted here\n')
  } finally {
    await node.stop()
    if (isMounted) execFileSync('umount', [disk])
    await node.close()
  }
})

const fillAndFree = async (context: Context): Promise<void> => {
  const { node, disk } = context
  const alice = await Person.register(node.gateway, 'alice')
  await Person.register(node.gateway, 'bob')
  const client = await alice.login(node.gateway)
  context.token = String((await client.request('media.token')).token)
  const filler = join(disk, 'filler')
  const [kept, refused, cut] = [newBlob(3 * MIB), newBlob(3 * MIB), newBlob(2 * MIB)]
  assert.is((await put(context, kept)).status, 201)

  // It begins while there is room; then somebody else takes all of it, to the last byte.
  const fill = (): void => {
    try {
      writeFileSync(filler, Buffer.alloc(DISK_MIB * MIB))
    } catch {
      // as far as it goes
    }
  }
  const answers = [await put(context, cut, fill), await put(context, refused)]
  for (const { status, error } of answers) {
    assert.is(status, 507)
    assert.is(error?.code, 'BLOB_FULL')
    assert.ok(error?.retryable)
  }
  assert.is(await hashOf(context, kept), kept.id)
  const words = alice.message('bob', 'no file', { seq: 1 }).toString('base64')
  assert.is(answerOf(await client.request('record.put', { record: words })), 'record.stored')

  rmSync(filler)
  for (const blob of [refused, cut]) {
    assert.is((await put(context, blob)).status, 201)
    assert.is(await hashOf(context, blob), blob.id)
  }
  client.end()
}

test.run()
