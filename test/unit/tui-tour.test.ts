// The tour: its cards fit where a terminal may be small, tell the keys in force, and go on, back and away.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lineText } from '../../src/tui/lines.ts'
import { screenOf, screenText } from '../../src/tui/screen-view.ts'
import { parseSettings } from '../../src/tui/settings.ts'
import { slashCommands } from '../../src/tui/slash-commands.ts'
import { spokenLines } from '../../src/tui/spoken.ts'
import type { State } from '../../src/tui/state.ts'
import { tourCards, tourNotice } from '../../src/tui/tour.ts'
import { fresh, type } from '../tui-state-fixture.ts'

const LEFT = '\x1b[D'
const RIGHT = '\x1b[C'
const small = { columns: 40, rows: 10 }
const begun = (options: Parameters<typeof fresh>[0] = {}): State => type(fresh(options), '/tour\r').state
const mainOf = (state: State): string[] => screenOf(state).main.map(lineText)
/** Every part of it, as drawn, until it closes. */
const walk = (state: State): { parts: string[][]; end: State } => {
  const parts: string[][] = []
  for (let at = state; ; at = type(at, '\r').state) {
    if (!at.overlay || parts.length > 50) return { parts, end: at }
    parts.push(mainOf(at))
  }
}
const joined = (parts: readonly string[][]): string => parts.flat().join(' ').replace(/\s+/g, ' ')

test('Enter and Right go on, Left goes back, Enter on the last card and Esc anywhere close it', () => {
  const first = begun({ size: { columns: 80, rows: 24 } })
  assert.match(screenText(first), /1 of 5: Conversations\n[^]*Ctrl-K: find one[^]*Enter go on · Left back · Esc close/)
  const second = type(first, RIGHT).state
  assert.match(screenText(second), /2 of 5: Writing/)
  assert.match(screenText(type(second, LEFT).state), /1 of 5/)
  assert.match(screenText(type(second, `${LEFT}${LEFT}`).state), /1 of 5/)
  assert.is(type(second, '\x1b').state.overlay, undefined)
  const { parts, end } = walk(first)
  assert.is(parts.length, tourCards.length)
  assert.is(end.overlay, undefined)
})

test('in 40 columns and 10 rows, below a notice, all of it is seen in parts that go on and back', () => {
  const state = begun({ size: small, notices: [tourNotice] })
  const { parts } = walk(state)
  const { parts: whole } = walk(begun({ size: { columns: 80, rows: 24 } }))
  for (const lines of parts) {
    assert.ok(lines.length <= 6, `${lines.length} rows`)
    assert.ok(lines.every((line) => line.length <= small.columns))
    assert.match(lines.at(-1) ?? '', /^Enter go on · Left back · Esc close$/)
  }
  const bodyOf = (cards: string[][]): string => joined(cards.map((lines) => lines.slice(1, -1)))
  assert.is(bodyOf(parts), bodyOf(whole))
  assert.ok(parts.length > tourCards.length)
  let at = type(state, '\r'.repeat(parts.length - 1)).state
  for (const lines of [...parts].reverse()) {
    assert.equal(mainOf(at), lines)
    at = type(at, LEFT).state
  }
  const higher = { ...type(state, '\r').state, size: { columns: 40, rows: 24 } }
  assert.match(screenText(higher), /1 of 5: Conversations\n/)
})

test('keys are those in force, also of a selected message; what has no key is not told of', () => {
  const { keymap } = parseSettings(`[keys.chat]
killOrSwitch = "alt-o"
nextUnread = []
[keys.select]
deleteMessage = "x"
[keys.tour]
nextCard = "n"`)
  const state = begun({ keymap, size: { columns: 80, rows: 24 } })
  const usual = joined(walk(begun({ size: { columns: 80, rows: 24 } })).parts)
  assert.match(usual, /Ctrl-S: select a message, then r reply, e edit, d delete, a react/)
  assert.match(usual, /Alt-A: the next with unread/)
  assert.match(mainOf(state).join('\n'), /Alt-O: find one/)
  assert.not.match(mainOf(state).join('\n'), /next with unread|Ctrl-K/)
  assert.match(mainOf(state).join('\n'), /n go on · Left back/)
  const third = { ...state, overlay: { kind: 'tour', card: 2, part: 0 } } as const
  assert.match(mainOf(third).join(' '), /r reply, e edit, x delete, a react/)
})

test('commands it names are there, with what they take', () => {
  for (const { rows } of tourCards)
    for (const row of rows)
      if ('command' in row)
        assert.ok(
          slashCommands.some(({ name }) => name === row.command),
          row.command,
        )
  assert.match(joined(walk(begun()).parts), /\/send PATH \[TEXT\]: a file/)
})

test('a screen reader is told each part once, as lines', () => {
  const before = fresh()
  const state = begun()
  const said = spokenLines(state, before)
  assert.is(said[0], '1 of 5: Conversations')
  assert.is(said.at(-1), 'Enter go on · Left back · Esc close')
  assert.equal(spokenLines(state, state), [])
  assert.is(spokenLines(type(state, '\r').state, state)[0], '2 of 5: Writing')
})

test('the help and the palette have it; whoever types over it writes', () => {
  assert.match(type(begun(), 'hello').state.drafts['']?.text ?? '', /^hello$/)
  const found = type(fresh(), '\x0btour').state
  assert.match(mainOf(found).join('\n'), /\/tour/)
  assert.is(type(found, '\r').state.overlay?.kind, 'tour')
})

test.run()
