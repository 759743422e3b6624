// deadline: 900s
// Three chatd processes: joining by ticket, homes that grow, restarts in any order, removal. Real processes over libp2p.
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ClusterStatus } from '../../src/node/node-status.ts'
import { eventually } from '../eventually.ts'
import { chatd, chatdJson, cleanUp, newDirectory, startNode } from '../node-process.ts'

test.after.each(cleanUp)

const ticketOf = async (data: string, role: string): Promise<string> =>
  (await chatdJson<{ ticket: string }>('ticket', '--data', data, '--role', role)).ticket

const statusOf = (data: string): Promise<ClusterStatus> => chatdJson('status', '--data', data)
const waitFor = (data: string, what: string, holds: (status: ClusterStatus) => boolean): Promise<true> =>
  eventually(async () => holds(await statusOf(data)), { what, everyMs: 200 }) as Promise<true> // holds or throws
const allUp = ({ nodes }: ClusterStatus): boolean => nodes.length === 3 && nodes.every(({ state }) => state === 'up')

test('nodes join by ticket, become homes, find each other again in any order, and leave', async () => {
  const root = newDirectory()
  const directory = (name: string): string => join(root, name)
  await chatdJson('init', '--data', directory('one'), '--name', 'one')
  const one = await startNode(directory('one'), '--role', 'router,store')
  const ticket = await ticketOf(one.data, 'store')
  const two = await startNode(directory('two'), '--role', 'store', '--join', ticket, '--name', 'two')
  const three = await startNode(
    directory('three'),
    '--join',
    await ticketOf(one.data, 'store,gateway'),
    '--ws',
    '127.0.0.1:0',
  )
  assert.equal(three.ready.roles, ['store', 'gateway'])
  await waitFor(
    one.data,
    'three homes',
    ({ joint, current }) => !joint && current.n === 3 && current.homes.length === 3,
  )
  await waitFor(three.data, 'all up, seen by the last', allUp)

  const used = await chatd('start', '--json', '--data', directory('four'), '--role', 'store', '--join', ticket)
  assert.is(used.code, 5)
  assert.match(used.stdout, /AUTH_TICKET/)
  assert.match(used.stderr, /used by another node.*chatd ticket/)
  const otherRole = await chatd('ticket', '--data', two.data, '--role', 'store')
  assert.is(otherRole.code, 3)
  assert.match(otherRole.stderr, /the node one/)

  // All gone; then the last that joined comes first, alone, and serves; the authority comes last.
  await Promise.all([one.stop(), two.stop(), three.stop()])
  const three2 = await startNode(three.data)
  assert.is(three2.ready.peerId, three.ready.peerId)
  assert.equal(three2.ready.listen, three.ready.listen)
  // The ticket again: a directory that has joined just starts.
  const two2 = await startNode(two.data, '--join', ticket)
  const one2 = await startNode(one.data)
  await waitFor(three2.data, 'found each other again', allUp)

  await chatdJson('node', 'remove', 'two', '--data', one2.data)
  const nobody = await chatd('node', 'remove', 'toe', '--data', one2.data, '--json')
  assert.is(nobody.code, 4, 'a name that was mistyped is not a node that was removed')
  assert.match(nobody.stdout, /NODE_UNKNOWN/)
  const after = await statusOf(one2.data)
  assert.equal(after.nodes.map(({ name }) => name).sort(), [one.ready.node, three.ready.node].sort())
  assert.is(after.current.n, 2)
  // Its links are cut with the new map; it learns of it by its next hello.
  await eventually(() => two2.output.stderr.includes('removed from the cluster'), { what: 'two knows that it is out' })
  await two2.stop()
  const gone = await chatd('start', '--json', '--data', two.data)
  assert.is(gone.code, 1)
  assert.match(gone.stderr, /removed from its cluster/)
})

test('a node that was removed while it was down hears of it before it serves; one that is alone serves', async () => {
  const root = newDirectory()
  const one = await startNode(join(root, 'one'), '--role', 'all', '--ws', '127.0.0.1:0', '--name', 'one')
  const ticket = await ticketOf(one.data, 'gateway')
  const two = await startNode(join(root, 'two'), '--join', ticket, '--ws', '127.0.0.1:0', '--name', 'two')
  await two.stop()
  await one.stop()
  const alone = await startNode(two.data)
  await alone.stop()
  const back = await startNode(one.data)
  await chatdJson('node', 'remove', 'two', '--data', one.data)
  const gone = await chatd('start', '--json', '--data', two.data)
  assert.is(gone.code, 1, gone.stdout)
  assert.match(gone.stderr, /removed from its cluster.*new ticket/)
  assert.not.match(gone.stdout, /"event":"ready"/)
  await back.stop()
})

test('a ticket that is garbage, expired, of another cluster or of a silent authority: each says so', async () => {
  const root = newDirectory()
  const one = await startNode(join(root, 'one'), '--role', 'all', '--ws', '127.0.0.1:0')
  const expired = (await chatdJson<{ ticket: string }>('ticket', '--data', one.data, '--role', 'store', '--ttl', '1ms'))
    .ticket
  const good = await ticketOf(one.data, 'store')
  const tryJoin = (ticket: string, data = 'new') =>
    chatd('start', '--json', '--data', join(root, data), '--role', 'store', '--join', ticket)
  const cases: { ticket: string; data?: string; exit: number; says: RegExp }[] = [
    { ticket: 'garbage', exit: 5, says: /no ticket.*AUTH_TICKET/ },
    { ticket: expired, exit: 5, says: /expired.*chatd ticket.*AUTH_TICKET/ },
  ]
  for (const { ticket, exit, says } of cases) {
    const result = await tryJoin(ticket)
    assert.is(result.code, exit)
    assert.match(result.stderr, says)
  }
  await chatdJson('init', '--data', join(root, 'other'))
  const foreign = await tryJoin(good, 'other')
  assert.is(foreign.code, 5)
  assert.match(foreign.stderr, /another cluster.*AUTH_CLUSTER/)
  await one.stop()
  const silent = await tryJoin(good)
  assert.is(silent.code, 3)
  assert.match(silent.stderr, /does not answer.*AUTH_UNAVAILABLE/)
})

test.run()
