// Processes of a profile that do not read, or slower than its owner writes: the owner keeps nothing for them, and they miss nothing.
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { OwnerChat } from '../../src/client/api.ts'
import { ownerStream } from '../../src/client/owner-stream.ts'
import { ProfileClient } from '../../src/client/profile-client.ts'
import { ProfileServer } from '../../src/client/profile-server.ts'
import { eventually } from '../eventually.ts'

const CHANGES = 100_000
const EVENTS = 20_000
const KIB = 'x'.repeat(1_024)

interface Context {
  directory: string
  path: string
  server: ProfileServer
  changed: () => void
  /** The position of the last event that the owner gave. */
  given: number
}
const slow = suite<Context>('profile socket: slow readers')

slow.before.each(async (context) => {
  context.given = 0
  const owner = {
    onChange: (listener: () => void) => {
      context.changed = listener
      return () => {}
    },
    async *events({ after = 0, signal }: { after?: number; signal?: AbortSignal } = {}) {
      for (let position = after + 1; position <= EVENTS && signal?.aborted !== true; position++) {
        context.given = position
        yield { type: 'message', text: KIB, position }
      }
    },
  } as unknown as OwnerChat // nothing else of it is called
  context.directory = mkdtempSync(join(tmpdir(), 'chat-slow-'))
  context.path = join(context.directory, 'socket')
  context.server = new ProfileServer(owner)
  await context.server.listen(context.path)
})
slow.after.each(async ({ server, directory }) => {
  await server.close()
  rmSync(directory, { recursive: true, force: true })
})

slow(
  'changes are not piled up for a process that is stopped, and the last is told when it goes on',
  async (context) => {
    const socket = connect(context.path)
    socket.setEncoding('utf8')
    let text = ''
    socket.on('data', (chunk: string) => (text += chunk))
    await eventually(() => text.includes('ready'))
    socket.pause()
    for (let change = 0; change < CHANGES; change++) {
      context.changed()
      if (change % 1_000 === 0) await new Promise(setImmediate)
    }
    socket.resume()
    const told = (): number => text.split('changed').length - 1
    await eventually(() => told() > 0)
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.ok(told() < CHANGES / 2, `${told()} lines were kept`)
    const before = told()
    context.changed()
    await eventually(() => told() > before)
    socket.destroy()
  },
)

slow(
  'events wait at the owner, not at a process that takes its time over each, and all of them come',
  async (context) => {
    const client = await ProfileClient.open(context.path, () => {})
    if (!client) throw new Error('nobody listens')
    let taken = 0
    for await (const { position } of ownerStream(
      client,
      { method: 'events', args: [{}] },
      new AbortController().signal,
    )) {
      taken += 1
      assert.is(position, taken)
      if (taken === 1) await new Promise((resolve) => setTimeout(resolve, 500))
      if (taken === 1)
        assert.ok(context.given < EVENTS / 2, `${context.given} were given before the first was dealt with`)
    }
    assert.is(taken, EVENTS)
    client.close()
  },
)

slow.run()
