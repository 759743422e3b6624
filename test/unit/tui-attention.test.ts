// What draws attention, how often, and that no byte of a stranger leaves its place in the sequences of the terminal.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { AttentionLevel, ChatEvent } from '../../src/client/api.ts'
import { safeText } from '../../src/client/safe-text.ts'
import {
  arrivalOf,
  attentionBytes,
  type Notification,
  notificationOf,
  throughTmux,
  wayOf,
} from '../../src/tui/attention.ts'
import { Notifier } from '../../src/tui/notifier.ts'
import { type Conversation, initialState, type State } from '../../src/tui/state.ts'
import { eventually } from '../eventually.ts'
import { systemClock } from '../../src/platform/system.ts'

const conversation = (name: string, level: AttentionLevel): Conversation => {
  const nothing = {
    unread: 0,
    firstUnread: undefined,
    activeAtMs: 0,
    mentions: 0,
    isMarked: false,
    last: undefined,
  } as const
  return { name, title: safeText(name), level, ...nothing }
}
const away: State = {
  ...initialState({ user: 'alice', profile: 'default', notices: [], size: { columns: 80, rows: 24 }, nowMs: 0 }),
  isFocused: false,
  inbox: [conversation('eve', 'none')],
}
const message = (from: string, text: string, conversation = from): ChatEvent => ({
  type: 'message',
  id: 'm',
  conversation,
  from,
  to: 'alice',
  at: '2026-11-23T12:00:00.000Z',
  text,
  attachments: [],
  position: 1,
})

const cases: [name: string, state: State, event: ChatEvent, isTold: boolean][] = [
  ['a direct message', away, message('bob', 'hi'), true],
  ['while it is looked at', { ...away, isFocused: true }, message('bob', 'hi'), false],
  ['of a muted conversation', away, message('eve', 'hi'), false],
  ['one’s own, from another device', away, message('alice', 'hi', 'bob'), false],
  ['of a group', away, message('bob', 'hi', '#ops'), false],
  ['of a group that names one', away, message('bob', 'hi @alice.', '#ops'), true],
  [
    'of a group that is wholly heard',
    { ...away, inbox: [conversation('#ops', 'all')] },
    message('bob', 'hi', '#ops'),
    true,
  ],
  ['a receipt', away, { type: 'receipt', id: 'm', user: 'bob', status: 'read', at: '', position: 1 }, false],
]
for (const [name, state, event, isTold] of cases) {
  test(`attention: ${name}`, () => assert.is(arrivalOf(state, event) !== undefined, isTold))
}

const assertInside = (bytes: string, begin: string, end: string): void => {
  assert.ok(bytes.startsWith(begin) && bytes.endsWith(end), JSON.stringify(bytes))
  assert.match(bytes.slice(begin.length, -end.length), /^\P{Cc}+$/u)
}

test('hostile text stays inside its sequence, in tmux too', () => {
  const arrival = arrivalOf(away, message('b;o\x1b\\b', 'x\x07\x1b]0;owned\x07\x9c\ny'))
  const notification = notificationOf(arrival ? [arrival] : [])
  for (const way of ['osc9', 'osc777'] as const) {
    const bytes = attentionBytes(notification, way, { tmux: false })
    assertInside(bytes, '\x07\x1b]', '\x07')
    const wrapped = attentionBytes(notification, way, { tmux: true })
    assertInside(wrapped, '\x07\x1bPtmux;\x1b\x1b]', '\x07\x1b\\')
  }
  assert.is(attentionBytes(notification, 'osc777', { tmux: false }).split(';').length, 4 + 1)
  assert.is(attentionBytes(notification, 'bell', { tmux: true }), '\x07')
  assert.is(attentionBytes(notification, 'none', { tmux: false }), '')
  assert.is(throughTmux('\x1b]x'), '\x1bPtmux;\x1b\x1b]x\x1b\\')
})

const ways: [env: Record<string, string>, way: string][] = [
  [{ TERM: 'xterm-256color' }, 'osc777'],
  [{ TERM: 'tmux-256color', KITTY_WINDOW_ID: '1' }, 'osc9'],
  [{ TERM: 'xterm', TERM_PROGRAM: 'iTerm.app' }, 'osc9'],
  [{ TERM: 'linux' }, 'bell'],
  [{ TERM: 'dumb', KITTY_WINDOW_ID: '1' }, 'bell'],
]
for (const [env, way] of ways) {
  test(`a terminal with ${JSON.stringify(env)} is told by ${way}`, () => {
    assert.is(wayOf('auto', env), way)
    assert.is(wayOf('none', env), 'none')
  })
}

test('a burst is one notification with a count', async () => {
  const ending = new AbortController()
  const told: Notification[] = []
  const notifier = new Notifier({ clock: systemClock, signal: ending.signal, notify: (one) => told.push(one) })
  for (const from of ['bob', 'bob', 'carol', 'dan', 'eve']) notifier.add({ from: safeText(from), text: safeText('hi') })
  await eventually(() => told.length > 0)
  ending.abort()
  assert.equal(told, [{ title: 'bob, carol, dan and 1 more', body: '5 messages' }])
})

test.run()
