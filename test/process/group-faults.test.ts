// deadline: 600s
// A group in a real cluster: people write without a pause while the node that serves their group is killed in the middle, then the other
// one, then a store. Everybody gets everything once and in one order, nothing that is sent after their removal, and the check finds every copy.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Chat, connect } from '../../src/client/index.ts'
import { asChatError } from '../../src/protocol/errors.ts'
import { eventually } from '../eventually.ts'
import { World } from './world.ts'

const USERS = ['ann', 'ben', 'cid', 'dee']
const PER_USER = 40
const MS = { timeoutMs: 120_000 }

const faults = suite<{ world: World; chats: Chat[] }>('groups under faults')
faults.before(async (context) => {
  context.world = await World.up({ gateways: 1, routers: 1, stores: 3, groups: 2 })
  const { world } = context
  const join = (user: string): Promise<Chat> =>
    connect({ home: world.profiles, profile: user, gateway: world.gateways, register: user })
  context.chats = await Promise.all(USERS.map(join))
})
faults.after(async ({ world, chats }) => {
  await Promise.all(chats.map((chat) => chat.close()))
  await world.end()
})

faults('group nodes and a store are killed in the middle: every member gets every message once', async (context) => {
  const { world, chats } = context
  const [ann] = chats
  if (!ann) throw new Error('ann is not there')
  await ann.group.create('#ops', USERS.slice(1))
  let stored = 0
  const write = async (chat: Chat): Promise<void> => {
    for (let i = 0; i < PER_USER; i++) {
      const { status } = await chat.send('#ops', `${chat.user} ${i}`, MS)
      if (status !== 'queued') stored += 1
    }
  }
  const reached = (count: number): Promise<boolean> =>
    eventually(() => stored >= count, { ...MS, what: `${count} messages are stored` })
  const writing = Promise.all(chats.map(write))
  for (const [at, node] of [
    [20, 'group-1'],
    [60, 'group-2'],
    [100, 'store-2'],
  ] as const) {
    await reached(at)
    await world.cluster('kill', node)
    await reached(at + 10)
    await world.cluster('start', node)
  }
  await writing
  assert.is(stored, USERS.length * PER_USER)
  const texts = async (chat: Chat): Promise<string[]> =>
    (await chat.history('#ops', { limit: 1_000 })).map(({ text }) => text)
  for (const chat of chats) {
    await eventually(async () => (await texts(chat)).length >= stored, { ...MS, what: `${chat.user} has everything` })
  }
  const seen = await texts(ann)
  assert.is(new Set(seen).size, stored)
  for (const chat of chats) assert.equal(await texts(chat), seen, chat.user)
})

faults('who is removed gets nothing that is sent afterwards', async ({ world, chats }) => {
  const [ann, , , dee] = chats
  if (!ann || !dee) throw new Error('ann and dee are not there')
  await ann.group.remove('#ops', ['dee'])
  const { id } = await ann.send('#ops', 'without dee', MS)
  await eventually(
    async () => (await chats[1]?.history('#ops', { limit: 1 }))?.some((message) => message.id === id),
    MS,
  )
  const code = await dee.send('#ops', 'still here?', MS).then(
    ({ status }) => status,
    (error: unknown) => asChatError(error).code,
  )
  assert.is(code, 'GROUP_DENIED')
  assert.is((await dee.history('#ops', { limit: 1_000 })).filter((message) => message.id === id).length, 0)
  const { code: checked, stdout, stderr } = await world.check(...USERS)
  assert.is(checked, 0, stdout + stderr)
})

faults.run()
