// The built terminal client with people, groups and a cluster that are always the same: what the pictures in docs/screens show.
import type { ClusterNode } from '../src/tui/cluster.ts'
import type * as main from '../src/tui/main.tsx'
import { FakeChat } from './tui-fake-chat.ts'

/** Long past, so that days are written out the same whenever it runs. */
const begin = Date.UTC(2026, 4, 4, 9, 0)
const MINUTE = 60_000

const built = new URL('../dist/tui/main.js', import.meta.url).href
// The cast: the built file has the type of its source.
const { runTui } = (await import(built)) as typeof main

const chat = new FakeChat('alice', { atMs: begin })
const at = (minutes: number): { atMs: number } => ({ atMs: begin + minutes * MINUTE })
chat.receive('dan', 'The invoice is paid.', at(1))
chat.receive('carol', 'Do you have the keys of the boat?', at(3))
await chat.markRead('dan')
await chat.group.create('#sailing', ['bob', 'carol', 'dan'])
chat.receiveIn('#sailing', 'bob', 'Wind from the west on Saturday, 12 knots. @alice, do you steer?', at(5))
await chat.send('#sailing', 'Gladly! Who brings the coffee?', { id: 'own-1' })
chat.receiveIn('#sailing', 'carol', 'I do ☕', at(9))
await chat.markRead('#sailing')
const read = new Date(begin + 10 * MINUTE).toISOString()
chat.recipients = [
  { user: 'bob', receivedAt: read, readAt: read },
  { user: 'carol', receivedAt: read, readAt: read },
  { user: 'dan', receivedAt: read, readAt: null },
]
const first = chat.receive('bob', 'Good morning! Shall we take the boat out on Saturday?', at(60))
const answer = await chat.send('bob', 'With pleasure. When, and where do we meet?', { reply: first.id })
chat.setStatus(answer.id, 'read')
const plan = chat.receive('bob', 'Nine at the harbour. 你好 from Mei, she comes too 👋', at(66))
await chat.react(plan.id, '👍')
const last = await chat.send('bob', 'See you at the harbour!')
chat.setStatus(last.id, 'received')
await chat.markRead('bob')

const node = (name: string, role: string, changes: Partial<ClusterNode> = {}): ClusterNode => ({
  name,
  roles: [role],
  authority: name === 'router-1',
  state: 'up',
  lagMs: 1,
  epochLag: 0,
  recordLag: null,
  sessions: role === 'gateway' ? 4 : null,
  leases: role === 'router' ? 4 : null,
  records: role === 'store' ? 1_284 : null,
  queuedBytes: 0,
  queued: 0,
  rssBytes: 96 * 1024 * 1024,
  uptimeMs: 5 * 3_600_000,
  ...changes,
})
const down = { state: 'down', lagMs: null, epochLag: null, records: null, queued: null, rssBytes: null, uptimeMs: null }
const nodes = [
  node('gateway-1', 'gateway'),
  node('group-1', 'group'),
  node('router-1', 'router'),
  node('router-2', 'router'),
  node('store-1', 'store'),
  node('store-2', 'store', down),
  node('store-3', 'store'),
]
const homes = ['store-1', 'store-2', 'store-3'].map((name) => {
  const isUp = name !== 'store-2'
  return { name, readable: isUp, writable: isUp }
})
await runTui({
  chat,
  cluster: {
    status: async () => ({
      cluster: '7f3a9c51e2d04b68',
      node: 'router-1',
      epoch: 12,
      joint: false,
      nodes,
      current: { n: 3, w: 2, r: 2, homes },
      next: null,
    }),
  },
})
process.exit()
