// What a screen reader is told: one plain line for each thing that happens, and none for what stays as it was.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { safeText } from '../../src/client/safe-text.ts'
import { lineText } from '../../src/tui/lines.ts'
import type { TimelineMessage } from '../../src/tui/messages.ts'
import type { Action } from '../../src/tui/reduce.ts'
import { spokenLines } from '../../src/tui/spoken.ts'
import { headerLine } from '../../src/tui/status-view.ts'
import type { State } from '../../src/tui/state.ts'
import { fresh, inbox, message, run, timeline, type, withBob } from '../tui-state-fixture.ts'

const after = (state: State, ...actions: Action[]): string[] => spokenLines(run(state, ...actions).state, state)
const typed = (state: State, keys: string): string[] => spokenLines(type(state, keys).state, state)
const hello = message('1', 'hello')
const mine = (status: TimelineMessage['status'], more: Partial<TimelineMessage> = {}): TimelineMessage =>
  message('2', 'hi', { isOwn: true, status, ...more })

test('the beginning: what is unread, which conversation is open, what was said in it', () => {
  const begun = fresh()
  assert.equal(after(begun, inbox(['bob', 0], ['carol', 2])), ['unread: carol 2', 'conversation bob'])
  const opened = run(begun, inbox(['bob', 0])).state
  assert.equal(after(opened, timeline('bob', [hello, mine('read')])), ['bob: hello', 'you: hi (read)'])
  assert.match(after(begun, inbox())[0] ?? '', /no conversation yet/)
})

test('a new message is a line; what was there is not said again; many lines stay together', () => {
  const state = withBob(hello)
  assert.equal(after(state, timeline('bob', [hello, message('3', 'one\ntwo')])), ['bob: one\ntwo'])
  assert.equal(after(state, timeline('bob', [hello])), [])
})

test('members who were shown another history of a group are told of once, and the line above the conversation warns', () => {
  const entries = inbox(['#ops', 0])
  assert.ok(entries.type === 'inbox')
  const [ops] = entries.conversations
  assert.ok(ops)
  const state = run(fresh({ size: { columns: 90, rows: 16 } }), entries, timeline('#ops', [hello])).state
  const forked: Action = { type: 'inbox', conversations: [{ ...ops, disputedBy: safeText('carol') }] }
  assert.equal(after(state, forked), ['carol has another history of #ops than you: compare members, then /verified'])
  const warned = run(state, forked).state
  assert.equal(after(warned, forked), [])
  assert.match(
    lineText(headerLine(warned)),
    /^ #ops {2}! carol has another history of the group: compare members, then \/verified/,
  )
  assert.not.match(lineText(headerLine(state)), /!/)
})

const states: [status: TimelineMessage['status'], more: Partial<TimelineMessage>, line: string][] = [
  ['queued', {}, 'you: hi'],
  ['received', {}, 'you: hi'],
  ['read', {}, 'you: hi (read)'],
  ['received', { tally: { received: 3, read: 2, of: 5 } }, 'you: hi'],
  ['refused', { problem: safeText('nobody is called so') }, 'you: hi (refused: nobody is called so)'],
  ['stored', { isDeleted: true }, 'you: (deleted)'],
  ['stored', { isEdited: true, text: safeText('ho') }, 'you: ho (edited)'],
  ['stored', { reactions: [{ emoji: safeText('👍'), count: 2, isOwn: false }] }, 'you: hi, 👍 by 2'],
  ['stored', { reply: '1' }, 'you to bob, “hello”: hi'],
]
for (const [status, more, line] of states) {
  test(`an own message that changes is said anew: ${line}`, () => {
    const state = withBob(hello, mine('sending'))
    assert.equal(after(state, timeline('bob', [hello, mine(status, more)])), [line])
  })
}

const ways: [
  from: TimelineMessage['status'],
  to: TimelineMessage['status'],
  more: Partial<TimelineMessage>,
  said: string[],
][] = [
  ['queued', 'stored', {}, []],
  ['stored', 'received', {}, []],
  ['received', 'received', { tally: { received: 3, read: 2, of: 5 } }, []],
  ['received', 'read', {}, ['read: hi']],
  ['stored', 'read', { isEdited: true, text: safeText('ho') }, ['you: ho (edited) (read)']],
  ['queued', 'refused', { problem: safeText('no such user') }, ['you: hi (refused: no such user)']],
]
for (const [from, to, more, said] of ways) {
  test(`on its way from ${from} to ${to}: ${said.join()}`, () => {
    assert.equal(after(withBob(hello, mine(from)), timeline('bob', [hello, mine(to, more)])), said)
    if (to !== 'read' || more.text) return
    const selected = typed(run(withBob(hello, mine(from)), timeline('bob', [hello, mine(to)])).state, '\x13')
    assert.equal(selected, ['selected, you: hi (read)'])
  })
}

const node = (name: string, state: string, uptimeMs: number) => ({
  name,
  roles: ['store'],
  authority: false,
  state,
  lagMs: 1,
  epochLag: 0,
  recordLag: 0,
  sessions: null,
  leases: null,
  records: 5,
  queuedBytes: 0,
  queued: 0,
  rssBytes: 1,
  uptimeMs,
})
const report = (...nodes: ReturnType<typeof node>[]): Action => {
  const current = { n: 1, w: 1, r: 1, homes: [] }
  return {
    type: 'cluster',
    report: { cluster: 'c', node: 'store-1', epoch: 1, joint: false, nodes, current, next: null },
  }
}

test('the cluster is told of once, then only what changes in it', () => {
  const state = withBob(hello)
  const asked = run(state, { type: 'openCluster' }).state
  assert.equal(spokenLines(asked, state), ['the cluster'])
  const first = report(node('store-1', 'up', 1_000), node('store-2', 'up', 1_000))
  assert.equal(after(asked, first), ['2 of 2 nodes up', 'store-1, store: up', 'store-2, store: up'])
  const known = run(asked, first).state
  assert.equal(after(known, report(node('store-1', 'up', 2_000), node('store-2', 'up', 2_000))), [])
  assert.equal(after(known, report(node('store-1', 'up', 2_000), node('store-2', 'down', 0))), ['store-2 is down'])
  const problem = { type: 'clusterProblem', problem: safeText('nobody answers') } as const
  assert.equal(after(known, problem), ['No answer: nobody answers'])
  assert.equal(after(run(known, problem).state, problem), [])
})

test('older messages that are loaded are not said; who pages up hears what is on the page', () => {
  const all = Array.from({ length: 40 }, (_, index) => message(`m${index}`, `text ${index}`))
  const state = withBob(...all)
  assert.equal(after(state, { type: 'older', conversation: 'bob', messages: [message('a', 'old')], isLast: true }), [])
  const page = typed(state, '\x1b[5~')
  assert.ok(page.length > 3)
  assert.not(page.includes('bob: text 39'))
  for (const line of page) assert.match(line, /^bob: text \d+$/)
})

test('a message elsewhere says where, unless that is muted', () => {
  const state = withBob(hello)
  const last = message('9', 'psst', { from: safeText('carol') })
  const withLast = (level: 'all' | 'none'): Action => ({
    type: 'inbox',
    conversations: (state.inbox ?? []).map((entry) => (entry.name === 'carol' ? { ...entry, last, level } : entry)),
  })
  assert.equal(after(state, withLast('all')), ['in carol, carol: psst'])
  assert.equal(after(state, withLast('none')), [])
})

test('the connection is told of when it changes, not at each second of a countdown', () => {
  const connection = (state: 'online' | 'waiting', retryInMs?: number): Action => ({
    type: 'connection',
    connection: {
      state,
      gateway: safeText('ws://g'),
      retryInMs,
      queued: 0,
      isComplete: true,
      lagMs: retryInMs,
      problem: undefined,
      transfers: undefined,
    },
  })
  const state = withBob(hello)
  assert.equal(after(state, connection('online', 3)), ['online at ws://g'])
  const waiting = run(state, connection('waiting', 3_000)).state
  assert.equal(spokenLines(waiting, state), ['offline; trying again'])
  assert.equal(after(waiting, connection('waiting', 2_000)), [])
})

test('a list is read once, then the row that is chosen; what is selected is read', () => {
  const state = withBob(hello)
  const opened = type(state, '\x0b').state
  assert.equal(spokenLines(opened, state), ['go to: ', 'bob '])
  assert.equal(typed(opened, '\x1b[B'), ['carol 2'])
  assert.equal(typed(opened, '\x1b'), ['closed'])
  assert.equal(typed(state, '\x13'), ['selected, bob: hello'])
  assert.ok(typed(state, '?').length > 20)
})

test.run()
