// What was asked for and comes late: it opens, unless somebody writes meanwhile or answers something else.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { safeText } from '../../src/client/safe-text.ts'
import { draftOfCurrent } from '../../src/tui/state.ts'
import type { Action } from '../../src/tui/reduce.ts'
import { message, run, type, withBob } from '../tui-state-fixture.ts'

const list: Action = { type: 'list', title: 'Your devices', rows: [] }
const open: Action = { type: 'open', conversation: '#ops' }

test('it opens over an input that is as it was, also over one in which something stands', () => {
  const asked = type(withBob(), '/devices\r')
  assert.equal(asked.effects, [{ type: 'devices' }])
  assert.is(run(asked.state, list).state.overlay?.kind, 'list')
  assert.is(run(asked.state, open).state.current, '#ops')
  const written = type(withBob(message('a', 'mine', { isOwn: true })), 'half a thought\x13i')
  assert.equal(written.effects, [{ type: 'receipts', id: 'a' }])
  assert.is(run(written.state, list).state.overlay?.kind, 'list')
})

test('who writes goes on where they write, and is told', () => {
  const writing = type(type(withBob(), '/devices\r').state, 'a secret').state
  const late = run(writing, list).state
  assert.is(late.overlay, undefined)
  assert.is(late.toast?.text, 'Your devices (it came while you wrote: ask again to see it)')
  const opened = run(writing, open).state
  assert.equal([opened.current, draftOfCurrent(type(opened, ' for bob').state).text], ['bob', 'a secret for bob'])
  const emptied = type(writing, '\x15').state
  assert.is(run(emptied, list).state.overlay?.kind, 'list')
})

test('a late question is answered where nobody writes, and takes no key of who writes', () => {
  const effect = { type: 'revoke', device: 'd1' } as const
  const late: Action = { type: 'question', question: safeText('End the device d1 for good?'), effect }
  const { state } = type(withBob(), '/revoke d1\r')
  const answered = type(run(state, late).state, 'y')
  assert.equal([answered.state.overlay, answered.effects], [undefined, [effect]])
  const denied = type(run(state, late).state, 'n')
  assert.equal([denied.state.overlay, denied.effects], [undefined, []])
  const writing = run(type(state, 'so ').state, late)
  assert.is(writing.state.overlay, undefined)
  assert.match(writing.state.toast?.text ?? '', /^End the device d1 for good\? \(it came while you wrote/)
  const after = type(writing.state, 'yes')
  assert.equal([draftOfCurrent(after.state).text, after.effects], ['so yes', []])
})

test('a question, the switcher and the help stay', () => {
  const { state } = type(withBob(), '/devices\r')
  for (const keys of ['/leave #ops\r', '\x0b', '?']) {
    const busy = type(state, keys).state
    assert.is(run(busy, list).state.overlay, busy.overlay)
    assert.is(run(busy, open).state.current, 'bob')
  }
})

test.run()
