// The first frame has its lines where the components put them, and nothing of it is left once they are there.
import headless from '@xterm/headless'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { afterFirstFrame, firstFrame } from '../../src/tui/first-frame.ts'
import { safeText } from '../../src/client/safe-text.ts'
import { line, lineText } from '../../src/tui/lines.ts'
import { screenOf } from '../../src/tui/screen-view.ts'
import { styledText } from '../../src/tui/sgr.ts'
import type { State } from '../../src/tui/state.ts'
import { type Style, type ThemeName, themes } from '../../src/tui/theme.ts'
import { fresh, type } from '../tui-state-fixture.ts'

const ALL_COLOURS = 24

const drawn = async (state: State, ...more: string[]) => {
  const { columns, rows } = state.size
  const terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true })
  for (const bytes of [firstFrame(state, ALL_COLOURS), ...more])
    await new Promise<void>((resolve) => terminal.write(bytes, resolve))
  const { active } = terminal.buffer
  const lines = Array.from({ length: rows }, (_, row) => active.getLine(row)?.translateToString(true).trimEnd() ?? '')
  const { cursorX: x, cursorY: y } = active
  terminal.dispose()
  return { lines, isAlternate: active.type === 'alternate', cursor: { x, y } }
}

test('header, input and status', async () => {
  const { state } = type(fresh(), '/msg bob\rhello\nthere')
  const { header, composer, status } = screenOf(state)
  const { lines, isAlternate, cursor } = await drawn(state)
  assert.ok(isAlternate)
  assert.is(lines[0], lineText(header).trimEnd())
  assert.equal(
    lines.slice(-3),
    [...composer.lines, status].map((line) => lineText(line).trimEnd()),
  )
  assert.equal(cursor, { x: '> there'.length, y: lines.length - 2 })
})

test('what is said to begin with, and above the input', async () => {
  const { state } = type(fresh({ notices: ['a notice'] }), '/msg')
  const { toast } = screenOf(state)
  assert.ok(toast)
  const { lines } = await drawn(state)
  assert.is(lines[1], 'a notice')
  assert.equal(lines.slice(-3, -1), [lineText(toast).trimEnd(), '> /msg'])
})

// What chalk, by which Ink colours, makes of the same styles where there are enough colours.
const looks: [style: Style, theme: ThemeName, depth: number, codes: string][] = [
  ['plain', 'terminal', 24, ''],
  ['bar', 'terminal', 24, '7'],
  ['barProblem', 'terminal', 4, '1;7;33'],
  ['name', 'terminal', 8, '1;36'],
  ['bar', 'dark', 24, '38;2;230;232;235;48;2;58;63;75'],
  ['name', 'dark', 8, '1;38;5;117'],
  ['name', 'dark', 4, '1'],
  ['bar', 'mono', 24, '7'],
  ['name', 'terminal', 1, '1'],
]
for (const [style, theme, depth, codes] of looks) {
  test(`${style} of the theme ${theme} with ${depth} bits of colour`, () => {
    const text = styledText(line(safeText('x'), style), { theme: themes[theme], depth })
    assert.is(text, codes === '' ? 'x' : `\x1b[${codes}mx\x1b[0m`)
  })
}

test('the header has the look of its theme at once', () => {
  const dark = firstFrame(fresh({ theme: 'dark' }), ALL_COLOURS)
  assert.match(dark, /\[38;2;230;232;235;48;2;58;63;75m/)
  assert.not.match(firstFrame(fresh({ theme: 'mono' }), ALL_COLOURS), /\[[\d;]*[34]8;/)
})

test('what Ink draws takes its place, whatever else it writes before', async () => {
  const change = afterFirstFrame()
  const bytes = ['\x1b[?1049h', '\x1b[?25l', 'first\nsecond', 'more\n'].map(change)
  assert.equal(bytes, ['', '\x1b[?25l', '\x1b[H\x1b[Jfirst\nsecond', 'more\n'])
  const { lines } = await drawn(fresh(), ...bytes.slice(0, 3))
  assert.is(lines.filter((line) => line !== '').length, 2)
  assert.is(change('\x1b[?1049h'), '\x1b[?1049h')
})

test.run()
