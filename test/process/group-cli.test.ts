// deadline: 300s
// chat group, and what the other commands do in groups, through a real cluster with several stores: JSON and exit codes as the
// interface promises them.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../eventually.ts'
import { Running, World } from './world.ts'

interface Report {
  group: string
  version: number
  members: { user: string; role: string }[]
}
interface Shown {
  id: string
  conversation: string
  from: string
  to: string
  text: string
  status: string
  mentions?: string[]
}

const groups = suite<{ world: World; bob: Running }>('chat group')
groups.before(async (context) => {
  context.world = await World.up({ gateways: 2, routers: 1, stores: 3, groups: 1 })
  await context.world.register('alice', 'bob', 'carol')
})
groups.after(({ world }) => world.end())

const json = async <T>(world: World, user: string, ...args: string[]): Promise<T> => {
  return JSON.parse(await world.chat(user, ...args, '--json')) as T
}
/** Exit code and error code of a command that must fail. */
const failure = async (world: World, user: string, ...args: string[]): Promise<[number, string]> => {
  const { code, stdout } = await world.tryChat(user, ...args, '--json')
  return [code, (JSON.parse(stdout) as { error: { code: string } }).error.code]
}
/** Makes a profile a device of a user. */
const link = async (world: World, user: string, profile: string): Promise<void> => {
  const flags = [
    '--home',
    world.profiles,
    '--profile',
    profile,
    'link',
    '--gateway',
    world.gateways.join(','),
    '--json',
  ]
  const linking = new Running('chat', flags)
  try {
    const shown = await eventually(() => linking.lines.find(({ code }) => code !== undefined), { timeoutMs: 30_000 })
    await world.chat(user, 'link', '--approve', String(shown?.code))
    await eventually(() => linking.lines.some((line) => line.device !== undefined), { timeoutMs: 30_000 })
  } finally {
    await linking.end()
  }
}
const membersOf = ({ members }: Report): string => members.map(({ user, role }) => `${user} ${role}`).join(', ')
const textsOf = ({ lines }: Running): unknown[] =>
  lines.filter(({ type }) => type === 'message').map(({ text }) => text)
const changesOf = ({ lines }: Running): string[] =>
  lines
    .filter(({ type }) => type === 'group')
    .map(({ group, version, by, change, user }) => [group, version, by, change, user].filter(Boolean).join(' '))

groups('a group is made; what is sent to it is read by all, and its sender knows by whom', async (context) => {
  const { world } = context
  const made = await json<Report>(world, 'alice', 'group', 'create', '#ops', 'bob')
  assert.equal([made.group, made.version, membersOf(made)], ['#ops', 1, 'alice owner, bob member'])
  assert.is(membersOf(await json<Report>(world, 'alice', 'group', 'add', '#ops', 'carol')).split(', ').length, 3)
  context.bob = world.listen('bob')
  const carol = world.listen('carol')
  const sent = await world.send('alice', '#ops', 'hello @bob', '--wait', 'read', '--timeout', '60s')
  assert.ok(sent.storedAt && sent.receivedAt && sent.readAt)
  const status = await json<{ recipients: { user: string; readAt: string | null }[] }>(
    world,
    'alice',
    'status',
    sent.id,
  )
  assert.equal(
    status.recipients.map(({ user, readAt }) => [user, readAt !== null]),
    [
      ['bob', true],
      ['carol', true],
    ],
  )
  await carol.end()
  const [shown] = await json<Shown[]>(world, 'carol', 'history', '#ops')
  assert.equal(
    [shown?.conversation, shown?.to, shown?.from, shown?.text, shown?.mentions],
    ['#ops', '#ops', 'alice', 'hello @bob', ['bob']],
  )
  assert.equal(changesOf(context.bob), ['#ops 1 alice create', '#ops 2 alice add carol'])
})

groups('a member who is away, and a new device, have everything', async ({ world }) => {
  await world.send('bob', '#ops', 'for later', '--timeout', '60s')
  const [entry] = await json<{ conversation: string; unread: number }[]>(world, 'carol', 'inbox')
  assert.equal([entry?.conversation, entry?.unread], ['#ops', 1])
  await json(world, 'carol', 'read', '#ops')
  assert.is((await json<{ unread: number }[]>(world, 'carol', 'inbox'))[0]?.unread, 0)
  await link(world, 'carol', 'carol-laptop')
  const history = await json<Shown[]>(world, 'carol-laptop', 'history', '#ops')
  assert.equal(
    history.map(({ text }) => text),
    ['hello @bob', 'for later'],
  )
})

groups('what may not be is refused with its code', async ({ world }) => {
  assert.equal(await failure(world, 'carol', 'group', 'create', '#ops'), [5, 'GROUP_NAME_TAKEN'])
  assert.equal(await failure(world, 'carol', 'group', 'create', '#Ops'), [2, 'GROUP_NAME_ILLEGAL'])
  assert.equal(await failure(world, 'carol', 'group', 'add', '#ops', 'alice'), [5, 'GROUP_DENIED'])
  assert.equal(await failure(world, 'alice', 'group', 'add', '#ops', 'nobody'), [4, 'USER_UNKNOWN'])
  assert.equal(await failure(world, 'alice', 'group', 'leave', '#ops'), [1, 'GROUP_OWNER_NEEDED'])
  assert.equal(await failure(world, 'alice', 'send', '#nothing', 'hello'), [4, 'GROUP_UNKNOWN'])
})

groups('who was removed is refused, and hears nothing more', async ({ world, bob }) => {
  const left = await json<Report>(world, 'alice', 'group', 'remove', '#ops', 'bob')
  assert.is(membersOf(left), 'alice owner, carol member')
  assert.equal(await failure(world, 'bob', 'send', '#ops', 'too late'), [5, 'GROUP_DENIED'])
  await world.send('alice', '#ops', 'secret', '--timeout', '60s')
  await world.send('alice', 'bob', 'goodbye', '--timeout', '60s')
  await eventually(() => textsOf(bob).includes('goodbye'), { timeoutMs: 30_000 })
  assert.is(textsOf(bob).includes('secret'), false)
  assert.is(changesOf(bob).at(-1), '#ops 3 alice remove bob')
})

groups(
  'of two changes at once both happen; an heir lets the owner leave; a name is kept through a rename',
  async (context) => {
    const { world } = context
    const both = await Promise.all([
      json<Report>(world, 'alice', 'group', 'add', '#ops', 'bob'),
      json<Report>(world, 'alice', 'group', 'role', '#ops', 'carol', 'owner'),
    ])
    assert.equal(new Set(both.map(({ version }) => version)), new Set([4, 5]))
    assert.is(membersOf(await json<Report>(world, 'alice', 'group', 'leave', '#ops')), 'bob member, carol owner')
    const renamed = await json<Report>(world, 'carol', 'group', 'rename', '#ops', '#on-call')
    assert.equal([renamed.group, renamed.version], ['#on-call', 7])
    // The number that was refused to bob while he was outside lacks nowhere: what he sends now is shown at once.
    await world.send('bob', '#on-call', 'back', '--timeout', '60s')
    const lines = await json<(Shown & { change?: string; users?: string[] })[]>(
      world,
      'carol',
      'history',
      '#on-call',
      '--changes',
    )
    const [said, before] = [lines.at(-1), lines.at(-2)]
    assert.equal([said?.text, before?.change], ['back', 'rename'])
    assert.is((await json<Shown[]>(world, 'carol', 'history', '#on-call', '--limit', '2'))[0]?.text, 'secret')
    assert.equal(
      (await json<Report[]>(world, 'bob', 'group', 'list')).map(({ group }) => group),
      ['#on-call'],
    )
    assert.equal(await failure(world, 'alice', 'group', 'create', '#ops'), [5, 'GROUP_NAME_TAKEN'])
  },
)

groups('a topic is said, told, shown with the group and taken away', async ({ world }) => {
  const said = await json<Report & { topic?: string }>(world, 'carol', 'group', 'topic', '#on-call', 'on', 'call')
  assert.is(said.topic, 'on call')
  const told = await world.chat('bob', 'group', 'topic', '#on-call')
  assert.is(told, 'on call\n')
  assert.match(
    await world.chat('bob', 'group', 'info', '#on-call', '--accept'),
    /^#on-call, version \d+\ntopic: on call\n/,
  )
  assert.match(await world.chat('bob', 'history', '#on-call', '--changes'), /carol set the topic: on call/)
  assert.equal(await failure(world, 'bob', 'group', 'topic', '#on-call', 'mine'), [5, 'GROUP_DENIED'])
  assert.equal(await failure(world, 'carol', 'group', 'topic', '#on-call', 'x', '--clear'), [2, 'USAGE'])
  assert.equal(await failure(world, 'carol', 'group', 'topic', '#on-call', ''), [2, 'USAGE'])
  assert.not('topic' in (await json<Report>(world, 'carol', 'group', 'topic', '#on-call', '--clear')))
  assert.is(await world.chat('bob', 'group', 'topic', '#on-call'), '')
})

groups.run()
