// The owner of a profile on a thread: real threads, sockets and databases; no cluster, so what is sent waits in the outbox.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ChatBeside, connectBeside } from '../../src/client/beside.ts'
import { type Chat, connect } from '../../src/client/index.ts'
import { Profile, type ProfileOptions } from '../../src/client/profile.ts'
import { hasCode } from '../../src/protocol/errors.ts'
import { toHex } from '../../src/protocol/bytes.ts'
import { eventually } from '../eventually.ts'
import { ClientWorld } from '../component/client-world.ts'

/** Built: to strip types from a hundred files takes longer than everything else here. */
const USUAL = new URL('../../dist/client/owner-program.js', import.meta.url)
const CRASHING = new URL('../crashing-owner.ts', import.meta.url)
/** Nobody listens there. */
const NOWHERE = 'ws://127.0.0.1:1'

interface Context {
  world: ClientWorld
  settings: ProfileOptions
  profile: Profile
  open: (program?: URL) => ChatBeside
}
const test = suite<Context>('a profile’s owner on a thread')

test.before.each((context) => {
  const world = new ClientWorld()
  const { seed, certificate } = world.enrol('alice')
  const home = mkdtempSync(join(tmpdir(), 'chat-beside-'))
  const settings = { home, profile: 'alice' }
  const profile = new Profile(settings)
  mkdirSync(profile.directory, { mode: 0o700 })
  writeFileSync(join(profile.directory, 'device.key'), toHex(seed), { mode: 0o600 })
  profile.write({ cluster: world.cluster, certificate: certificate.sealed, gateways: [NOWHERE] })
  const open = (program = USUAL): ChatBeside => connectBeside(settings, program)
  Object.assign(context, { world, settings, profile, open })
})
test.after.each(async ({ world, settings }) => {
  await world.close()
  rmSync(settings.home ?? '', { recursive: true })
})

/** Without a cluster it stays in the outbox, and whoever waits for more is told so. */
const queue = async (chat: Chat, text: string): Promise<void> => {
  const error = await chat.send('bob', text, { timeoutMs: 1 }).catch((cause: unknown) => cause)
  assert.ok(hasCode(error, 'TIMEOUT'))
}
const listen = async (chat: Chat, signal: AbortSignal): Promise<void> => {
  for await (const { type } of chat.events({ after: 0, signal }))
    assert.unreachable(`${type}: nothing comes from nowhere`)
}
const textsOf = async (chat: Chat): Promise<string[]> => (await chat.history('bob')).map(({ text }) => text)

test('it is called before it is open, and what it keeps is there for the next one', async ({ open }) => {
  const first = open()
  assert.is(first.chat.user, 'alice')
  await queue(first.chat, 'kept')
  assert.equal(await textsOf(first.chat), ['kept'])
  await first.chat.close()
  const second = open()
  await second.opened
  assert.equal(await textsOf(second.chat), ['kept'])
  await second.chat.close()
})

test('a crash of the thread is told, and another one goes on with everything', async ({ open, profile }) => {
  const { chat, onCrash } = open(CRASHING)
  const crashes: string[] = []
  onCrash(({ message }) => crashes.push(message))
  await queue(chat, 'before')
  const stop = new AbortController()
  const live = listen(chat, stop.signal)
  for (const count of [1, 2]) {
    writeFileSync(join(profile.directory, 'crash'), '')
    await eventually(() => crashes.length === count)
    await queue(chat, `after ${count}`)
  }
  assert.equal(crashes, ['a fault of the library', 'a fault of the library'])
  assert.equal(await textsOf(chat), ['before', 'after 1', 'after 2'])
  stop.abort()
  await live // it went on, too
  await chat.close()
})

test('while another process owns the profile it is called there; when that ends the thread takes over', async (context) => {
  const other = await connect(context.settings)
  await queue(other, 'of the other')
  const { chat } = context.open()
  assert.equal(await textsOf(chat), ['of the other'])
  await other.close()
  await queue(chat, 'on its own')
  assert.equal(await textsOf(chat), ['of the other', 'on its own'])
  await chat.close()
})

test('what cannot be opened is told with its code, to whoever waits and to whoever calls', async ({
  open,
  profile,
}) => {
  writeFileSync(profile.databasePath, 'no directory')
  const { chat, opened } = open()
  assert.ok(hasCode(await opened.catch((cause: unknown) => cause), 'DATA_DIRECTORY'))
  assert.ok(hasCode(await chat.inbox().catch((cause: unknown) => cause), 'DATA_DIRECTORY'))
  await chat.close()
})

test.run()
