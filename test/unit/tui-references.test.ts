// Editing, deleting, reacting, and what groups need: tables of keys and commands to effects, and how messages show what became of them.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { safeText } from '../../src/client/safe-text.ts'
import type { HistoryChange } from '../../src/client/api.ts'
import { timelineChange, type TimelineMessage } from '../../src/tui/messages.ts'
import { screenText } from '../../src/tui/screen-view.ts'
import { draftOfCurrent, type Effect, type State } from '../../src/tui/state.ts'
import { groupNews } from '../../src/tui/group-news.ts'
import { spokenLines } from '../../src/tui/spoken.ts'
import { seenMessage } from '../../src/tui/timeline-view.ts'
import { fresh, inbox, message, NOW, run, sidebarText, timeline, type, withBob } from '../tui-state-fixture.ts'

const [CTRL_S, ESC, TAB] = ['\x13', '\x1b', '\t']
const mine = (id: string, text: string, more: Partial<TimelineMessage> = {}): TimelineMessage =>
  message(id, text, { isOwn: true, status: 'stored', ...more })
const both = (): State => withBob(message('a', 'theirs'), mine('b', 'my words'))
const inGroup = (...messages: TimelineMessage[]): State =>
  run(fresh(), inbox(['#ops', 0], ['carol', 0]), timeline('#ops', messages)).state

const about = (topic: string): State => {
  const conversations = inGroup().inbox?.map((entry) =>
    entry.name === '#ops' ? { ...entry, topic: safeText(topic) } : entry,
  )
  return run(inGroup(), { type: 'inbox', conversations: conversations ?? [] }).state
}

type Case = [keys: string, state: State, effects: Effect[], toast?: RegExp]
const cases: Case[] = [
  [`${CTRL_S}e!\r`, both(), [{ type: 'editMessage', id: 'b', text: 'my words!' }]],
  ['/edit\r!\r', both(), [{ type: 'editMessage', id: 'b', text: 'my words!' }]],
  [`${CTRL_S}ke`, both(), [], /Only your own/],
  [`${CTRL_S}dy`, both(), [{ type: 'deleteMessage', id: 'b' }]],
  [`${CTRL_S}dn`, both(), []],
  ...['r', 'e', 'd', 'a', 'y', 'v', 'o', 's'].map(
    (key): Case => [`${CTRL_S}${key}`, withBob(mine('b', '', { isDeleted: true })), [], /^That message is deleted\.$/],
  ),
  ['/reply so be it\r', both(), [{ type: 'send', conversation: 'bob', text: 'so be it', reply: 'a' }]],
  ['/reply\rso be it\r', both(), [{ type: 'send', conversation: 'bob', text: 'so be it', reply: 'a' }]],
  ['/reply\r', withBob(mine('b', 'my words')), [], /no message to answer/],
  ['/open\r', withBob(message('f', '[file a.txt]', { said: safeText('') })), [{ type: 'openFiles', id: 'f' }]],
  ['/open\r', both(), [], /no file here/],
  ['/delete\r\r', both(), [{ type: 'deleteMessage', id: 'b' }]],
  [`${CTRL_S}kd\r`, both(), [{ type: 'deleteMessage', id: 'a' }]],
  [`${CTRL_S}ka\r`, both(), [{ type: 'react', id: 'a', emoji: '👍' }]],
  [`${CTRL_S}karocket\r`, both(), [{ type: 'react', id: 'a', emoji: '🚀' }]],
  [`${CTRL_S}ka🦀\r`, both(), [{ type: 'react', id: 'a', emoji: '🦀' }]],
  ['/react :tada:\r', both(), [{ type: 'react', id: 'a', emoji: '🎉' }]],
  [`/react tad${TAB}\r`, both(), [{ type: 'react', id: 'a', emoji: '🎉' }]],
  ['/react nothing\r', both(), [], /:thumbsup:/],
  [`${CTRL_S}i`, both(), [{ type: 'receipts', id: 'b' }]],
  [`${CTRL_S}ki`, both(), [], /Only who wrote a message is told/],
  ['/create #ops bob carol\r', both(), [{ type: 'createGroup', group: '#ops', users: ['bob', 'carol'] }]],
  ['/create ops\r', both(), [], /begin with #/],
  ['/create #Ops\r', both(), [], /begin with #, then a-z/],
  ['/msg\r', both(), [], /with whom\?/],
  ['/mute\r', fresh(), [], /No conversation is open/],
  ['/verified\r', inGroup(), [{ type: 'compared', group: '#ops' }]],
  ['/verified bob\r', inGroup(), [{ type: 'verified', user: 'bob' }]],
  ['/create #ops Bob!\r', both(), [], /no name/],
  ['/add dan eve\r', inGroup(), [{ type: 'addMembers', group: '#ops', users: ['dan', 'eve'] }]],
  ['/group add dan eve\r', inGroup(), [{ type: 'addMembers', group: '#ops', users: ['dan', 'eve'] }]],
  ['/group dance\r', inGroup(), [], /create, add, remove/],
  ['/add #other dan\r', inGroup(), [{ type: 'addMembers', group: '#other', users: ['dan'] }]],
  ['/add dan\r', both(), [], /Which group/],
  ['/add\r', inGroup(), [], /Who\?/],
  ['/remove dan\r', inGroup(), []],
  ['/remove dan\ry', inGroup(), [{ type: 'removeMembers', group: '#ops', users: ['dan'] }]],
  ['/leave\r\r', inGroup(), [{ type: 'leaveGroup', group: '#ops' }]],
  ['/role dan admin\r', inGroup(), [{ type: 'giveRole', group: '#ops', user: 'dan', role: 'admin' }]],
  ['/role dan king\r', inGroup(), [], /owner or admin or member/],
  ['/rename #new\r', inGroup(), [{ type: 'renameGroup', group: '#ops', newName: '#new' }]],
  ['/topic Deploys on  Thursdays\r', inGroup(), [{ type: 'setTopic', group: '#ops', topic: 'Deploys on  Thursdays' }]],
  ['/topic #other #1 priority\r', inGroup(), [{ type: 'setTopic', group: '#other', topic: '#1 priority' }]],
  ['/group topic #1 priority\r', inGroup(), [{ type: 'setTopic', group: '#ops', topic: '#1 priority' }]],
  ['/topic --clear\r', inGroup(), [{ type: 'setTopic', group: '#ops', topic: '' }]],
  ['/topic\r', inGroup(), [], /#ops has no topic/],
  ['/topic\r', about('Deploys'), [], /^#ops: Deploys$/],
  ['/topic hi\r', both(), [], /Which group/],
  ['/names\r', inGroup(), [{ type: 'members', group: '#ops' }]],
  ['/groups\r', inGroup(), [{ type: 'groups' }]],
  ['/block\r', both(), [{ type: 'block', user: 'bob' }]],
  ['/block\r', inGroup(), [], /Which user\?/],
  ['/revoke d1\r', both(), [{ type: 'askRevoke', device: 'd1' }]],
  ['/revoke\r', both(), [], /which of \/devices/],
]
for (const [keys, state, effects, toast] of cases) {
  test(`typing ${JSON.stringify(keys)} in ${state.current}`, () => {
    const after = type(state, keys)
    assert.equal(after.effects, effects)
    if (toast) assert.match(after.state.toast?.text ?? '', toast)
  })
}

const UP = '\x1b[A'
/** As after sending `words`, stored as message `b`. */
const said = (words = 'my words', more: Partial<TimelineMessage> = {}): State => ({
  ...withBob(message('a', 'theirs'), mine('b', words, more)),
  sent: ['older', 'my words'],
})
const ups: [name: string, keys: string, state: State, text: string, edits: string | undefined][] = [
  ['the last message comes to be edited', UP, said(), 'my words', 'b'],
  ['Up again goes on to what was sent before', UP + UP, said(), 'older', undefined],
  ['and back down', `${UP + UP}\x1b[B`, said(), 'my words', 'b'],
  ['and out', `${UP}\x1b[B`, said(), '', undefined],
  ['Escape ends it, and Up begins anew', UP + ESC, said(), '', undefined],
  ['a message that is another than what was sent last is not edited', UP, said('from my phone'), 'my words', undefined],
  ['one that was refused is sent anew', UP, said('my words', { status: 'refused' }), 'my words', undefined],
  ['one that is deleted too', UP, said('my words', { isDeleted: true }), 'my words', undefined],
  ['an answer is not turned into an edit', `${CTRL_S}kr${UP}`, said(), 'my words', undefined],
]
for (const [name, keys, state, text, edits] of ups) {
  test(`Up: ${name}`, () => {
    const draft = draftOfCurrent(type(state, keys).state)
    assert.equal([draft.text, draft.edits], [text, edits])
  })
}
test('what was sent with `//` comes back as it was typed; its edit takes the text as it is', () => {
  const sent = type(withBob(), '//shrug me\r')
  assert.match(JSON.stringify(sent.effects), /"text":"\/shrug me"/)
  const again = type(sent.state, `${UP}\r`)
  assert.equal([again.effects.at(-1), again.state.toast], [sent.effects.at(-1), undefined])
  const stored = run(sent.state, timeline('bob', [mine('b', '/shrug me')])).state
  const editing = type(stored, UP).state
  assert.equal([draftOfCurrent(editing).text, draftOfCurrent(editing).edits], ['/shrug me', 'b'])
  const edited = type(editing, '!\r')
  assert.equal(edited.effects, [{ type: 'editMessage', id: 'b', text: '/shrug me!' }])
  assert.is(draftOfCurrent(type(edited.state, UP).state).text, '//shrug me!')
})
test('what a command sent is no command when it comes back', () => {
  const sent = type(both(), '/reply /etc/hosts\r')
  const texts = sent.state.sent
  assert.equal(texts, ['//etc/hosts', '/reply /etc/hosts'])
})
test('an edit that Up began is sent as one, and is what Up brings next; an unchanged one is none', () => {
  const edited = type(said(), `${UP}!\r`)
  assert.equal(edited.effects, [{ type: 'editMessage', id: 'b', text: 'my words!' }])
  assert.is(draftOfCurrent(type(edited.state, UP).state).text, 'my words!')
  const same = type(said(), `${UP}\r`)
  assert.equal([same.effects, same.state.toast?.text], [[], 'Nothing was changed.'])
  assert.is(draftOfCurrent(same.state).text, '')
})

test('what was being written is not lost to an edit, and Escape ends it', () => {
  const editing = type(both(), `half a thought${CTRL_S}e`).state
  assert.match(screenText(editing), /This replaces the text of your message/)
  const left = type(editing, ESC).state
  assert.equal([draftOfCurrent(left).text, draftOfCurrent(left).edits], ['', undefined])
  assert.is(draftOfCurrent(type(left, '\x1b[A').state).text, 'half a thought')
})

test('the list says of a newest message that is deleted that it is', () => {
  const last = mine('b', '', { isDeleted: true })
  const conversations = withBob().inbox?.map((entry) => ({ ...entry, last })) ?? []
  const wide = { ...fresh(), size: { columns: 80, rows: 20 } }
  assert.match(sidebarText(run(wide, { type: 'inbox', conversations }).state), /you: \(deleted\)/)
})

test('the question says for whom a message is deleted', () => {
  assert.match(screenText(type(both(), `${CTRL_S}d`).state), /Delete “my words” for everybody\?\nEnter yes · n no/)
  assert.match(
    screenText(type(both(), `${CTRL_S}kd`).state),
    /Delete “theirs” on your devices\? The\sothers\skeep\sit\./,
  )
})

const shown: [name: string, message: TimelineMessage, pattern: RegExp][] = [
  ['edited', mine('m', 'better', { isEdited: true }), /better \(edited\) {2}✓$/m],
  ['deleted', mine('m', '', { isDeleted: true }), /^ {2}\(deleted\)$/m],
  [
    'reactions',
    message('m', 'well', {
      reactions: [
        { emoji: safeText('👍'), count: 3, isOwn: true },
        { emoji: safeText('🎉'), count: 1, isOwn: false },
      ],
    }),
    /well\n {2}👍 3 \(you\) {2}🎉$/m,
  ],
  ['received by some', mine('m', 'hi', { tally: { received: 2, read: 0, of: 8 } }), /hi {2}✓✓ 2\/8$/m],
  ['read by some', mine('m', 'hi', { status: 'received', tally: { received: 8, read: 5, of: 8 } }), /✓✓ read 5\/8$/m],
  ['read by all', mine('m', 'hi', { status: 'read', tally: { received: 8, read: 8, of: 8 } }), /hi {2}✓✓ read$/m],
]
for (const [name, each, pattern] of shown) {
  test(`shown: ${name}`, () => assert.match(screenText(inGroup(each)), pattern))
}

test('a reaction as wide as a letter is cut; a state that changes makes the line anew', () => {
  const long = message('m', 'x', { reactions: [{ emoji: safeText('w'.repeat(300)), count: 1, isOwn: false }] })
  for (const line of screenText(withBob(long)).split('\n')) assert.ok(line.length <= 50, line)
})

test('a group that is renamed is followed, and what was being written with it', () => {
  const writing = type(inGroup(), 'unfinished').state
  const after = run(writing, { type: 'renamed', from: '#ops', to: '#new' }).state
  assert.equal([after.current, draftOfCurrent(after).text], ['#new', 'unfinished'])
  const asked = type(inGroup(message('a', 'hi')), '/leave\r').state
  const still = run(asked, { type: 'renamed', from: '#ops', to: '#new' })
  assert.match(screenText(still.state), /^ #new\n[^]*Leave #ops\?/)
  assert.match(screenText(type(still.state, 'n').state), / {2}hi\n/)
})

test('news of a group name who did what to whom', () => {
  const event = { type: 'group', group: '#ops', version: 2, by: 'bob', change: 'add', user: 'alice', at: '' } as const
  assert.is(groupNews(event, 'alice'), 'bob added you to #ops')
  assert.is(groupNews({ ...event, change: 'role', role: 'admin' }, 'carol'), 'bob made alice admin of #ops')
})

const change = (id: string, options: Partial<HistoryChange>): TimelineMessage =>
  timelineChange(
    {
      type: 'group',
      id,
      conversation: '#ops',
      version: 2,
      by: 'bob',
      change: 'add',
      users: [],
      at: new Date(NOW).toISOString(),
      ...options,
    },
    'alice',
  )

test('a change of the group is a line of its own that names everybody, and counts whom it cannot name', () => {
  const names = Array.from({ length: 15 }, (_, index) => `u${index}`)
  const sentences: [Partial<HistoryChange>, string][] = [
    [{ change: 'create', by: 'alice', users: ['bob', 'carol'], name: '#ops' }, 'you made #ops with bob and carol'],
    [{ change: 'create', name: '#ops' }, 'bob made #ops'],
    [{ users: ['alice'] }, 'bob added you'],
    [{ users: names }, `bob added ${names.slice(0, 12).join(', ')} and 3 more`],
    [{ change: 'remove', users: ['carol'] }, 'bob removed carol'],
    [{ change: 'leave' }, 'bob left'],
    [{ change: 'role', users: ['carol'], role: 'admin' }, 'bob made carol admin'],
    [{ change: 'rename', name: '#new' }, 'bob renamed the group to #new'],
    [{ change: 'topic', topic: 'Deploys\u202e' }, 'bob set the topic: Deploys�'],
    [{ change: 'topic', topic: '' }, 'bob took the topic away'],
  ]
  for (const [options, text] of sentences) assert.is(change('c', options).text, text)
  const screen = screenText(inGroup(message('a', 'hi'), change('c', { users: ['dan'] }), message('b', 'welcome')))
  assert.match(screen, /bob 12:00\n {2}hi\n\n {2}· 12:00 bob added dan\n\nbob 12:00\n {2}welcome\n/)
})

test('the topic stands beside the name of the group, as far as there is room', () => {
  assert.match(screenText(about('Deploys on Thursdays')), /^ #ops {2}Deploys on Thursdays/)
  assert.match(screenText(about('x'.repeat(200))), /^ #ops {2}x{30,}…/)
  const spoken = spokenLines(about('Deploys'), { ...fresh(), inbox: [] })
  assert.equal(spoken.slice(0, 2), ['conversation #ops', 'about: Deploys'])
})

test('nothing is done with a change: the selection passes it by, and what was read is a message', () => {
  const state = inGroup(message('a', 'hi'), message('b', 'ho'), change('c', {}), change('d', {}))
  assert.is(seenMessage(state), 'b')
  assert.is(type(state, CTRL_S).state.selected, 'b')
  const between = inGroup(message('a', 'hi'), change('c', {}), message('b', 'ho'))
  assert.is(type(between, `${CTRL_S}k`).state.selected, 'a')
  assert.is(type(between, `${CTRL_S}kj`).state.selected, 'b')
  assert.equal(type(inGroup(change('c', {})), `${CTRL_S}d`).state.selected, undefined)
})

test.run()
