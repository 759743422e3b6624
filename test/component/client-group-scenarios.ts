// What a client must do in groups, each as a scenario in a world of its own, like client-scenarios.ts.
import * as assert from 'uvu/assert'
import type { ChatEvent, GroupEvent, HistoryOptions } from '../../src/client/api.ts'
import type { LocalChat } from '../../src/client/local-chat.ts'
import { CONTENT_TYPE, encodeContent } from '../../src/protocol/content.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { encodeGroup, type GroupRole, type GroupState, openGroup, versionHash } from '../../src/protocol/group.ts'
import { userMailbox } from '../../src/protocol/names.ts'
import type { GroupHeader, MessageHeader } from '../../src/protocol/records.ts'
import { eventually, patienceMs } from '../eventually.ts'
import { eventsOf, makeId, type Scenario, textsOf } from './client-scenarios.ts'
import { ClientWorld, fastClock, KeptDatabase, type Person } from './client-world.ts'

const inWorld =
  (run: (world: ClientWorld) => Promise<void>, options: ConstructorParameters<typeof ClientWorld>[0] = {}): Scenario =>
  async () => {
    const world = new ClientWorld(options)
    try {
      await run(world)
    } finally {
      await world.close()
    }
  }

/** People with a device each, and their chats. */
const open = async <Names extends string[]>(
  world: ClientWorld,
  ...names: Names
): Promise<{ people: Person[]; chats: LocalChat[] }> => {
  const people = names.map((name) => world.enrol(name))
  const chats: LocalChat[] = []
  for (const person of people) chats.push(await world.open(person))
  return { people, chats }
}
const three = async (world: ClientWorld): Promise<[LocalChat, LocalChat, LocalChat]> => {
  const { chats } = await open(world, 'alice', 'bob', 'carol')
  return chats as [LocalChat, LocalChat, LocalChat] // as many as names
}

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof ChatError ? error.code : `no error (${String(error)})`
}
const changesOf = (events: ChatEvent[]): string[] =>
  events
    .filter((event): event is GroupEvent & { position: number } => event.type === 'group')
    .map(({ group, version, by, change, user, role }) =>
      [group, version, by, change, user, role].filter(Boolean).join(' '),
    )
const knows = (chat: LocalChat, name: string): Promise<boolean> =>
  eventually(async () => (await chat.group.list()).some(({ group }) => group === name))
const membersOf = (report: { members: { user: string; role: string }[] }): string =>
  report.members.map(({ user, role }) => `${user} ${role}`).join(', ')

const linesOf = async (chat: LocalChat, group: string, options?: HistoryOptions): Promise<string[]> =>
  (await chat.lines(group, options)).map((line) =>
    line.type === 'message'
      ? line.text
      : [line.by, line.change, ...line.users, line.role, line.name].filter(Boolean).join(' '),
  )

/** The id of the only group. */
const idOf = (world: ClientWorld): string => {
  const version = world.mailboxes.get('alice')?.find(({ header }) => header.k === 'group')
  return version?.header.to ?? ''
}
interface GroupMessage {
  group: string
  seq: number
  gv: number
  gs?: number
  gh?: string
  text?: string
}
const groupMessage = (from: Person, { group, seq, gv, gs = seq, gh, text = `text ${seq}` }: GroupMessage): Buffer => {
  const author = { id: makeId(), from: from.user, dev: from.device, to: group, at: 1_790_000_000_000 + seq }
  const header: MessageHeader = {
    k: 'msg',
    ...author,
    conv: group,
    seq,
    ct: CONTENT_TYPE,
    gv,
    ...(gs < seq ? { gs } : {}),
    ...(gh === undefined ? {} : { gh }),
  }
  return from.identity.seal(header, encodeContent({ text }))
}
const versionBy = (from: Person, change: Pick<GroupHeader, 'change' | 'users'>, state: GroupState): Buffer => {
  const author = { id: makeId(), from: from.user, dev: from.device, to: state.group, at: Date.now() }
  const header: GroupHeader = { k: 'group', ...author, v: state.version, ...change }
  return from.identity.seal(header, encodeGroup(state))
}

export const groupScenarios = {
  'who waits for a state stops waiting for those who leave': inWorld(async (world) => {
    const [a, b, c] = await three(world)
    await a.group.create('#ops', ['bob', 'carol'])
    await knows(b, '#ops')
    await knows(c, '#ops')
    const reading = a.send('#ops', 'who reads this?', { wait: 'read', timeoutMs: patienceMs() / 2 })
    reading.catch(() => {}) // awaited below
    await eventually(async () => (await textsOf(b, '#ops')).length === 1)
    await b.markRead('#ops')
    const { id = '' } = (await a.history('#ops')).at(-1) ?? {}
    await eventually(async () => (await a.status(id)).recipients.find(({ user }) => user === 'bob')?.readAt)
    await a.group.remove('#ops', ['carol'])
    assert.is((await reading).status, 'read')
  }),

  'everybody in a group gets what is sent to it, and its sender hears of each': inWorld(async (world) => {
    const [a, b, c] = await three(world)
    const made = await a.group.create('#ops', ['bob', 'carol'])
    assert.equal(made, {
      group: '#ops',
      version: 1,
      members: [
        { user: 'alice', role: 'owner' },
        { user: 'bob', role: 'member' },
        { user: 'carol', role: 'member' },
      ],
    })
    const sent = await a.send('#ops', 'hello all', { wait: 'received' })
    assert.is(sent.conversation, '#ops')
    assert.is(sent.to, '#ops')
    assert.ok(sent.storedAt && sent.receivedAt && !sent.readAt)
    assert.equal(await textsOf(b, '#ops'), ['hello all'])
    assert.equal((await c.history('#ops'))[0]?.conversation, '#ops')
    await b.markRead('#ops')
    await eventually(async () => (await a.status(sent.id)).recipients.find(({ user }) => user === 'bob')?.readAt)
    const { recipients } = await a.status(sent.id)
    assert.equal(
      recipients.map(({ user, readAt }) => [user, readAt !== null]),
      [
        ['bob', true],
        ['carol', false],
      ],
    )
    assert.is((await a.history('#ops'))[0]?.status, 'received')
    await c.markRead('#ops')
    await eventually(async () => (await a.history('#ops'))[0]?.status === 'read')
    const reply = await c.send('#ops', 'hello alice', { wait: 'received' })
    assert.equal(
      (await c.status(reply.id)).recipients.map(({ user }) => user),
      ['alice', 'bob'],
    )
  }),

  'changes are events for all whom they concern, under the name of now': inWorld(async (world) => {
    const [a, b, c] = await three(world)
    await a.group.create('#ops', ['bob'])
    await a.group.add('#ops', ['carol'])
    await a.group.role('#ops', 'bob', 'admin')
    await b.group.rename('#ops', '#on-call')
    await b.group.remove('#on-call', ['carol'])
    await knows(a, '#on-call')
    await eventually(async () => changesOf(await eventsOf(c)).length === 4)
    assert.equal(changesOf(await eventsOf(c)), [
      '#on-call 2 alice add carol',
      '#on-call 3 alice role bob admin',
      '#on-call 4 bob rename',
      '#on-call 5 bob remove carol',
    ])
    await eventually(async () => changesOf(await eventsOf(b)).length === 5)
    assert.is(changesOf(await eventsOf(b))[0], '#on-call 1 alice create')
    assert.equal(await c.group.list(), [])
    assert.is(membersOf(await a.group.info('#ops')), 'alice owner, bob admin')
    assert.is((await a.inbox())[0]?.conversation, '#on-call')
  }),

  'a topic is known to all, also to who comes later, and stays through other changes': inWorld(async (world) => {
    const [a, b, c] = await three(world)
    await a.group.create('#ops', ['bob'])
    const said = await a.group.topic('#ops', 'Deploys on Thursdays')
    assert.equal([said.version, said.topic], [2, 'Deploys on Thursdays'])
    assert.is(await codeOf(b.group.topic('#ops', 'mine')), 'GROUP_DENIED')
    assert.is(await codeOf(a.group.topic('#ops', 'two\nlines')), 'GROUP_TOPIC_ILLEGAL')
    await a.group.add('#ops', ['carol'])
    await eventually(async () => (await c.inbox())[0]?.topic === 'Deploys on Thursdays')
    const topics = async (chat: LocalChat): Promise<unknown[]> =>
      (await eventsOf(chat)).flatMap((event) =>
        event.type === 'group' && event.change === 'topic' ? [event.topic] : [],
      )
    await eventually(async () => (await topics(b)).length === 1)
    assert.not('topic' in (await a.group.topic('#ops', '')))
    await eventually(async () => (await topics(b)).length === 2)
    assert.equal(await topics(b), ['Deploys on Thursdays', ''])
    const lines = (await b.lines('#ops')).flatMap((line) => (line.type === 'group' ? [line] : []))
    assert.equal(
      lines.map(({ change, topic }) => [change, topic]),
      [
        ['create', undefined],
        ['topic', 'Deploys on Thursdays'],
        ['add', undefined],
        ['topic', ''],
      ],
    )
    assert.not('topic' in ((await b.inbox())[0] ?? {}))
  }),

  'what was changed stands among what is said, in one order for all, and outlives a restart': inWorld(async (world) => {
    const [alice, kept] = [world.enrol('alice'), new KeptDatabase()]
    const a = await world.open(alice, kept)
    const { chats } = await open(world, 'bob', 'carol')
    const [b, c] = chats as [LocalChat, LocalChat] // as many as names
    await a.group.create('#ops', ['bob'])
    await a.send('#ops', 'one', { wait: 'received' })
    await a.group.add('#ops', ['carol'])
    await eventually(async () => (await b.group.list())[0]?.version === 2)
    await b.send('#ops', 'two', { wait: 'received' })
    await a.group.role('#ops', 'bob', 'admin')
    await a.group.rename('#ops', '#on-call')
    await knows(b, '#on-call')
    await b.group.remove('#on-call', ['carol'])
    const all = [
      'alice create bob #ops',
      'one',
      'alice add carol',
      'two',
      'alice role bob admin',
      'alice rename #on-call',
      'bob remove carol',
    ]
    await eventually(async () => (await linesOf(a, '#on-call')).length === all.length)
    assert.equal(await linesOf(a, '#on-call'), all)
    assert.equal(await linesOf(b, '#on-call'), all)
    await eventually(async () => (await linesOf(c, '#on-call')).at(-1) === 'bob remove carol')
    assert.equal(await linesOf(c, '#on-call'), all.slice(2))
    assert.equal(await textsOf(a, '#on-call'), ['one', 'two'])
    await a.close()
    const again = await world.open(alice, kept)
    assert.equal(await linesOf(again, '#on-call'), all)
    const lines = await again.lines('#on-call')
    for (const [index, { id, conversation }] of lines.entries()) {
      assert.is(conversation, '#on-call')
      const [before, after] = [
        { before: id, limit: 2 },
        { after: id, limit: 2 },
      ]
      assert.equal(await linesOf(again, '#on-call', before), all.slice(Math.max(0, index - 2), index))
      assert.equal(await linesOf(again, '#on-call', after), all.slice(index + 1, index + 3))
    }
  }),

  'what may not be is said, with its reason': inWorld(async (world) => {
    const [a, b, c] = await three(world)
    await a.group.create('#ops', ['bob'])
    assert.is(await codeOf(c.group.create('#ops')), 'GROUP_NAME_TAKEN')
    assert.is(await codeOf(a.group.create('#Ops')), 'GROUP_NAME_ILLEGAL')
    assert.is(await codeOf(a.group.create('ops')), 'GROUP_NAME_ILLEGAL')
    assert.is(await codeOf(a.group.add('#ops', ['nobody'])), 'USER_UNKNOWN')
    assert.is(await codeOf(a.group.add('#ops', ['bob'])), 'GROUP_MEMBER_KNOWN')
    assert.is(await codeOf(b.group.add('#ops', ['carol'])), 'GROUP_DENIED')
    assert.is(await codeOf(b.group.remove('#ops', ['alice'])), 'GROUP_DENIED')
    assert.is(await codeOf(a.group.leave('#ops')), 'GROUP_OWNER_NEEDED')
    assert.is(await codeOf(a.group.remove('#ops', ['carol'])), 'GROUP_MEMBER_UNKNOWN')
    assert.is(await codeOf(c.group.info('#ops')), 'GROUP_DENIED')
    assert.is(await codeOf(c.send('#ops', 'let me in')), 'GROUP_DENIED')
    assert.is(await codeOf(a.send('#nothing', 'hello')), 'GROUP_UNKNOWN')
    assert.is(await codeOf(a.history('#nothing')), 'GROUP_UNKNOWN')
    await a.group.role('#ops', 'bob', 'owner')
    assert.is(membersOf(await a.group.leave('#ops')), 'bob owner')
  }),

  'of two changes at once both happen, one after the other': inWorld(async (world) => {
    const [a, b, c] = await three(world)
    world.enrol('dave')
    world.enrol('erin')
    await a.group.create('#ops', ['bob', 'carol'])
    await a.group.role('#ops', 'bob', 'admin')
    const both = await Promise.all([a.group.add('#ops', ['dave']), b.group.add('#ops', ['erin'])])
    assert.equal(new Set(both.map(({ version }) => version)), new Set([3, 4]))
    await eventually(async () => (await c.group.list())[0]?.version === 4)
    assert.is(membersOf((await c.group.list())[0] ?? { members: [] }).split(', ').length, 5)
  }),

  'a change that is repeated under its id happens once': inWorld(async (world) => {
    const [a] = await three(world)
    const id = makeId()
    const made = await a.group.create('#ops', ['bob'], { id })
    assert.equal(await a.group.create('#ops', ['bob'], { id }), made)
    const adding = makeId()
    await a.group.add('#ops', ['carol'], { id: adding })
    assert.is((await a.group.add('#ops', ['carol'], { id: adding })).version, 2)
    assert.is((await a.group.info('#ops')).version, 2)
  }),

  'a name that was claimed for a group which was never made is free': inWorld(async (world) => {
    const [a, b] = await three(world)
    world.groups.claim('#ops', `#${makeId()}`)
    await a.group.create('#ops', ['bob'])
    await a.send('#ops', 'hello', { wait: 'received' })
    assert.equal(await textsOf(b, '#ops'), ['hello'])
    assert.is(await codeOf(b.group.create('#ops')), 'GROUP_NAME_TAKEN')
  }),

  'who was removed is refused for good and hears nothing more': inWorld(async (world) => {
    const [a, b, c] = await three(world)
    await a.group.create('#ops', ['bob', 'carol'])
    await b.send('#ops', 'before', { wait: 'received' })
    // Its device has not heard of it when it sends.
    world.groups.isCopying = false
    await a.group.remove('#ops', ['bob'])
    const refused = await b.send('#ops', 'too late').catch((error: unknown) => error)
    assert.ok(refused instanceof ChatError && refused.code === 'GROUP_DENIED' && refused.outcome === 'refused')
    world.groups.copy()
    await eventually(async () => (await b.group.list()).length === 0)
    await a.send('#ops', 'secret', { wait: 'received' })
    await b.caughtUp({ timeoutMs: patienceMs() })
    assert.equal(
      (await b.history('#ops')).map(({ text, status }) => [text, status]),
      [
        ['before', 'received'],
        ['too late', 'refused'],
      ],
    )
    assert.is(await codeOf(b.send('#ops', 'again')), 'GROUP_DENIED')
    assert.equal(await textsOf(c, '#ops'), ['before', 'secret'])
    assert.equal(await a.gaps('#ops'), [])
    // Whoever is back goes on, and its number that was refused lacks nowhere.
    world.groups.isCopying = true
    await a.group.add('#ops', ['bob'])
    await b.send('#ops', 'back', { wait: 'received' })
    await eventually(async () => (await textsOf(c, '#ops')).length === 3)
    assert.equal(await c.gaps('#ops'), [])
    assert.equal(await textsOf(b, '#ops'), ['before', 'too late', 'back'])
  }),

  'what all members have read stays read, whoever comes back': inWorld(async (world) => {
    const [a, b, c] = await three(world)
    await a.group.create('#ops', ['bob', 'carol'])
    await c.close()
    const { id } = await a.send('#ops', 'hello')
    await eventually(async () => (await textsOf(b, '#ops')).length === 1)
    await b.markRead('#ops')
    await eventually(async () => (await a.status(id)).recipients[0]?.readAt)
    assert.is((await a.history('#ops'))[0]?.status, 'stored')
    await a.group.remove('#ops', ['carol'])
    assert.is((await a.history('#ops'))[0]?.status, 'read')
    await a.group.add('#ops', ['carol'])
    assert.is((await a.history('#ops'))[0]?.status, 'read')
  }),

  'a denial of somebody who was removed counts for all attempts': inWorld(async (world) => {
    const [a, b] = await three(world)
    await a.group.create('#ops', ['bob'])
    await knows(b, '#ops')
    let puts = 0
    world.onPut = (header) => {
      if (header.k !== 'msg') return undefined
      puts += 1
      return puts === 1 ? 'cut' : undefined
    }
    world.groups.isCopying = false
    await a.group.remove('#ops', ['bob'])
    assert.is(await codeOf(b.send('#ops', 'was it sent?')), 'GROUP_DENIED')
    assert.is(puts, 2)
    await b.settled({ timeoutMs: patienceMs() })
  }),

  'who joins later misses nothing, and what was sent while one was away is no gap': inWorld(
    async (world) => {
      const { people, chats } = await open(world, 'alice', 'bob')
      const [alice] = people as [Person]
      const [a, b] = chats as [LocalChat, LocalChat]
      await a.group.create('#ops')
      const group = idOf(world)
      const members = ['alice'].map(userMailbox)
      const all = ['alice', 'bob'].map(userMailbox)
      const put = (seq: number, gv: number, mailboxes: string[]) =>
        world.store(groupMessage(alice, { group, seq, gv }), { mailboxes })
      put(1, 1, members)
      await a.group.add('#ops', ['bob'])
      await knows(b, '#ops')
      put(3, 2, all)
      put(2, 2, all)
      await eventually(async () => (await textsOf(b, '#ops')).length === 2)
      assert.equal(await textsOf(b, '#ops'), ['text 2', 'text 3'])
      assert.equal(await b.gaps('#ops'), [])
      await a.group.remove('#ops', ['bob'])
      put(4, 3, members)
      await a.group.add('#ops', ['bob'])
      put(5, 4, all)
      await eventually(async () => (await textsOf(b, '#ops')).length === 3)
      assert.equal(await b.gaps('#ops'), [])
      put(7, 4, all)
      await eventually(async () => (await textsOf(b, '#ops')).length === 4)
      assert.equal(
        (await b.gaps('#ops')).map(({ from, to }) => [from, to]),
        [[6, 6]],
      )
    },
    { clock: fastClock(10) },
  ),

  'who joined misses what was sent since, and nothing that was taken while he was out': inWorld(
    async (world) => {
      const { people, chats } = await open(world, 'alice', 'bob')
      const [alice] = people as [Person]
      const [a, b] = chats as [LocalChat, LocalChat]
      const all = ['alice', 'bob'].map(userMailbox)
      const gapsAfter = async (seq: number): Promise<number[][]> => {
        await eventually(async () => (await textsOf(b, '#ops')).includes(`text ${seq}`))
        return (await b.gaps('#ops')).map(({ from, to }) => [from, to])
      }
      await a.group.create('#ops')
      const group = idOf(world)
      const put = (seq: number, gv: number, gs: number) =>
        world.store(groupMessage(alice, { group, seq, gv, gs }), { mailboxes: all })
      await a.group.add('#ops', ['bob'])
      await knows(b, '#ops')
      put(4, 2, 3)
      assert.equal(await gapsAfter(4), [[3, 3]])
      put(3, 2, 3)
      assert.equal(await gapsAfter(3), [])
      // The fifth is on its way when he is removed, and taken after that; the sixth was before.
      put(6, 2, 3)
      assert.equal(await gapsAfter(6), [[5, 5]])
      await a.group.remove('#ops', ['bob'])
      await a.group.add('#ops', ['bob'])
      put(7, 4, 7)
      assert.equal(await gapsAfter(7), [])
    },
    { clock: fastClock(10) },
  ),

  'a message to a group says from where on the author has named that version, or one since which nobody came in':
    inWorld(async (world) => {
      const { chats } = await open(world, 'alice', 'bob', 'carol')
      const [a, b] = chats as [LocalChat, LocalChat]
      await a.group.create('#ops')
      for (const text of ['one', 'two']) await a.send('#ops', text, { wait: 'stored' })
      await a.group.add('#ops', ['bob'])
      await knows(b, '#ops')
      for (const text of ['three', 'four', 'five']) await a.send('#ops', text, { wait: 'stored' })
      // To who is in it is the same version as long as nobody comes in.
      await a.group.role('#ops', 'bob', 'admin')
      await a.send('#ops', 'six', { wait: 'stored' })
      await a.group.add('#ops', ['carol'])
      await a.send('#ops', 'seven', { wait: 'stored' })
      const named = world.mailboxes
        .get('alice')
        ?.flatMap(({ header: h }) => (h.k === 'msg' ? [[h.seq, h.gv, h.gs, h.gh]] : []))
        .sort((x, y) => Number(x[0]) - Number(y[0]))
      const [first, second, third, fourth] = [1, 2, 3, 4].map((v) => {
        const found = world.mailboxes.get('alice')?.find(({ header: h }) => h.k === 'group' && h.v === v)
        return versionHash(found?.sealed ?? new Uint8Array())
      })
      assert.equal(named, [
        [1, 1, undefined, first],
        [2, 1, 1, first],
        [3, 2, undefined, second],
        [4, 2, 3, second],
        [5, 2, 3, second],
        [6, 3, 3, third],
        [7, 4, undefined, fourth],
      ])
    }),

  'members who were shown different versions of a group hear of it from each other’s messages': inWorld(
    async (world) => {
      const { people, chats } = await open(world, 'alice', 'bob', 'carol')
      const [alice, bob] = people as [Person, Person]
      const [a, , c] = chats as [LocalChat, LocalChat, LocalChat]
      await a.group.create('#ops', ['bob', 'carol'])
      await knows(c, '#ops')
      const members = new Map<string, GroupRole>([
        ['alice', 'owner'],
        ['bob', 'member'],
        ['carol', 'member'],
      ])
      const group = idOf(world)
      const versions = ['#one', '#two'].map((name) =>
        versionBy(alice, { change: 'rename' }, { group, version: 2, name, members }),
      )
      const [ofBob = '', ofCarol = ''] = versions.map((version) => versionHash(version))
      world.store(versions[1] ?? new Uint8Array(), { mailboxes: [userMailbox('carol')] })
      await knows(c, '#two')
      const say = async (from: Person, seq: number, gh: string): Promise<string[][]> => {
        const text = `${from.user} ${seq}`
        world.store(groupMessage(from, { group, seq, gv: 2, gh, text }), { mailboxes: [userMailbox('carol')] })
        await eventually(async () => (await textsOf(c, '#two')).includes(text))
        const [[listed], entries] = [await c.group.list(), await c.inbox()]
        const entry = entries.find(({ conversation }) => conversation === '#two')
        return [listed?.disputedBy ?? [], entry?.disputedBy ?? []]
      }
      assert.equal(await say(alice, 1, ofCarol), [[], []])
      assert.equal(await say(bob, 1, ofBob), [['bob'], ['bob']])
      assert.equal(await say(bob, 2, ofCarol), [['bob'], ['bob']])
      assert.is((await c.group.compared('#two')).disputedBy, undefined)
      assert.equal(await say(bob, 3, ofBob), [[], []])
      assert.is(await codeOf(c.group.compared('#none')), 'GROUP_UNKNOWN')
    },
  ),

  'a message waits for the version that it names, and asks for what does not come': inWorld(async (world) => {
    const [a, b, c] = await three(world)
    await a.group.create('#ops', ['bob'])
    await knows(b, '#ops')
    world.groups.isCopying = false
    await a.group.rename('#ops', '#on-call')
    await a.group.add('#on-call', ['carol'])
    await a.send('#on-call', 'hello carol')
    // Neither has heard of the versions by its feed.
    await eventually(async () => (await textsOf(c, '#on-call')).length === 1)
    await eventually(async () => (await textsOf(b, '#on-call')).length === 1)
    assert.equal(changesOf(await eventsOf(c)), ['#on-call 3 alice add carol'])
    assert.equal(changesOf(await eventsOf(b)), [
      '#on-call 1 alice create',
      '#on-call 2 alice rename',
      '#on-call 3 alice add carol',
    ])
    world.groups.copy()
    await c.caughtUp({ timeoutMs: patienceMs() })
    assert.is(changesOf(await eventsOf(c)).length, 1)
  }),

  'what does not follow from the group is not shown': inWorld(async (world) => {
    const { people, chats } = await open(world, 'alice', 'bob', 'mallory')
    const [, bob, mallory] = people as [Person, Person, Person]
    const [a, b] = chats as [LocalChat, LocalChat]
    await a.group.create('#ops', ['bob'])
    await knows(b, '#ops')
    const group = idOf(world)
    const mailboxes = [userMailbox('alice')]
    const [version] = world.mailbox('alice')
    if (!version) throw new Error('no version')
    const { state } = openGroup(version.sealed)
    const members = new Map([...state.members, ['mallory', 'owner'] as const])
    const next = { ...state, version: 2, members }
    world.store(groupMessage(mallory, { group, seq: 1, gv: 1 }), { mailboxes })
    world.store(versionBy(mallory, { change: 'add', users: ['mallory'] }, next), { mailboxes })
    world.store(versionBy(bob, { change: 'add', users: ['mallory'] }, next), { mailboxes })
    await eventually(() => a.rejected.invalid === 3)
    world.store(groupMessage(bob, { group, seq: 1, gv: 1, text: 'genuine' }), { mailboxes })
    await eventually(async () => (await textsOf(a, '#ops')).length === 1)
    assert.equal(await textsOf(a, '#ops'), ['genuine'])
    assert.is(membersOf((await a.group.list())[0] ?? { members: [] }), 'alice owner, bob member')
    // A receipt of a stranger says nothing.
    const { id } = await a.send('#ops', 'hello')
    const author = { id: makeId(), from: 'mallory', dev: mallory.device, to: 'alice', at: Date.now() }
    const r: [string, number, number][] = [[people[0]?.device ?? '', 1, 1]]
    world.store(mallory.identity.seal({ k: 'rcpt', ...author, conv: group, st: 'read', r }))
    await a.caughtUp({ timeoutMs: patienceMs() })
    assert.ok((await eventsOf(a)).every((event) => event.type !== 'receipt' || event.user === 'bob'))
    assert.equal(
      (await a.status(id)).recipients.map(({ user }) => user),
      ['bob'],
    )
  }),

  'a member is told once of many messages, and of what was read only that': inWorld(async (world) => {
    const [a, b] = await three(world)
    await a.group.create('#ops', ['bob'])
    await knows(b, '#ops')
    const sent = await Promise.all(Array.from({ length: 40 }, (_, i) => a.send('#ops', `m${i}`)))
    await eventually(async () => (await textsOf(b, '#ops')).length === 40)
    await b.markRead('#ops')
    await eventually(async () => (await a.status(sent.at(-1)?.id ?? '')).recipients[0]?.readAt)
    await eventually(async () => (await a.history('#ops')).every(({ status }) => status === 'read'))
    const receipts = world.puts.filter(({ header }) => header.k === 'rcpt')
    assert.ok(receipts.length <= 6, `${receipts.length} receipts for 40 messages`)
  }),

  'devices of a user agree on what was read in a group; a new one has its history': inWorld(async (world) => {
    const [a, b, c] = await three(world)
    await a.group.create('#ops', ['bob', 'carol'])
    await c.send('#ops', 'one', { wait: 'received' })
    await a.send('#ops', 'two', { wait: 'received' })
    const laptop = await world.open(world.enrol('bob'))
    await knows(laptop, '#ops')
    await eventually(async () => (await laptop.inbox())[0]?.unread === 2)
    await b.markRead('#ops')
    await eventually(async () => (await laptop.inbox())[0]?.unread === 0)
    assert.equal(await textsOf(laptop, '#ops'), ['one', 'two'])
    const sent = await laptop.send('#ops', 'from the laptop', { wait: 'received' })
    await eventually(async () => (await textsOf(b, '#ops')).length === 3)
    assert.is((await b.inbox())[0]?.unread, 0)
    await eventually(async () => (await b.status(sent.id)).recipients.every(({ receivedAt }) => receivedAt))
  }),

  'a receipt of one member proves that the message is stored, before the cluster has said so': inWorld(
    async (world) => {
      const [a, b, c] = await three(world)
      await a.group.create('#ops', ['bob', 'carol'])
      await knows(b, '#ops')
      await c.close()
      world.onPut = ({ k, from }, sealed) => {
        if (k !== 'msg' || from !== 'alice') return undefined
        world.groups.send(sealed, a.device)
        return 'silent'
      }
      const { id } = await a.send('#ops', 'hello', { wait: 'queued' })
      await eventually(async () => (await a.status(id)).recipients.some(({ receivedAt }) => receivedAt))
      assert.ok((await a.status(id)).storedAt)
      assert.is((await a.history('#ops'))[0]?.status, 'stored')
    },
  ),

  'who is named is told so; everybody only by those who may': inWorld(async (world) => {
    const [a, b, c] = await three(world)
    await a.group.create('#ops', ['bob', 'carol'])
    await knows(b, '#ops')
    await a.send('#ops', 'has @bob. seen mail@carol?', { wait: 'received' })
    assert.is((await b.inbox())[0]?.mentions, 1)
    assert.is((await c.inbox())[0]?.mentions, 0)
    assert.equal((await b.history('#ops'))[0]?.mentions, ['bob'])
    await a.send('#ops', '@all: lunch', { wait: 'received' })
    assert.is((await b.inbox())[0]?.mentions, 2)
    assert.is((await c.inbox())[0]?.mentions, 1)
    await b.send('#ops', '@all: no', { wait: 'received' })
    assert.is((await c.inbox())[0]?.mentions, 1)
    assert.is((await c.inbox())[0]?.unread, 3)
    await c.markRead('#ops')
    assert.is((await c.inbox())[0]?.mentions, 0)
    assert.is((await b.inbox())[0]?.mentions, 2)
  }),

  'groups, and what waits to be sent to them, are there after a restart': inWorld(async (world) => {
    const alice = world.enrol('alice')
    const database = new KeptDatabase()
    const first = await world.open(alice, database)
    const b = await world.open(world.enrol('bob'))
    await first.group.create('#ops', ['bob'])
    const [gateway] = world.gateways.values()
    await first.close()
    if (gateway) gateway.isUp = false
    const offline = await world.open(alice, database)
    assert.is((await offline.group.list())[0]?.group, '#ops')
    const { id } = await offline.send('#ops', 'later', { wait: 'queued' })
    assert.equal(
      (await offline.history('#ops')).map(({ to, status }) => [to, status]),
      [['#ops', 'queued']],
    )
    await offline.close()
    if (gateway) gateway.isUp = true
    const again = await world.open(alice, database)
    await eventually(async () => (await again.status(id)).recipients[0]?.receivedAt)
    assert.equal(await textsOf(b, '#ops'), ['later'])
  }),

  'of a blocked user nothing arrives in a group either': inWorld(async (world) => {
    const [a, b, c] = await three(world)
    await a.group.create('#ops', ['bob', 'carol'])
    await knows(c, '#ops')
    await c.block('bob')
    await b.send('#ops', 'hidden')
    await a.send('#ops', 'shown', { wait: 'received' })
    await eventually(async () => (await textsOf(c, '#ops')).includes('shown'))
    assert.equal(await textsOf(c, '#ops'), ['shown'])
    assert.is((await c.inbox())[0]?.unread, 1)
  }),

  'search finds in a group, by its name': inWorld(async (world) => {
    const [a, b] = await three(world)
    await a.group.create('#ops', ['bob'])
    await a.send('#ops', 'the deploy failed', { wait: 'received' })
    await a.send('bob', 'deploy later', { wait: 'received' })
    const found = await b.search('deploy', { in: '#ops' })
    assert.equal(
      found.map(({ conversation, text }) => [conversation, text]),
      [['#ops', 'the deploy failed']],
    )
  }),
} satisfies Record<string, Scenario>
