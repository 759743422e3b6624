// deadline: 600s
// Files through a real cluster by the chat command: what is sent arrives byte by byte, though the gateway dies in the middle of the upload
// and the sending and the fetching process are killed in theirs; and a file costs a client no memory of its size.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  createReadStream,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Chat, connect } from '../../src/client/index.ts'
import { systemRandom } from '../../src/platform/system.ts'
import { eventually } from '../eventually.ts'
import { Running, type Sent, World } from './world.ts'

const chat = join(import.meta.dirname, '../../bin/chat.js')
const MIB = 1024 * 1024
/** More than a client may need, and long enough on its way to be caught. */
const SIZE = 64 * MIB + 12_345
const SMALLER = 32 * MIB
/** What a client may need above one that sends no file. */
const MAX_EXTRA_BYTES = 64 * MIB
/** What is sent again at most when an upload goes on: bytes on their way, and what the cluster had not confirmed. */
const MAX_RESENT_BYTES = 24 * MIB
const WAIT = { timeoutMs: 60_000 }

interface Fetched {
  name: string
  path: string
  size: number
  sha256: string
}

const makeFile = (path: string, size: number): string => {
  const hash = createHash('sha256')
  const file = openSync(path, 'wx')
  for (let left = size; left > 0; ) {
    const part = systemRandom.bytes(Math.min(MIB, left))
    writeSync(file, part)
    hash.update(part)
    left -= part.length
  }
  closeSync(file)
  return hash.digest('hex')
}
const hashOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const bytes of createReadStream(path)) hash.update(bytes as Buffer) // no encoding is set
  return hash.digest('hex')
}

/** The most memory that a process ever had, and all that it wrote, sockets included: as Linux counts them. */
const usageOf = (pid: number | undefined): { peakBytes: number; writtenBytes: number } | undefined => {
  const field = (file: string, name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'))?.[1])
  try {
    const usage = { peakBytes: field('status', 'VmHWM') * 1024, writtenBytes: field('io', 'wchar') }
    return usage.peakBytes > 0 ? usage : undefined // a process that has ended counts no memory
  } catch {
    return undefined
  }
}

const test = suite('files by the chat command')
let world: World
let file = ''
let sha256 = ''
/** Id of the message with it. */
let film = ''
test.before(async () => {
  world = await World.up({ gateways: 2, routers: 1, stores: 2 })
  await world.register('alice', 'bob', 'carol')
  file = join(world.dir, 'film.mp4')
  sha256 = makeFile(file, SIZE)
})
test.after(() => world.end())

const start = (user: string, ...args: string[]): Running =>
  new Running('chat', ['--home', world.profiles, '--profile', user, ...args])
/** A second process of a profile, that sees how far the first one's uploads are. */
const beside = async (user: string, first: Running): Promise<Chat> => {
  await eventually(() => readdirSync(join(world.profiles, user)).includes('socket'), WAIT)
  assert.is(first.child.exitCode, null, first.stderr)
  return connect({ home: world.profiles, profile: user })
}
/** Resolves when so much of the file is under way. */
const untilSent = (chat: Chat, share: number): Promise<number> =>
  eventually(
    async () => {
      const [transfer] = await chat.transfers()
      return transfer && transfer.sent > share * transfer.size ? transfer.sent : 0
    },
    { ...WAIT, everyMs: 2 },
  )
const fetchAll = async (user: string, id: string, out: string): Promise<Fetched[]> =>
  JSON.parse(await world.chat(user, 'get', id, '--out', out, '--json')) as Fetched[] // interface.md

test('an upload outlives its gateway, needs no memory for the file, and arrives', async () => {
  const text = start('alice', 'send', 'bob', 'no file', '--json', '--wait', 'received', '--timeout', '2s')
  let idle = 0
  while (text.child.exitCode === null) {
    idle = usageOf(text.child.pid)?.peakBytes ?? idle
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const nodes = await world.nodes()
  const sending = start('alice', 'send', 'bob', 'the film', '--file', file, '--json')
  let usage = usageOf(sending.child.pid)
  const sampling = setInterval(() => (usage = usageOf(sending.child.pid) ?? usage), 20)
  const other = await beside('alice', sending)
  try {
    const sent = await untilSent(other, 0.6)
    const { gateway } = await other.connection()
    const { name, pid } = nodes.find(({ ws }) => ws === gateway) ?? {}
    assert.ok(pid)
    process.kill(pid, 'SIGKILL') // at once: the command needs as long as the rest of the upload
    assert.ok(sent < SIZE)
    if (sending.child.exitCode === null) await once(sending.child, 'exit')
    assert.is(sending.child.exitCode, 0, sending.stderr)
    await world.cluster('start', name ?? '')
  } finally {
    clearInterval(sampling)
    await other.close()
  }
  const [{ id, status } = { id: '', status: '' }] = sending.lines as unknown as Sent[] // interface.md
  assert.is(status, 'stored')
  assert.ok(usage && idle > 0 && usage.peakBytes - idle < MAX_EXTRA_BYTES, JSON.stringify({ usage, idle }))
  assert.ok(usage.writtenBytes < SIZE + MAX_RESENT_BYTES, JSON.stringify(usage))

  const out = join(world.dir, 'bob')
  const [fetched] = await fetchAll('bob', id, out)
  assert.equal([fetched?.name, fetched?.path, fetched?.size], ['film.mp4', join(out, 'film.mp4'), SIZE])
  assert.equal([fetched?.sha256, await hashOf(fetched?.path ?? '')], [sha256, sha256])
  assert.is(statSync(fetched?.path ?? '').mode & 0o777, 0o600)
  assert.equal(readdirSync(out), ['film.mp4'])
  film = id
})

test('a forwarded file is the same file, also through a pipe', async () => {
  const forwarded = JSON.parse(await world.chat('bob', 'forward', film, 'carol', '--json')) as Sent // interface.md
  const copy = join(world.dir, 'piped.mp4')
  const output = openSync(copy, 'wx')
  const args = ['--home', world.profiles, '--profile', 'carol', 'get', forwarded.id, '--out', '-']
  const reading = spawn(process.execPath, [chat, ...args], { stdio: ['ignore', output, 'inherit'] })
  closeSync(output)
  const [code] = (await once(reading, 'exit')) as [number | null] // the event's arguments
  assert.is(code, 0)
  assert.is(await hashOf(copy), sha256)
})

test('a killed upload goes on with the next command, a killed download with the next get', async () => {
  const path = join(world.dir, 'song.flac')
  const hash = makeFile(path, SMALLER)
  const sending = start('alice', 'send', 'bob', 'again', '--file', path)
  const other = await beside('alice', sending)
  await untilSent(other, 0.3)
  await other.close()
  await sending.end('SIGKILL')
  await world.chat('alice', 'send', '--flush', '--timeout', '60s')
  const history = JSON.parse(await world.chat('bob', 'history', 'alice', '--json')) as { id: string; text: string }[] // interface.md
  const id = history.find(({ text }) => text === 'again')?.id ?? ''

  const out = join(world.dir, 'bob-again')
  mkdirSync(out)
  const fetching = start('bob', 'get', id, '--out', out)
  await eventually(() => readdirSync(out).some((name) => statSync(join(out, name)).size > 0), { ...WAIT, everyMs: 2 })
  await fetching.end('SIGKILL')
  const parts = readdirSync(out)
  assert.ok(parts.length === 1 && parts[0]?.endsWith('.part'), parts.join())
  const [fetched] = await fetchAll('bob', id, out)
  assert.is(await hashOf(fetched?.path ?? ''), hash)
  assert.equal(readdirSync(out), ['song.flac'])
})

test('what cannot be sent or fetched says why, and how', async () => {
  const codes = async (...args: string[]): Promise<[number, string]> => {
    const { code, stdout } = await world.tryChat('bob', ...args, '--json')
    return [code, (JSON.parse(stdout) as { error: { code: string } }).error.code] // interface.md
  }
  assert.equal(await codes('send', 'alice', '--file', join(world.dir, 'nowhere')), [4, 'FILE_UNKNOWN'])
  assert.equal(await codes('send', 'alice', '--file', world.dir), [2, 'USAGE'])
  assert.equal(await codes('get', film, '--name', 'other'), [4, 'FILE_UNKNOWN'])
  assert.equal(await codes('get', film, '--out', file), [2, 'USAGE'])
  assert.equal(await codes('get', film, '--out', '-'), [2, 'USAGE'])
})

test.run()
