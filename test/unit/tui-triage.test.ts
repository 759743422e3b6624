// Getting through what is new: urgency, mentions, numbers, marks of one's own, dates. Tables over the reducer and its pure parts.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { safeText } from '../../src/client/safe-text.ts'
import { parseWhen } from '../../src/tui/dates.ts'
import { lineText } from '../../src/tui/lines.ts'
import { isMention, mentionLine } from '../../src/tui/mentions.ts'
import { screenText } from '../../src/tui/screen-view.ts'
import type { State } from '../../src/tui/state.ts'
import { newBelow } from '../../src/tui/timeline-view.ts'
import { fresh, inbox, many, message, NOW, run, sidebarText, timeline, type, withBob } from '../tui-state-fixture.ts'

const [ALT_A, ALT_N, ALT_P, CTRL_S] = ['\x1ba', '\x1bn', '\x1bp', '\x13']

const mentions: [text: string, isOne: boolean][] = [
  ['@alice', true],
  ['hi @alice, look', true],
  ['ask @alice.', true],
  ['(@alice)', true],
  ['@all: lunch', true],
  ['@alice-b', false],
  ['@alicebob', false],
  ['mail to x@alice', false],
  ['@@alice', false],
  ['alice', false],
]
for (const [text, isOne] of mentions) {
  test(`mention: ${text}`, () => assert.is(isMention(text, 'alice'), isOne))
}

test('a mention stands out and takes nothing away', () => {
  const line = mentionLine(safeText('  say @alice. and @bob'), 'alice')
  assert.is(lineText(line), '  say @alice. and @bob')
  assert.equal(
    line.map(({ text, style }) => [text, style]),
    [
      ['  say ', 'plain'],
      ['@alice', 'mention'],
      ['. and @bob', 'plain'],
    ],
  )
})

const noon = (day: number, hour = 0, minute = 0): number => new Date(2026, 10, day, hour, minute).getTime()
// NOW is Monday, 23 November 2026, 12:00.
const times: [typed: string, at: number | undefined][] = [
  ['today', noon(23)],
  ['yesterday', noon(22)],
  ['sunday', noon(22)],
  ['mon', noon(16)],
  ['2026-11-05', noon(5)],
  ['2026-11-05 14:30', noon(5, 14, 30)],
  ['9:05', noon(23, 9, 5)],
  ['yesterday 23:59', noon(22, 23, 59)],
  ['2026-02-31', undefined],
  ['25:00', undefined],
  ['soon', undefined],
  ['', undefined],
]
for (const [typed, at] of times) test(`when: “${typed}”`, () => assert.is(parseWhen(typed, NOW), at))

test('levels: /notify says which there are and asks the library', () => {
  assert.equal(type(withBob(), '/notify mentions\r').effects, [
    { type: 'setLevel', conversation: 'bob', level: 'mentions' },
  ])
  assert.match(type(withBob(), '/notify loudly\r').state.toast?.text ?? '', /all, mentions, none/)
})

test('next unread: who names the user comes first, then what is unread, then what was marked', () => {
  const state = run(fresh(), inbox(['bob', 0], ['carol', 2], ['dan', 1], ['eve', 0]), timeline('bob', [])).state
  const withEveMarked = (from: State): State => {
    const conversations = from.inbox?.map((entry) => ({ ...entry, isMarked: entry.name === 'eve' })) ?? []
    return run(from, { type: 'inbox', conversations }).state
  }
  const entries = state.inbox?.map((entry) => (entry.name === 'dan' ? { ...entry, mentions: 1 } : entry)) ?? []
  const named = withEveMarked(run(state, { type: 'inbox', conversations: entries }).state)
  assert.is(type(named, ALT_A).state.current, 'dan')
  const read = run(named, inbox(['bob', 0], ['carol', 2], ['dan', 0], ['eve', 0])).state
  assert.is(type(read, ALT_A).state.current, 'carol')
  const allRead = withEveMarked(run(read, inbox(['bob', 0], ['carol', 0], ['dan', 0], ['eve', 0])).state)
  const eve = type(allRead, ALT_A).state
  assert.is(eve.current, 'eve')
  assert.match(type(eve, ALT_A).state.toast?.text ?? '', /Nothing else is unread/)
})

test('conversations by number, as the list shows them', () => {
  const wide = run(withBob(), { type: 'resized', columns: 80, rows: 20 }).state
  assert.match(sidebarText(wide), /▸ bob[^]*2 carol[^]*3 dan/)
  assert.is(type(wide, '\x1b3').state.current, 'dan')
  assert.match(type(wide, '\x1b0').state.toast?.text ?? '', /no number 10/)
})

test('from mention to mention', () => {
  const messages = many(60).map((each, index) =>
    index === 5 || index === 30 ? { ...each, text: safeText(`hi @alice ${index}`) } : each,
  )
  const up = type(withBob(...messages), ALT_P).state
  assert.is(up.selected, 'm30')
  assert.match(screenText(up), /hi @alice 30/)
  const further = type(up, ALT_P).state
  assert.is(further.selected, 'm5')
  assert.match(type(further, ALT_P).state.toast?.text ?? '', /not named further up.*\/mentions/)
  assert.is(type(further, ALT_N).state.selected, 'm30')
})

test('marked as unread: a rule, a sign in the list, held until it is left', () => {
  const wide = run(withBob(...many(3)), { type: 'resized', columns: 80, rows: 20 }).state
  const { state: marked, effects } = type(wide, `${CTRL_S}ku`)
  assert.equal(effects, [{ type: 'markUnread', conversation: 'bob' }])
  assert.equal([marked.isHeldUnread, marked.rule?.before], [true, 'm1'])
  const conversations = marked.inbox?.map((entry) => ({ ...entry, isMarked: entry.name === 'bob' })) ?? []
  const away = type(run(marked, { type: 'inbox', conversations }).state, '\x1b3').state
  assert.match(sidebarText(away), /1 bob +•/)
  assert.is(away.isHeldUnread, false)
  assert.equal(type(wide, '/unread\r').state.rule?.before, 'm2')
})

test('scrolled up, what is new below is counted apart from what was seen', () => {
  const seen = many(60).map((each) => ({ ...each, status: 'read' as const }))
  const up = type(withBob(...seen), '\x1b[5~').state
  assert.match(screenText(up), /^.*\d+ below ↓/)
  assert.is(newBelow(up), 0)
  const after = run(up, timeline('bob', [...seen, message('n', 'news'), message('o', 'mine', { isOwn: true })])).state
  assert.match(screenText(after), /^.* 1 new below ↓/)
})

test('/goto asks for the first message from then on', () => {
  assert.equal(type(withBob(), '/goto 2026-11-05\r').effects, [
    { type: 'jumpToTime', conversation: 'bob', atMs: noon(5) },
  ])
  assert.match(type(withBob(), '/goto someday\r').state.toast?.text ?? '', /\/goto 2026-11-23/)
})

test.run()
