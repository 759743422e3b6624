// What a client must do with edits, deletions and reactions, each as a scenario in a world of its own. Run as tests, and again with a
// fault armed: client-mutants.test.ts.
import * as assert from 'uvu/assert'
import type { ChatEvent, HistoryMessage } from '../../src/client/api.ts'
import type { LocalChat } from '../../src/client/local-chat.ts'
import { CONTENT_TYPE, type Content, encodeContent } from '../../src/protocol/content.ts'
import { toHex } from '../../src/protocol/bytes.ts'
import { hasCode } from '../../src/protocol/errors.ts'
import { conversationOf } from '../../src/protocol/names.ts'
import { type MessageHeader, openRecord, recordKey, type TombstoneHeader } from '../../src/protocol/records.ts'
import { eventually } from '../eventually.ts'
import { eventsOf, inWorld, makeId, messageOf, type Scenario, textsOf } from './client-scenarios.ts'
import type { Person } from './client-world.ts'

interface Sealed {
  id: string
  sealed: Buffer
}
/** A message about another one as `from`'s device would sign it. */
const aboutOf = (from: Person, to: string, { seq, at, ...content }: { seq: number; at?: number } & Content): Sealed => {
  const id = makeId()
  const author = { id, from: from.user, dev: from.device, to, at: at ?? Date.now() }
  const header: MessageHeader = { k: 'msg', ...author, conv: conversationOf(from.user, to), seq, ct: CONTENT_TYPE }
  return { id, sealed: from.identity.seal(header, encodeContent(content)) }
}
const tombstoneOf = (from: Person, to: string, target: Buffer, options: { withPlace?: boolean } = {}): Buffer => {
  const { header } = openRecord(target)
  if (header.k !== 'msg') throw new TypeError('not a message')
  const { conv, from: author, dev, seq, at } = header
  const place = options.withPlace === false ? {} : { of: { conv, from: author, dev, seq, at } }
  const tombstone: TombstoneHeader = {
    k: 'tomb',
    id: makeId(),
    from: from.user,
    dev: from.device,
    to,
    at: Date.now(),
    target: toHex(recordKey(header.id, target)),
    ...place,
  }
  return from.identity.seal(tombstone)
}

const typesOf = (events: ChatEvent[]): string[] =>
  events.map((event) => event.type).filter((type) => type !== 'receipt')
const firstOf = async (chat: LocalChat, conversation: string): Promise<HistoryMessage | undefined> =>
  (await chat.history(conversation))[0]
const failureOf = (act: Promise<unknown>): Promise<unknown> =>
  act.then(() => undefined).catch((error: unknown) => error)

const timeoutMs = 4_000

export const referenceScenarios = {
  'an edit replaces the text everywhere, is no line, and is never unread': inWorld(async (world) => {
    const [alice, tablet, bob] = [world.enrol('alice'), world.enrol('alice'), world.enrol('bob')]
    const [a, a2, b] = [await world.open(alice), await world.open(tablet), await world.open(bob)]
    const { id } = await a.send('bob', 'helo', { wait: 'received', timeoutMs })
    await b.markRead('alice')
    assert.equal(await a.edit(id, 'hello', { timeoutMs }), { id, conversation: 'bob', status: 'stored' })
    await a.edit(id, 'hello!', { timeoutMs })
    for (const [chat, other] of [
      [a, 'bob'],
      [a2, 'bob'],
      [b, 'alice'],
    ] as const) {
      await eventually(async () => (await firstOf(chat, other))?.text === 'hello!')
      assert.equal(
        (await chat.history(other)).map(({ edited }) => edited),
        [true],
      )
      assert.is((await chat.inbox())[0]?.last?.text, 'hello!')
      assert.is((await chat.inbox())[0]?.unread, 0)
      assert.equal(await chat.gaps(other), [])
    }
    assert.equal(await b.markRead('alice'), { marked: 0 })
    await b.settled({ timeoutMs })
    // No receipt is about them: the first message was received and read, and that is all.
    const told = world.puts.flatMap(({ header }) => (header.k === 'rcpt' ? header.r : []))
    assert.ok(told.every(([, from, to]) => from === 1 && to === 1))
    const edits = (await eventsOf(b)).flatMap((event) => (event.type === 'edit' ? [event.text] : []))
    assert.equal(edits, ['hello', 'hello!'])
  }),

  'only the author’s edit counts, the newest by order, whatever came first': inWorld(async (world) => {
    const [alice, tablet, bob] = [world.enrol('alice'), world.enrol('alice'), world.enrol('bob')]
    const b = await world.open(bob)
    const id = makeId()
    const now = Date.now()
    const message = messageOf(alice, 'bob', { seq: 1, id, text: 'one', at: now })
    const older = aboutOf(alice, 'bob', { seq: 2, edit: id, text: 'two', at: now + 1 })
    const newer = aboutOf(tablet, 'bob', { seq: 1, edit: id, text: 'three', at: now + 2 })
    const own = aboutOf(bob, 'alice', { seq: 1, edit: id, text: 'forged', at: now + 3 })
    for (const record of [own.sealed, newer.sealed, older.sealed, message]) world.store(record)
    await eventually(async () => (await firstOf(b, 'alice'))?.text === 'three')
    assert.equal(await textsOf(b, 'alice'), ['three'])
    assert.ok(hasCode(await failureOf(b.edit(id, 'mine')), 'MESSAGE_DENIED'))
    assert.ok(hasCode(await failureOf(b.edit(makeId(), 'mine')), 'MESSAGE_UNKNOWN'))
    // The message comes before what is about it, although it arrived last.
    assert.equal(typesOf(await eventsOf(b)), ['message', 'edit'])
  }),

  'an edit of an edit edits the message': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const [a, b] = [await world.open(alice), await world.open(bob)]
    const { id } = await a.send('bob', 'one', { timeoutMs })
    const editId = makeId()
    await a.edit(id, 'two', { id: editId, timeoutMs })
    // Repeated under its id it is the same edit.
    await a.edit(id, 'two', { id: editId, timeoutMs })
    assert.is((await a.edit(editId, 'three', { timeoutMs })).id, id)
    await eventually(async () => (await firstOf(b, 'alice'))?.text === 'three')
    assert.is(world.puts.filter(({ header }) => header.k === 'msg').length, 3)
  }),

  'a deleted message keeps its place without its text, on every device, edits and late bodies included': inWorld(
    async (world) => {
      const [alice, tablet, bob] = [world.enrol('alice'), world.enrol('alice'), world.enrol('bob')]
      const [a, b] = [await world.open(alice), await world.open(bob)]
      const { id } = await a.send('bob', 'secret', { timeoutMs })
      await a.edit(id, 'secret too', { timeoutMs })
      await a.send('bob', 'after', { timeoutMs })
      await eventually(async () => (await textsOf(b, 'alice')).length === 2)
      assert.equal(await a.delete(id, { timeoutMs }), { id, conversation: 'bob', status: 'stored' })
      assert.equal(await a.delete(id, { timeoutMs }), { id, conversation: 'bob', status: 'stored' })
      // One that was never there learns the place from the tombstone; nobody gives it a body.
      const a2 = await world.open(tablet)
      await a2.caughtUp({ timeoutMs })
      for (const [chat, other] of [
        [a, 'bob'],
        [a2, 'bob'],
        [b, 'alice'],
      ] as const) {
        await eventually(async () => (await firstOf(chat, other))?.deleted)
        assert.equal(await textsOf(chat, other), ['', 'after'])
        assert.equal(await chat.gaps(other), [])
        assert.equal(await chat.search('secret'), [])
        assert.is((await chat.history(other, { before: id })).length, 0)
      }
      assert.is((await b.inbox())[0]?.unread, 1)
      assert.ok(hasCode(await failureOf(a.edit(id, 'again')), 'MESSAGE_UNKNOWN'))
      assert.equal(typesOf(await eventsOf(b)), ['message', 'delete'])
      assert.is(world.puts.filter(({ header }) => header.k === 'tomb').length, 2)
    },
  ),

  'a tombstone beats a body that comes later': inWorld(async (world) => {
    const [alice, bob, mallory] = [world.enrol('alice'), world.enrol('bob'), world.enrol('mallory')]
    const b = await world.open(bob)
    await b.caughtUp({ timeoutMs })
    const [first, second, third] = [1, 2, 3].map((seq) => messageOf(alice, 'bob', { seq }))
    assert.ok(first && second && third)
    world.store(tombstoneOf(alice, 'bob', first))
    world.store(tombstoneOf(alice, 'bob', second, { withPlace: false }))
    // Somebody else's says nothing, and takes nothing back.
    world.store(tombstoneOf({ ...mallory, user: 'mallory' }, 'bob', third, { withPlace: false }))
    world.store(tombstoneOf({ ...mallory, user: 'mallory' }, 'bob', second, { withPlace: false }))
    await eventually(() => world.mailbox('bob').length === 4)
    const [session] = [...world.gateways.values()].flatMap((gateway) => [...gateway.sessions])
    for (const sealed of [first, second, third]) {
      world.store(sealed)
      const { header } = openRecord(sealed)
      session?.deliver({ key: recordKey(header.id, sealed), header, sealed, acceptedAt: Date.now() }, undefined)
    }
    await eventually(async () => (await textsOf(b, 'alice')).includes('text 3'))
    assert.equal(await textsOf(b, 'alice'), ['', '', 'text 3'])
    assert.equal(await b.gaps('alice'), [])
    assert.is((await b.inbox())[0]?.unread, 1)
  }),

  'no message is emptied by an edit': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const [a, b] = [await world.open(alice), await world.open(bob)]
    const { id } = await a.send('bob', 'kept', { wait: 'received', timeoutMs })
    const { id: waiting } = await a.send('bob', 'kept too', { wait: 'queued' })
    for (const act of [() => a.edit(id, ''), () => a.edit(waiting, '')])
      assert.ok(hasCode(await failureOf(act()), 'MESSAGE_EMPTY'))
    await a.settled({ timeoutMs })
    await b.settled({ timeoutMs })
    for (const [chat, other] of [
      [a, 'bob'],
      [b, 'alice'],
    ] as const)
      assert.equal(await textsOf(chat, other), ['kept', 'kept too'])
  }),

  'deleting what another wrote deletes it for oneself': inWorld(async (world) => {
    const [alice, bob, phone] = [world.enrol('alice'), world.enrol('bob'), world.enrol('bob')]
    const [a, b, b2] = [await world.open(alice), await world.open(bob), await world.open(phone)]
    const { id } = await a.send('bob', 'noise', { wait: 'received', timeoutMs })
    await b.delete(id, { timeoutMs })
    await eventually(async () => (await firstOf(b2, 'alice'))?.deleted)
    assert.is((await b.inbox())[0]?.unread, 0)
    await a.settled({ timeoutMs })
    assert.equal(await textsOf(a, 'bob'), ['noise'])
    assert.is(world.mailbox('alice').filter(({ header }) => header.k === 'tomb').length, 0)
  }),

  'reactions: one for each user and emoji, on and off, the newest word wins': inWorld(async (world) => {
    const [alice, tablet, bob] = [world.enrol('alice'), world.enrol('alice'), world.enrol('bob')]
    const [a, a2, b] = [await world.open(alice), await world.open(tablet), await world.open(bob)]
    const { id } = await a.send('bob', 'done', { wait: 'received', timeoutMs })
    await b.react(id, '👍', { timeoutMs })
    await a.react(id, '👍', { timeoutMs })
    await b.react(id, '🎉', { timeoutMs })
    const all = [
      [a, 'bob'],
      [a2, 'bob'],
      [b, 'alice'],
    ] as const
    const both = [
      { emoji: '👍', users: ['bob', 'alice'] },
      { emoji: '🎉', users: ['bob'] },
    ]
    for (const [chat, other] of all) {
      await eventually(async () => (await firstOf(chat, other))?.reactions?.[1])
      assert.equal((await firstOf(chat, other))?.reactions, both)
      assert.is((await chat.inbox())[0]?.unread, other === 'alice' ? 1 : 0)
    }
    await b.react(id, '👍', { timeoutMs })
    await b.react(id, '🎉', { active: false, timeoutMs })
    await b.react(id, '🎉', { active: false, timeoutMs })
    for (const [chat, other] of all) {
      await eventually(async () => (await firstOf(chat, other))?.reactions?.length === 1)
      assert.equal((await firstOf(chat, other))?.reactions, [{ emoji: '👍', users: ['alice'] }])
    }
    for (const word of ['not an emoji', 'lgtmm', ':nothing_so_called:', '👍👍', '👍!', '', '7'])
      assert.ok(hasCode(await failureOf(b.react(id, word)), 'USAGE'), word)
    assert.equal((await b.react(id, ':rocket:', { timeoutMs })).emoji, '🚀')
    const last = (await eventsOf(a)).flatMap((event) =>
      event.type === 'reaction' ? [`${event.emoji} ${event.active}`] : [],
    )
    assert.equal(last.slice(0, 3), ['👍 true', '🎉 true', '👍 false'])
  }),

  'a reaction with a word, of another client, is shown and can be taken back': inWorld(async (world) => {
    const [alice, bob, phone] = [world.enrol('alice'), world.enrol('bob'), world.enrol('bob')]
    const [a, b] = [await world.open(alice), await world.open(bob)]
    const { id } = await a.send('bob', 'done', { wait: 'received', timeoutMs })
    const { sealed } = aboutOf(phone, 'alice', { seq: 1, react: id, author: 'alice', text: 'nice' })
    world.store(sealed)
    await eventually(async () => (await firstOf(b, 'alice'))?.reactions)
    assert.equal((await firstOf(b, 'alice'))?.reactions, [{ emoji: 'nice', users: ['bob'] }])
    assert.is((await b.react(id, 'nice', { timeoutMs })).active, false)
    assert.is((await firstOf(b, 'alice'))?.reactions, undefined)
    assert.ok(hasCode(await failureOf(b.react(id, 'nice')), 'USAGE'))
  }),

  'malformed references take their number and do nothing': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const b = await world.open(bob)
    const id = makeId()
    world.store(messageOf(alice, 'bob', { seq: 1, id, text: 'one' }))
    // What any client may write into its content, whatever the types say.
    const hostile: unknown[] = [
      { edit: 'nothing', text: 'x' },
      { edit: 7, text: 'x' },
      { react: id, text: '👍' },
      { react: id, author: 'alice', text: '' },
      { react: id, author: 'alice', text: 'x'.repeat(1_000) },
      { react: id, author: '../..', text: '👍' },
      { edit: null, text: 'x' },
    ]
    hostile.forEach((content, i) => world.store(aboutOf(alice, 'bob', { seq: i + 2, ...(content as Content) }).sealed))
    world.store(messageOf(alice, 'bob', { seq: hostile.length + 2, text: 'last' }))
    await eventually(async () => (await textsOf(b, 'alice')).includes('last'))
    assert.equal(await textsOf(b, 'alice'), ['one', 'last'])
    assert.equal(await b.gaps('alice'), [])
    assert.is((await b.inbox())[0]?.unread, 2)
    assert.ok((await b.history('alice')).every(({ edited, reactions }) => !edited && !reactions))
  }),

  'search finds the edited text, and neither the old nor the deleted one': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const [a, b] = [await world.open(alice), await world.open(bob)]
    const { id } = await a.send('bob', 'walrus', { wait: 'received', timeoutMs })
    const other = await a.send('bob', 'pelican', { wait: 'received', timeoutMs })
    assert.is((await b.search('walrus')).length, 1)
    await a.edit(id, 'ostrich', { timeoutMs })
    await a.delete(other.id, { timeoutMs })
    for (const chat of [a, b]) {
      await eventually(async () => (await chat.search('ostrich')).length === 1)
      await eventually(async () => (await chat.search('pelican')).length === 0)
      assert.equal(await chat.search('walrus'), [])
      assert.is((await chat.search('ostrich'))[0]?.text, 'ostrich')
    }
  }),

  'what is blocked does not react, and comes back as it is': inWorld(async (world) => {
    const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
    const [a, b] = [await world.open(alice), await world.open(bob)]
    const { id } = await a.send('bob', 'hi', { wait: 'received', timeoutMs })
    await a.block('bob')
    await b.react(id, '👎', { timeoutMs })
    await a.settled({ timeoutMs })
    assert.is((await firstOf(a, 'bob'))?.reactions, undefined)
    assert.equal(typesOf(await eventsOf(a)), [])
    await a.unblock('bob')
    await eventually(async () => (await firstOf(a, 'bob'))?.reactions?.[0]?.emoji === '👎')
  }),

  'without a connection it shows at once: drafts are changed where they wait, the rest leaves later': inWorld(
    async (world) => {
      const [alice, bob] = [world.enrol('alice'), world.enrol('bob')]
      const [a, b] = [await world.open(alice), await world.open(bob)]
      const sent = await a.send('bob', 'stored', { wait: 'received', timeoutMs })
      for (const gateway of world.gateways.values()) gateway.isUp = false
      world.cut()
      await eventually(async () => (await a.connection()).state !== 'online')
      const [first, second] = [makeId(), makeId()]
      await a.send('bob', 'draft', { id: first, wait: 'queued' })
      await a.send('bob', 'never', { id: second, wait: 'queued' })
      await a.edit(first, 'better draft', { wait: 'queued' })
      await a.delete(second, { wait: 'queued' })
      await a.edit(sent.id, 'changed', { wait: 'queued' })
      await a.react(sent.id, '👍', { wait: 'queued' })
      await a.react(first, '👀', { wait: 'queued' })
      const shown = await a.history('bob')
      assert.equal(
        shown.map(({ text }) => text),
        ['changed', 'better draft'],
      )
      assert.equal(shown[0]?.reactions, [{ emoji: '👍', users: ['alice'] }])
      assert.equal(shown[1]?.reactions, [{ emoji: '👀', users: ['alice'] }])
      for (const gateway of world.gateways.values()) gateway.isUp = true
      await a.settled({ timeoutMs: 20_000 })
      await eventually(async () => (await b.history('alice'))[1]?.reactions)
      assert.equal(await textsOf(b, 'alice'), ['changed', 'better draft'])
      assert.is((await b.history('alice'))[1]?.edited, undefined)
      assert.equal(await b.gaps('alice'), [])
      assert.not.ok(world.puts.some(({ sealed }) => Buffer.from(sealed).includes('never')))
    },
  ),

  'in a group all of it holds for every member, and for one who comes later': inWorld(async (world) => {
    const [alice, bob, carol] = [world.enrol('alice'), world.enrol('bob'), world.enrol('carol')]
    const [a, b, c] = [await world.open(alice), await world.open(bob), await world.open(carol)]
    await a.group.create('#ops', ['bob', 'carol'])
    const { id } = await a.send('#ops', 'hey @bob', { wait: 'received', timeoutMs })
    const gone = await a.send('#ops', 'secret @bob', { wait: 'received', timeoutMs })
    assert.equal(await a.edit(id, 'hey @all', { timeoutMs }), { id, conversation: '#ops', status: 'stored' })
    await c.react(id, '👍', { timeoutMs })
    // What it has seen it comes after, whatever the clocks say.
    await eventually(async () => (await b.history('#ops'))[0]?.reactions)
    await b.react(id, '👍', { timeoutMs })
    await a.delete(gone.id, { timeoutMs })
    assert.ok(hasCode(await failureOf(b.edit(id, 'mine')), 'MESSAGE_DENIED'))
    // For oneself only: the others keep it.
    const noise = await b.send('#ops', 'noise', { wait: 'received', timeoutMs })
    await c.delete(noise.id, { timeoutMs })
    const late = await world.open(world.enrol('bob'))
    await late.caughtUp({ timeoutMs })
    for (const chat of [a, b, c, late]) {
      await eventually(async () => (await chat.history('#ops'))[0]?.reactions?.[0]?.users.length === 2)
      await eventually(async () => (await chat.history('#ops'))[1]?.deleted)
      assert.equal(await textsOf(chat, '#ops'), ['hey @all', '', chat === c ? '' : 'noise'])
      assert.equal((await chat.history('#ops'))[0]?.reactions, [{ emoji: '👍', users: ['carol', 'bob'] }])
      assert.equal(await chat.gaps('#ops'), [])
    }
    const [inbox] = await b.inbox()
    assert.equal([inbox?.unread, inbox?.mentions], [1, 1])
    const of = (chat: LocalChat): Promise<string[]> =>
      eventsOf(chat).then((events) => typesOf(events).filter((type) => type !== 'group'))
    assert.equal(await of(a), ['reaction', 'reaction', 'message'])
  }),

  'an edit made elsewhere of what was deleted meanwhile goes too': inWorld(async (world) => {
    const [alice, tablet, bob] = [world.enrol('alice'), world.enrol('alice'), world.enrol('bob')]
    const [a, b] = [await world.open(alice), await world.open(bob)]
    const { id } = await a.send('bob', 'one', { wait: 'received', timeoutMs })
    const a2 = await world.open(tablet)
    await a2.caughtUp({ timeoutMs })
    // The tablet's edit is on its way when the message is deleted.
    world.onPut = (header) => (header.dev === tablet.device && header.k === 'msg' ? 'silent' : undefined)
    await a2.edit(id, 'two', { wait: 'queued' })
    await eventually(() => world.puts.some(({ header }) => header.dev === tablet.device && header.k === 'msg'))
    await a.delete(id, { timeoutMs })
    await eventually(() => world.puts.filter(({ header }) => header.k === 'tomb' && header.dev === tablet.device)[0])
    world.onPut = () => undefined
    world.cut()
    await a2.settled({ timeoutMs: 20_000 })
    await b.caughtUp({ timeoutMs })
    assert.equal(
      (await b.history('alice')).map(({ text, deleted }) => [text, deleted]),
      [['', true]],
    )
    assert.equal(await b.gaps('alice'), [])
  }),
} satisfies Record<string, Scenario>
