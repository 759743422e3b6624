// Selecting a message, answering it, copying it, and going to what it answers: tables of keys, read from state, effects and screen.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { safeText } from '../../src/client/safe-text.ts'
import { clipboardBytes } from '../../src/tui/clipboard.ts'
import { createInputDecoder } from '../../src/tui/input.ts'
import type { TimelineMessage } from '../../src/tui/messages.ts'
import { type Action, reduce } from '../../src/tui/reduce.ts'
import { screenText } from '../../src/tui/screen-view.ts'
import { draftOfCurrent, type Effect, initialState, type State } from '../../src/tui/state.ts'

const NOW = new Date(2026, 10, 23, 12, 0).getTime()
const [CTRL_S, UP, DOWN, ESC] = ['\x13', '\x1b[A', '\x1b[B', '\x1b']

const run = (state: State, ...actions: Action[]): { state: State; effects: Effect[] } => {
  const effects: Effect[] = []
  for (const action of actions) {
    const next = reduce(state, action)
    state = next.state
    effects.push(...next.effects)
  }
  return { state, effects }
}
const type = (state: State, keys: string) => {
  const decoder = createInputDecoder()
  return run(state, ...decoder.push(keys), ...decoder.flush())
}
const message = (id: string, text: string, options: Partial<TimelineMessage> = {}): TimelineMessage => ({
  id,
  from: safeText(options.isOwn ? 'alice' : 'bob'),
  isOwn: false,
  atMs: NOW,
  text: safeText(text),
  status: 'read',
  ...options,
})
const begun = (messages: TimelineMessage[], hasStart = true): State => {
  const size = { columns: 50, rows: 16 }
  const state = initialState({ user: 'alice', profile: 'default', notices: [], size, nowMs: NOW })
  const conversations = ['bob', 'carol'].map((name) => {
    return {
      name,
      title: safeText(name),
      unread: 0,
      firstUnread: undefined,
      activeAtMs: 0,
      mentions: 0,
      isMarked: false,
      level: 'all' as const,
      last: undefined,
    }
  })
  const timeline: Action = { type: 'timeline', conversation: 'bob', messages, gaps: [], hasStart }
  return run(state, { type: 'inbox', conversations }, timeline).state
}
const three = (): State => begun([message('a', 'one'), message('b', 'two', { isOwn: true }), message('c', 'three')])

const cases: [keys: string, effects: Effect[], selected: string | undefined, draft: string][] = [
  [CTRL_S, [], 'c', ''],
  [CTRL_S + UP, [], 'b', ''],
  [`${CTRL_S}kk`, [], 'a', ''],
  [CTRL_S + UP.repeat(9), [], 'a', ''],
  [CTRL_S + UP + DOWN, [], 'c', ''],
  [CTRL_S + DOWN, [], undefined, ''],
  [CTRL_S + ESC, [], undefined, ''],
  [`${CTRL_S}y`, [{ type: 'copy', text: safeText('three') }], undefined, ''],
  [`${CTRL_S}r`, [], undefined, ''],
  [`${CTRL_S}rrest`, [], undefined, 'rest'],
  [`${CTRL_S}hello`, [], undefined, 'hello'],
  [`${CTRL_S + UP}rok\r`, [{ type: 'send', conversation: 'bob', text: 'ok', reply: 'b' }], undefined, ''],
  [`${CTRL_S}r${ESC}`, [], undefined, ''],
  [`${CTRL_S}\r`, [], undefined, ''],
]
for (const [keys, effects, selected, draft] of cases) {
  test(`keys ${JSON.stringify(keys)}`, () => {
    const after = type(three(), keys)
    assert.equal(after.effects, effects)
    assert.is(after.state.selected, selected)
    assert.is(draftOfCurrent(after.state).text, draft)
  })
}

test('the selected message is marked without moving a line, and the keys are told', () => {
  const text = screenText(type(three(), CTRL_S).state)
  assert.match(text, /▸ three/)
  assert.match(text, /r reply · e edit · d delete · a react · y copy/)
  assert.is(
    text.replace('▸ three', '  three').split('\n').indexOf('  three'),
    screenText(three()).split('\n').indexOf('  three') - 1,
  )
})

test('a reply is told above the input, kept with the draft, and sent once', () => {
  const replying = type(three(), `${CTRL_S}rlater`).state
  assert.match(screenText(replying), /↳ reply to bob \(Esc: not\): three\n> later/)
  const back = type(type(replying, '\x0e').state, '\x10').state
  assert.is(draftOfCurrent(back).reply?.id, 'c')
  const walked = type(type(back, '\x15/mute\r').state, '\x1b[A\x15yes\r')
  assert.equal(walked.effects, [{ type: 'send', conversation: 'bob', text: 'yes', reply: 'c' }])
  assert.equal(type(walked.state, 'more\r').effects, [{ type: 'send', conversation: 'bob', text: 'more' }])
  assert.is(draftOfCurrent(type(replying, ESC).state).reply, undefined)
  assert.is(draftOfCurrent(type(replying, ESC).state).text, 'later')
  assert.is(draftOfCurrent(type(replying, '\x03').state).reply, undefined)
})

test('an answer shows what it answers, in one line, and Enter goes there', () => {
  const long = message('a', `first line\n${'w'.repeat(100)}`)
  const state = begun([long, message('b', 'yes', { reply: 'a' }), message('c', 'no', { reply: 'gone' })])
  assert.match(screenText(state), /\n {2}↳ bob: first line w+…\n {2}yes\n {2}↳ a message further up\n {2}no/)
  assert.equal(type(state, `${CTRL_S}\r`).effects, [{ type: 'jump', conversation: 'bob', id: 'gone' }])
  const shown = run(type(state, `${CTRL_S + UP}\r`).state, {
    type: 'show',
    conversation: 'bob',
    id: 'a',
    words: 'found',
  }).state
  assert.is(shown.rule?.words, 'found')
})

test('selecting walks out of the view, and asks for older messages', () => {
  const messages = Array.from({ length: 80 }, (_, index) => message(`m${index}`, `text ${index}`))
  const up = type(begun(messages, false), CTRL_S + UP.repeat(40))
  assert.match(screenText(up.state), /▸ text 39\n/)
  assert.equal(up.effects[0], { type: 'loadOlder' })
  const down = type(up.state, DOWN.repeat(20)).state
  assert.match(screenText(down), /▸ text 59\n/)
  const end = type(down, DOWN.repeat(30)).state
  assert.is(end.selected, undefined)
  assert.is(end.anchor, undefined)
})

test('what was not sent cannot be answered; an empty conversation has nothing to select', () => {
  const failed = begun([message('a', 'one', { isOwn: true, status: 'refused' })])
  assert.match(type(failed, `${CTRL_S}r`).state.toast?.text ?? '', /was not sent/)
  assert.match(type(begun([]), CTRL_S).state.toast?.text ?? '', /no message/)
})

test('/msg to somebody keeps the draft that waits there', () => {
  const waiting = type(type(three(), '\x0edraft for carol').state, '\x10').state
  const sent = type(waiting, '/msg carol hi\r')
  assert.equal(sent.effects, [{ type: 'send', conversation: 'carol', text: 'hi' }])
  assert.is(draftOfCurrent(sent.state).text, 'draft for carol')
})

test('the clipboard gets exactly the text, in tmux by both ways, and nothing that is too long', () => {
  const text = safeText('a\nb é')
  const plain = `\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`
  assert.is(clipboardBytes(text, { tmux: false }), plain)
  assert.is(clipboardBytes(text, { tmux: true }), `${plain}\x1bPtmux;\x1b${plain}\x1b\\`)
  assert.is(clipboardBytes(safeText('x'.repeat(60_000)), { tmux: false }), undefined)
})

test.run()
