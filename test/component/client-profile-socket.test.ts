// The socket through which processes share a profile: calls, errors, streams, cancelling, and owners that go or say nothing.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { LiveEvent } from '../../src/client/api.ts'
import type { LocalChat } from '../../src/client/local-chat.ts'
import { ownerStream } from '../../src/client/owner-stream.ts'
import { OwnerGone, ProfileClient } from '../../src/client/profile-client.ts'
import { ProfileServer } from '../../src/client/profile-server.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { eventually } from '../eventually.ts'
import { makeId } from './client-scenarios.ts'
import { ClientWorld } from './client-world.ts'

interface Context {
  world: ClientWorld
  chat: LocalChat
  server: ProfileServer
  directory: string
  path: string
}
const socket = suite<Context>('profile socket')

socket.before.each(async (context) => {
  context.world = new ClientWorld()
  context.world.enrol('bob')
  context.chat = await context.world.open(context.world.enrol('alice'))
  context.directory = mkdtempSync(join(tmpdir(), 'chat-socket-'))
  context.path = join(context.directory, 'socket')
  context.server = new ProfileServer(context.chat)
  await context.server.listen(context.path)
})
socket.after.each(async ({ world, server, directory }) => {
  await server.close()
  await world.close()
  rmSync(directory, { recursive: true, force: true })
})

const open = async (path: string, onChange = (): void => {}): Promise<ProfileClient> => {
  const client = await ProfileClient.open(path, onChange)
  if (!client) throw new Error('nobody listens')
  return client
}

socket('calls are answered, errors keep their code and details, changes are told', async ({ path, world }) => {
  assert.is(statSync(path).mode & 0o777, 0o600)
  let changes = 0
  const client = await open(path, () => {
    changes += 1
  })
  const sent = (await client.call('send', ['bob', 'hi', {}])) as { status: string }
  assert.is(sent.status, 'stored')
  assert.equal(await client.call('blocked', []), [])
  assert.is(await client.call('setLevel', ['bob', 'none']), 'none')
  assert.is(await client.call('setLevel', ['bob', undefined]), 'all')
  assert.is(await client.call('setLevel', ['carol', undefined, { begun: true }]), 'all')
  world.onPut = () => 'silent'
  const late = await client.call('send', ['bob', 'late', { timeoutMs: 20 }]).catch((error: unknown) => error)
  assert.ok(late instanceof ChatError && late.code === 'TIMEOUT')
  assert.is((late.details?.result as { status?: string } | undefined)?.status, 'queued')
  await eventually(() => changes > 0)
  client.close()
})

socket('groups are changed through it; what is repeated under its id happens once', async ({ path }) => {
  const client = await open(path)
  const id = makeId()
  const made = await client.call('group.create', ['#ops', [], { id }])
  assert.equal(made, { group: '#ops', version: 1, members: [{ user: 'alice', role: 'owner' }] })
  assert.equal(await client.call('group.create', ['#ops', [], { id }]), made)
  const adding = { id: makeId() }
  await client.call('group.add', ['#ops', ['bob'], adding])
  assert.is(((await client.call('group.add', ['#ops', ['bob'], adding])) as { version: number }).version, 2)
  assert.is(((await client.call('group.list', [])) as unknown[]).length, 1)
  const denied = await client.call('group.leave', ['#ops']).catch((error: unknown) => error)
  assert.ok(denied instanceof ChatError && denied.code === 'GROUP_OWNER_NEEDED')
  client.close()
})

socket('what is of the moment streams to every process, and is asked for while one reads', async ({ path, world }) => {
  const client = await open(path)
  const stop = new AbortController()
  const told: LiveEvent[] = []
  const done = (async () => {
    const call = { method: 'live', args: [{ watch: ['bob'] }] } as const
    for await (const event of ownerStream(client, { ...call, args: [...call.args] }, stop.signal)) told.push(event)
  })()
  const session = await eventually(() =>
    [...world.gateways.values()].flatMap(({ sessions }) => [...sessions]).find(({ watched }) => watched),
  )
  session?.send('live.presence', { users: [['bob', 'online', null]] })
  await eventually(() => told.length === 1)
  assert.equal(told, [{ type: 'presence', user: 'bob', state: 'online', lastSeen: null }])
  stop.abort()
  await done
  await eventually(() => JSON.stringify(session?.watched?.users) === '[]')
  client.close()
})

socket('events stream until they are cancelled', async ({ path, chat }) => {
  const client = await open(path)
  const events: unknown[] = []
  const stop = new AbortController()
  const done = client.call('events', [{ after: 0 }], { signal: stop.signal, onEvent: (event) => events.push(event) })
  await chat.send('alice', 'to myself', { wait: 'stored' })
  stop.abort()
  await done
  assert.equal(events, [])
  client.close()
})

socket('a send is given up by whoever asked for it, not by the owner', async ({ path, world }) => {
  world.onPut = () => 'silent'
  const client = await open(path)
  const stop = new AbortController()
  const waiting = client.call('send', ['bob', 'x', {}], { signal: stop.signal }).catch((error: unknown) => error)
  setTimeout(() => stop.abort(), 20)
  assert.instance(await waiting, ChatError)
  assert.equal(await client.call('gaps', ['bob']), [])
  client.close()
})

socket('when the owner goes everything under way fails at once', async ({ path, server, world }) => {
  world.onPut = () => 'silent'
  const client = await open(path)
  const waiting = client.call('send', ['bob', 'x', {}]).catch((error: unknown) => error)
  await eventually(() => world.puts.length > 0)
  await server.close()
  assert.instance(await waiting, OwnerGone)
  assert.instance(await client.call('blocked', []).catch((error: unknown) => error), OwnerGone)
  assert.is(await ProfileClient.open(path, () => {}), undefined)
})

socket('an owner that says nothing is no owner', async ({ directory }) => {
  const path = join(directory, 'silent')
  const silent = createServer(() => {}).listen(path)
  assert.is(await ProfileClient.open(path, () => {}), undefined)
  silent.close()
})

socket('garbage ends only the connection that sent it', async ({ path }) => {
  const client = await open(path)
  const rude = await open(path)
  const unknown = await rude.call('constructor' as 'blocked', []).catch((error: unknown) => error)
  assert.instance(unknown, ChatError)
  assert.equal(await client.call('blocked', []), [])
  client.close()
  rude.close()
})

socket('a call of an owner that is just going fails when its going is known, not before', async ({ path }) => {
  const client = await open(path)
  let isKnown = false
  void client.gone.then(() => (isKnown = true))
  client.close()
  const error = await client.call('inbox', []).catch((cause: unknown) => cause)
  assert.ok(error instanceof OwnerGone)
  assert.ok(isKnown)
})

socket.run()
