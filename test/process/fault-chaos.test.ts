// deadline: 900s
// Four people send without a pause while nodes are killed, drained, paused and cut off in a seeded order. In the end everybody has
// everything that was acknowledged, once, and the check finds every id of the ledgers. The seed is printed when it fails.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Chat, connect } from '../../src/client/index.ts'
import { eventually } from '../eventually.ts'
import { World } from './world.ts'

const USERS = ['ann', 'ben', 'cid', 'dee']
const NODES = ['store-1', 'store-2', 'store-3', 'gateway-1', 'gateway-2', 'router-1', 'router-2', 'router-3']
const FAULTS = 8
const seed = Number(process.env.CHAOS_SEED ?? 1)

const chaos = suite<{ world: World; chats: Chat[] }>('chaos')

chaos.before(async (context) => {
  context.world = await World.up({ gateways: 2, routers: 3, stores: 3 })
  const { world } = context
  const join = (user: string): Promise<Chat> =>
    connect({ home: world.profiles, profile: user, gateway: world.gateways, register: user })
  context.chats = await Promise.all(USERS.map(join))
})
chaos.after(async ({ world, chats }) => {
  await Promise.all(chats.map((chat) => chat.close()))
  await world.end()
})

/** Mulberry32: whole numbers below `bound`. */
const seeded = (state: number): ((bound: number) => number) => {
  let s = state
  return (bound) => {
    s = (s + 0x6d2b79f5) | 0
    let t = Math.imul(s ^ (s >>> 15), 1 | s)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % bound
  }
}

/** Each ends with the node well again. `hold` is how long it is not. */
const faults: ((world: World, node: string, hold: () => Promise<void>) => Promise<unknown>)[] = [
  async (world, node, hold) => {
    await world.cluster('kill', node)
    await hold()
    await world.cluster('start', node)
  },
  async (world, node, hold) => {
    await world.cluster('pause', node)
    await hold()
    await world.cluster('resume', node)
  },
  async (world, node, hold) => {
    await world.cluster('partition', node, NODES.filter((name) => name !== node).join(','), '--blackhole')
    await hold()
    await world.cluster('heal')
  },
  async (world, node, hold) => {
    await world.cluster('partition', node, NODES.filter((name) => name !== node).join(','))
    await hold()
    await world.cluster('heal')
  },
  async (world, node) => {
    await world.cluster('stop', node)
    await world.cluster('start', node)
  },
]

/** How often each message arrived at a user. */
const countArrivals = (chat: Chat): Map<string, number> => {
  const counts = new Map<string, number>()
  const count = async (): Promise<void> => {
    for await (const event of chat.events({ after: 0 })) {
      if (event.type === 'message') counts.set(event.id, (counts.get(event.id) ?? 0) + 1)
    }
  }
  void count().catch(() => {}) // ends when the chat is closed
  return counts
}

chaos(`nothing acknowledged is lost or doubled (CHAOS_SEED=${seed})`, async ({ world, chats }) => {
  const arrivals = new Map(chats.map((chat) => [chat.user, countArrivals(chat)]))
  const random = seeded(seed)
  const sent: { to: string; id: string }[] = []
  let isOver = false
  const sendOn = async (chat: Chat, index: number): Promise<void> => {
    for (let i = 0; !isOver; i++) {
      const to = USERS[(index + 1 + (i % (USERS.length - 1))) % USERS.length] ?? ''
      const { id } = await chat.send(to, `${chat.user} ${i}`, { timeoutMs: 60_000 })
      sent.push({ to, id })
    }
  }
  const sending = Promise.all(chats.map(sendOn))
  for (let i = 0; i < FAULTS; i++) {
    const node = NODES[random(NODES.length)] ?? ''
    const before = sent.length
    // A fault lasts until enough went on in spite of it, or as long as nothing can.
    const hold = async (): Promise<void> => {
      const until = performance.now() + 500 + random(3_000)
      await eventually(() => sent.length > before + 50 && performance.now() > until, { timeoutMs: 6_000 }).catch(
        () => {},
      )
    }
    await faults[random(faults.length)]?.(world, node, hold)
  }
  isOver = true
  await sending
  const lacking = (): string[] => sent.filter(({ to, id }) => !arrivals.get(to)?.has(id)).map(({ id }) => id)
  await eventually(() => lacking().length === 0, { what: 'everything has arrived' }).catch(() => {})
  assert.equal(lacking(), [], `of ${sent.length}`)
  assert.equal(
    [...arrivals.values()].flatMap((counts) => [...counts.values()].filter((count) => count > 1)),
    [],
  )
  const { code, stdout, stderr } = await world.check(...USERS)
  assert.is(code, 0, stdout + stderr)
})

chaos.run()
