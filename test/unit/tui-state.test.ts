// The reducer: tables of what keys, commands and news lead to, read from the state, the effects and the screen as text.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { safeText } from '../../src/client/safe-text.ts'
import { connectionOf } from '../../src/tui/loading.ts'
import { widthOf } from '../../src/tui/cells.ts'
import type { TimelineMessage } from '../../src/tui/messages.ts'
import type { Action } from '../../src/tui/reduce.ts'
import { screenText } from '../../src/tui/screen-view.ts'
import { distance, nearestCommand } from '../../src/tui/slash-commands.ts'
import { spokenLines } from '../../src/tui/spoken.ts'
import { type Connection, draftOfCurrent, type Effect, type State } from '../../src/tui/state.ts'
import { connectionText } from '../../src/tui/status-view.ts'
import { countBelow, seenMessage } from '../../src/tui/timeline-view.ts'
import {
  fresh,
  inbox,
  many,
  message,
  MINUTE,
  NOW,
  run,
  sidebarText,
  timeline,
  type,
  withBob,
} from '../tui-state-fixture.ts'

const connection: Connection = {
  state: 'online',
  gateway: undefined,
  retryInMs: undefined,
  queued: 0,
  isComplete: true,
  lagMs: 3,
  problem: undefined,
  transfers: undefined,
}
test('text and Enter in one chunk is sent, and the input is empty again', () => {
  const { state, effects } = type(withBob(), 'hello\r')
  assert.equal(effects, [{ type: 'send', conversation: 'bob', text: 'hello' }])
  assert.is(draftOfCurrent(state).text, '')
})

const commands: [typed: string, effects: Effect[], toast?: RegExp][] = [
  ['//etc/hosts\r', [{ type: 'send', conversation: 'bob', text: '/etc/hosts' }]],
  ['/search two words\r', [{ type: 'search', words: 'two words' }]],
  ['/block\r', [{ type: 'block', user: 'bob' }]],
  ['/unblock eve\r', [{ type: 'unblock', user: 'eve' }]],
  ['/verify\r', [{ type: 'verify', user: 'bob' }]],
  ['/devices\r', [{ type: 'devices' }]],
  ['/mute\r', [{ type: 'setLevel', conversation: 'bob', level: 'none' }]],
  ['/unmute Bob!\r', [], /no name/],
  ['/link ABC\r', [{ type: 'link', code: 'ABC' }]],
  ['/QUIT\r', [{ type: 'quit' }]],
  ['/msg dan hi\nthere\r', [{ type: 'send', conversation: 'dan', text: 'hi\nthere' }]],
  ['/link\r', [], /code/],
  ['/msg Bob!\r', [], /no name/],
  ['/serach x\r', [], /did you mean \/search/],
  ['/etc/passwd is broken\r', [], /There is no \/etc\/passwd/],
  ['   \r', []],
  ['\x1b[200~one\r two \r \r\x1b[201~\r', [{ type: 'send', conversation: 'bob', text: 'one\n two' }]],
  ['one \r', [{ type: 'send', conversation: 'bob', text: 'one ' }]],
  ['\x03', [], /again quits/],
  ['\x03\x03', [{ type: 'quit' }]],
  ['\x03x\x03\x03', [], /again quits/],
]
for (const [typed, effects, toast] of commands) {
  test(`typing ${JSON.stringify(typed)}`, () => {
    const after = type(withBob(), typed)
    assert.equal(after.effects, effects)
    if (toast) assert.match(after.state.toast?.text ?? '', toast)
    // What was not understood stays to be mended.
    if (toast && typed.startsWith('/')) assert.is(`${draftOfCurrent(after.state).text}\r`, typed)
  })
}

test('the nearest command', () => {
  assert.is(distance('serach', 'search'), 1)
  assert.is(nearestCommand('hlep')?.name, 'help')
  assert.is(nearestCommand('dev')?.name, 'devices')
  assert.is(nearestCommand('xyzzyxyzzy'), undefined)
})

const hints: [typed: string, hint: string | undefined][] = [
  ['/', '/msg /search'],
  ['/dev', '/devices: your devices'],
  ['/search some', '/search WORDS: search all'],
  ['//', undefined],
  ['text', undefined],
  ['/nothing', undefined],
]
for (const [typed, hint] of hints) {
  test(`a command that is typed is explained: ${typed}`, () => {
    const { state } = type(withBob(), typed)
    assert.is(state.hint?.slice(0, hint?.length), hint)
    if (hint !== undefined) assert.ok(screenText(state).includes(hint))
  })
}

test('Alt-S goes back, Ctrl-R begins a search, Tab completes', () => {
  const carol = type(withBob(), '\x0e').state
  assert.is(type(carol, '\x1bs').state.current, 'bob')
  const searching = type(withBob(), 'half a thought\x12\x12').state
  assert.is(draftOfCurrent(searching).text, '/search ')
  assert.is(draftOfCurrent(type(searching, 'thought\r\x1b[A').state).text, 'half a thought')
  assert.is(draftOfCurrent(type(withBob(), '/dev\t').state).text, '/devices ')
})

test('who comes back to the terminal finds it at the first unread message', () => {
  const away = run(withBob(...many(3)), { type: 'focus', isFocused: false }).state
  const news = Array.from({ length: 30 }, (_, index) => message(`n${index}`, `news ${index}`))
  const arrived = run(away, timeline('bob', [...many(3), ...news]), inbox(['bob', 30])).state
  assert.match(screenText(arrived), /news 29/)
  const back = run(arrived, { type: 'focus', isFocused: true }).state
  assert.match(screenText(back).split('\n')[1] ?? '', /unread/)
  assert.match(screenText(back), /news 0\n/)
  const read = run(back, inbox(['bob', 0]), { type: 'focus', isFocused: false }).state
  assert.is(read.rule?.before, undefined)
})

test('a device that no gateway takes any more is told so, not that it reconnects', () => {
  const report = { gateway: null, retryInMs: 9_000, queued: 1, complete: true, lagMs: null, problem: 'revoked' }
  const denied = { code: 'AUTH_REVOKED', message: 'This device was revoked' } as const
  const shown = connectionOf({ ...report, state: 'waiting', denied }, [])
  assert.is(connectionText(shown), 'refused for good: This device was revoked · queued 1')
  const { state } = run(fresh(), { type: 'connection', connection: shown })
  assert.ok(spokenLines(state, fresh()).includes(safeText('refused for good: This device was revoked')))
})

test('a narrow header keeps the name of what is open', () => {
  const noticed = { ...withBob(), notices: [safeText('read me')], showsNotices: true }
  const header = (columns: number): string =>
    screenText(run(noticed, { type: 'resized', columns, rows: 10 }).state).split('\n')[0] ?? ''
  assert.match(header(60), /^ bob +Esc hides the notice · 2 unread elsewhere$/)
  assert.match(header(40), /^ bob +Esc hides the notice · 2 unread \S*…$/)
  assert.match(header(20), /^ bob +Esc hides .*…$/)
  assert.match(header(4), /^ b…/)
})

test('files move while there is a gateway, and wait for one', () => {
  const report = { gateway: null, retryInMs: null, queued: 1, complete: true, lagMs: null, problem: null }
  const file = { message: 'm', to: 'bob', name: 'sun.png', size: 200, sent: 50 }
  const text = (state: 'online' | 'waiting', isPrepared: boolean) =>
    connectionOf({ ...report, state }, [{ ...file, isPrepared }]).transfers
  assert.is(text('online', true), 'sending sun.png 25 %')
  assert.is(text('online', false), 'reading sun.png 25 %')
  assert.is(text('waiting', false), 'sun.png waits')
})

test('the same news twice changes nothing', () => {
  const state = run(fresh(), { type: 'connection', connection }).state
  assert.is(run(state, { type: 'connection', connection: { ...connection } }).state, state)
})

test('Ctrl-C clears the input first, then asks once', () => {
  const cleared = type(withBob(), 'draft\x03')
  assert.equal(cleared.effects, [])
  assert.is(draftOfCurrent(cleared.state).text, '')
  assert.is(cleared.state.isQuitArmed, false)
  assert.is(draftOfCurrent(type(cleared.state, '\x1b[A').state).text, 'draft')
  // It may have been a secret: what is kept on disk (memory.ts) does not have it.
  assert.not(cleared.state.sent.includes('draft'))
  assert.is(type(cleared.state, 'sent\r').state.cleared, undefined)
})

test('drafts belong to conversations', () => {
  const typed = type(withBob(), 'for bob').state
  const other = type(typed, '\x0e').state
  assert.is(other.current, 'carol')
  assert.is(draftOfCurrent(other).text, '')
  assert.is(draftOfCurrent(type(other, '\x10').state).text, 'for bob')
})

test('what was typed before a conversation was open goes into the first', () => {
  const typed = type(run(fresh(), inbox()).state, 'hello\r')
  assert.equal(typed.effects, [])
  assert.match(typed.state.toast?.text ?? '', /\/msg NAME/)
  assert.is(draftOfCurrent(run(typed.state, inbox(['bob', 0])).state).text, 'hello')
})

test('keys of navigation: next, previous, next unread, the switcher', () => {
  assert.is(type(withBob(), '\x10').state.current, 'dan')
  assert.is(type(withBob(), '\x1ba').state.current, 'carol')
  assert.is(type(withBob(), '\x0bdn\r').state.current, 'dan')
  assert.is(type(withBob(), '\x0bnewone\r').state.current, 'newone')
  assert.equal(type(withBob(), '\x0b/quit\r').effects, [{ type: 'quit' }])
  assert.is(draftOfCurrent(type(withBob(), '\x0b/sea\r').state).text, '/search ')
  assert.is(type(withBob(), '\x0bdan\x1b').state.current, 'bob')
})

test('the switcher: people of the open conversation, and a command that is begun before the name of a stranger', () => {
  const spoken = withBob(message('a', 'hi', { from: safeText('clara') }))
  assert.is(type(spoken, '\x0bcla\r').state.current, 'clara')
  assert.equal(type(spoken, '\x0bclu\r').effects, [{ type: 'cluster' }])
  assert.is(type(spoken, '\x0bclu\x0e\r').state.current, 'clu')
  assert.is(type(spoken, '\x0bwhoever\r').state.current, 'whoever')
})

test('a muted conversation is passed by and marked', () => {
  const wide = run(withBob(), { type: 'resized', columns: 80, rows: 20 }).state
  assert.equal(type(wide, '/mute carol\r').effects, [{ type: 'setLevel', conversation: 'carol', level: 'none' }])
  assert.equal(type(wide, '/unmute\r').effects, [{ type: 'setLevel', conversation: 'bob', level: undefined }])
  const conversations = wide.inbox?.map((each) => (each.name === 'carol' ? { ...each, level: 'none' as const } : each))
  const muted = run(wide, { type: 'inbox', conversations: conversations ?? [] }).state
  assert.match(type(muted, '\x1ba').state.toast?.text ?? '', /Nothing else is unread/)
  assert.not.match(screenText(muted), /unread elsewhere/)
  assert.match(sidebarText(muted), /carol +muted 2/)
})

test('of a blocked user it is said that this is so, and not whether they are there', () => {
  const live = { type: 'presence', user: 'bob', state: 'online', lastSeen: null } as const
  const online = run(withBob(), { type: 'resized', columns: 80, rows: 20 }, { type: 'live', event: live }).state
  assert.match(screenText(online), /^ bob {2}online/)
  assert.match(sidebarText(online), /bob ●/)
  const conversations = online.inbox?.map((each) =>
    each.name === 'bob' ? { ...each, isBlocked: true as const } : each,
  )
  const blocked = run(online, { type: 'inbox', conversations: conversations ?? [] }).state
  assert.match(screenText(blocked), /^ bob {2}blocked; \/unblock undoes it/)
  assert.match(sidebarText(blocked), /bob +blocked/)
  assert.not.match(sidebarText(blocked), /●/)
})

test('without a connection nobody is said to be there', () => {
  const live = { type: 'presence', user: 'bob', state: 'online', lastSeen: null } as const
  const online = run(withBob(), { type: 'resized', columns: 80, rows: 20 }, { type: 'live', event: live }).state
  const said = (state: Connection['state']): string[] => {
    const lost = run(online, { type: 'connection', connection: { ...connection, state } }).state
    return [screenText(lost).split('\n')[0]?.trim() ?? '', /bob ●/.exec(sidebarText(lost))?.[0] ?? '']
  }
  assert.match(said('online')[0] ?? '', /^bob  online /)
  assert.is(said('online')[1], 'bob ●')
  for (const state of ['waiting', 'connecting', 'closed'] as const) {
    const [header, list] = said(state)
    assert.match(header ?? '', /^bob +2 unread/)
    assert.is(list, '')
  }
})

const four = 'a\nb\nc\nd\n'
const pastes: [name: string, actions: Action[], draft: string, isAsked: boolean][] = [
  ['three lines', [{ type: 'paste', text: 'a\nb\nc\n' }], '>a\nb\nc\n', false],
  ['four lines', [{ type: 'paste', text: four }], '>', true],
  [
    'four lines, Enter',
    [
      { type: 'paste', text: four },
      { type: 'key', key: 'enter' },
    ],
    `>${four}`,
    false,
  ],
  [
    'four lines, y',
    [
      { type: 'paste', text: four },
      { type: 'text', text: 'y' },
    ],
    `>${four}`,
    false,
  ],
  [
    'four lines, Esc',
    [
      { type: 'paste', text: four },
      { type: 'key', key: 'escape' },
    ],
    '>',
    false,
  ],
  [
    'four lines, n',
    [
      { type: 'paste', text: four },
      { type: 'text', text: 'n' },
    ],
    '>',
    false,
  ],
  [
    'four lines, something else',
    [
      { type: 'paste', text: four },
      { type: 'text', text: 'x' },
    ],
    '>',
    true,
  ],
  [
    'twice, Enter',
    [
      { type: 'paste', text: four },
      { type: 'paste', text: 'e' },
      { type: 'key', key: 'enter' },
    ],
    `>${four}e`,
    false,
  ],
]
for (const [name, actions, draft, isAsked] of pastes) {
  test(`a paste of ${name}`, () => {
    const { state, effects } = run(type(withBob(), '>').state, ...actions)
    assert.is(draftOfCurrent(state).text, draft)
    assert.is(state.overlay?.kind === 'paste', isAsked)
    assert.equal(effects, [])
    if (isAsked) assert.match(screenText(state), /Paste \d lines, \d+ B\? Enter into the message[^]*\nd\n/)
  })
}

test('Alt-K asks for the editor; what it leaves is the draft of that conversation, wherever one is by then', () => {
  const asked = type(withBob(), 'text\x1bk')
  assert.equal(asked.effects, [{ type: 'edit', conversation: 'bob', text: 'text' }])
  const other = type(asked.state, '\x0e').state
  const edited = run(other, { type: 'edited', conversation: 'bob', text: 'more text' }).state
  assert.is(draftOfCurrent(edited).text, '')
  assert.is(draftOfCurrent(type(edited, '\x10').state).text, 'more text')
})

test('? helps on an empty input only; what is typed over the help is kept', () => {
  assert.is(type(withBob(), '?').state.overlay?.kind, 'help')
  assert.is(type(withBob(), '??').state.overlay, undefined)
  assert.is(draftOfCurrent(type(withBob(), 'why?').state).text, 'why?')
  assert.is(draftOfCurrent(type(withBob(), '?\x1b').state).text, '')
  assert.is(draftOfCurrent(type(type(withBob(), '?').state, 'text').state).text, 'text')
})

test('the history of what was sent gives the left draft back', () => {
  const sent = type(type(withBob(), 'one\r').state, 'two\r').state
  const up = (count: number): State => type(type(sent, 'left').state, '\x1b[A'.repeat(count)).state
  assert.is(draftOfCurrent(up(1)).text, 'two')
  assert.is(draftOfCurrent(up(2)).text, 'one')
  assert.is(draftOfCurrent(up(5)).text, 'one')
  assert.is(draftOfCurrent(type(up(2), '\x1b[B\x1b[B').state).text, 'left')
})

test('unread messages are opened at the rule, and only what is seen counts as seen', () => {
  const messages = many(60).map((entry, index) => (index < 20 ? { ...entry, status: 'read' as const } : entry))
  const state = run(fresh(), inbox(['bob', 40]), timeline('bob', messages)).state
  assert.is(state.rule?.before, 'm20')
  assert.match(screenText(state).split('\n')[1] ?? '', /── unread ─/)
  assert.ok(countBelow(state) > 20)
  const seen = seenMessage(state)
  assert.ok(seen !== undefined && seen !== 'm59')
  const end = type(state, '\x1b[1;3F').state
  assert.is(seenMessage(end), 'm59')
  assert.is(seenMessage(run(end, { type: 'focus', isFocused: false }).state), undefined)
  assert.is(seenMessage(type(end, '?').state), undefined)
})

test('what arrives while the terminal is not looked at begins under a rule', () => {
  const away = run(withBob(...many(3)), { type: 'focus', isFocused: false }).state
  const after = run(away, timeline('bob', [...many(3), message('new', 'hi')])).state
  assert.is(after.rule?.before, 'new')
  assert.is(type(after, 'ok\r').state.rule?.before, undefined)
  assert.is(run(withBob(...many(3)), timeline('bob', [...many(3), message('new', 'hi')])).state.rule?.before, undefined)
})

test('scrolled up, the view stays while messages arrive, and says how many are below', () => {
  const up = type(withBob(...many(60)), '\x1b[5~').state
  const shown = screenText(up).split('\n').slice(1, -2)
  const after = run(up, timeline('bob', [...many(60), message('new', 'news')])).state
  assert.equal(screenText(after).split('\n').slice(1, -2), shown)
  assert.is(countBelow(after), countBelow(up) + 1)
  assert.is(type(after, '\x1b[6~\x1b[6~').state.anchor, undefined)
})

test('older messages are asked for near the beginning of what is loaded, once', () => {
  const unfinished = { ...timeline('bob', many(30)), hasStart: false } as Action
  const state = run(fresh(), inbox(['bob', 0]), unfinished).state
  const up = type(state, '\x1b[5~')
  assert.equal(up.effects, [{ type: 'loadOlder' }])
  const loading = run(up.state, { type: 'loading', isLoading: true }).state
  assert.equal(type(loading, '\x1b[5~').effects, [])
})

const states: [status: TimelineMessage['status'], shown: RegExp][] = [
  ['sending', /hi {2}…$/m],
  ['queued', /hi {2}… queued$/m],
  ['stored', /hi {2}✓$/m],
  ['received', /hi {2}✓✓$/m],
  ['read', /hi {2}✓✓ read$/m],
  ['refused', /hi {2}! refused\n {2}no such user$/m],
]
for (const [status, shown] of states) {
  test(`an own message that is ${status} says so`, () => {
    const own = message('a', 'hi', { isOwn: true, status, problem: safeText('no such user') })
    assert.match(screenText(withBob(own)), shown)
  })
}

test('a message is on the screen before the library has it, once', () => {
  const own = message('id', 'mine', { isOwn: true, status: 'sending' })
  const sending = run(withBob(), { type: 'pending', pending: { conversation: 'bob', message: own } }).state
  assert.match(screenText(sending), /mine {2}…/)
  const stored = run(sending, timeline('bob', [{ ...own, status: 'stored' }])).state
  assert.is(screenText(stored).match(/mine/g)?.length, 1)
  assert.match(screenText(stored), /mine {2}✓/)
  const failed = run(sending, {
    type: 'sendFailed',
    id: 'id',
    problem: safeText('There is no user of that name'),
  }).state
  assert.match(screenText(failed), /! not sent\n {2}There is no user of that name\n {2}Up: the text again/)
  assert.not.match(screenText(type(failed, '\x1b').state), /^ +mine/m)
})

test('Escape removes what was not sent one by one, the newest first, of this conversation, and nothing that is not on the screen', () => {
  const unsent = (id: string, conversation = 'bob'): Action => ({
    type: 'pending',
    pending: { conversation, message: message(id, `text ${id}`, { isOwn: true, status: 'failed' }) },
  })
  const { state } = run(withBob(...many(30)), unsent('one'), unsent('two'), unsent('other', 'carol'))
  const left = (now: State): string[] => now.pending.map(({ message: { id } }) => id)
  assert.match(screenText(state), /text one[^]*Esc: remove \(newest first\)[^]*text two/)
  const once = type(state, '\x1b').state
  assert.equal([left(once), once.toast?.text], [['one', 'other'], 'Removed: “text two”'])
  const twice = type(once, '\x1b').state
  assert.equal(left(twice), ['other'])
  assert.is(type(twice, '\x1b').state.pending, twice.pending)
  const up = type(state, '\x1b[5~').state
  const back = type(up, '\x1b').state
  assert.equal([left(back), back.anchor], [['one', 'two', 'other'], undefined])
})

test('a refused message says how its text comes back, also where the reason is not known', () => {
  const refused = message('id', 'mine', { isOwn: true, status: 'refused' })
  assert.match(screenText(withBob(refused)), /! refused\n {2}Up: the text again/)
})

test('a screen that has grown shows what was below, as far as there is room, and hangs where it was again when it shrinks', () => {
  const scrolled = type(withBob(...many(30)), '\x1b[5~\x1b[5~\x1b[5~').state
  assert.match(screenText(scrolled), /below ↓/)
  const tall = run(scrolled, { type: 'resized', columns: 50, rows: 60 }).state
  assert.match(screenText(tall), /text 0\n[^]*text 29\n/)
  assert.not.match(screenText(tall), /below/)
  const middle = run(scrolled, { type: 'resized', columns: 50, rows: 24 }).state
  assert.match(screenText(middle).split('\n')[1] ?? '', /Today/)
  assert.match(screenText(middle), /text 0\n[^]*text 18\n/)
  assert.is(screenText(run(tall, { type: 'resized', columns: 50, rows: 16 }).state), screenText(scrolled))
})

test('days, senders and gaps are separated', () => {
  const state = run(fresh(), inbox(['bob', 0]), {
    type: 'timeline',
    conversation: 'bob',
    messages: [
      message('a', 'old', { atMs: NOW - 24 * 60 * MINUTE }),
      message('b', 'first'),
      message('c', 'grouped', { atMs: NOW + MINUTE }),
      message('d', 'later', { atMs: NOW + 20 * MINUTE }),
    ],
    gaps: [{ before: 'd', device: safeText('phone'), count: 2 }],
    hasStart: true,
  }).state
  const text = screenText(state)
  assert.match(text, /Yesterday/)
  assert.match(text, /Today ─*\nbob 12:00\n {2}first\n {2}grouped\n── 2 messages of device phone missing/)
})

test('nothing is silently empty', () => {
  assert.match(screenText(fresh()), /Reading your conversations/)
  assert.match(screenText(run(fresh(), inbox()).state), /\/msg NAME/)
  assert.match(screenText(run(fresh(), inbox(['bob', 0])).state), /Reading this conversation/)
  assert.match(screenText(withBob()), /Nothing has been said here yet/)
})

const connections: [change: Partial<Connection>, text: string][] = [
  [{}, 'online 3 ms'],
  [{ isComplete: false }, 'online 3 ms · incomplete: too few stores answer'],
  [{ state: 'connecting', queued: 2 }, 'connecting … · queued 2'],
  [
    { state: 'waiting', retryInMs: 2_100, queued: 1, problem: safeText('refused') },
    'offline, reconnecting in 3 s · queued 1 · refused',
  ],
]
for (const [change, text] of connections) {
  test(`connection: ${text}`, () => assert.is(connectionText({ ...connection, ...change }), text))
}

test('every size is filled exactly: no row too many, no line too wide', () => {
  const hostile = message('h', `\x1b[2J${'w'.repeat(200)} 你好 👨‍👩‍👧‍👦`)
  for (const [columns, rows] of [
    [20, 5],
    [40, 10],
    [59, 24],
    [80, 24],
    [200, 50],
  ] as const) {
    const resized = run(withBob(...many(50), hostile), { type: 'resized', columns, rows }).state
    for (const keys of ['', 'a\nb\nc\nd\ne\nf', '?', '\x0b', '/nope\r']) {
      const lines = screenText(type(resized, keys).state).split('\n')
      assert.ok(lines.length <= rows, `${columns}x${rows} ${JSON.stringify(keys)}: ${lines.length} rows`)
      for (const line of lines) assert.ok(widthOf(safeText(line)) <= columns, line)
    }
  }
})

test('Escape and a command that come in one piece: the overlay is left, and the command is not sent as a message', () => {
  const state = type(withBob(message('1', 'hi')), '?').state
  const after = type(state, '\x1b/names').state
  assert.equal([after.overlay, draftOfCurrent(after).text], [undefined, '/names'])
  assert.equal(type(state, '\x1bx').state, state)
})

test.run()
