// The first frame has its lines where the components put them, and nothing of it is left once they are there.
import headless from '@xterm/headless'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { afterFirstFrame, firstFrame } from '../../src/tui/first-frame.ts'
import { lineText } from '../../src/tui/lines.ts'
import { screenOf } from '../../src/tui/screen-view.ts'
import type { State } from '../../src/tui/state.ts'
import { fresh, type } from '../tui-state-fixture.ts'

const drawn = async (state: State, ...more: string[]) => {
  const { columns, rows } = state.size
  const terminal = new headless.Terminal({ cols: columns, rows, allowProposedApi: true })
  for (const bytes of [firstFrame(state), ...more]) await new Promise<void>((resolve) => terminal.write(bytes, resolve))
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

test('what Ink draws takes its place, whatever else it writes before', async () => {
  const change = afterFirstFrame()
  const bytes = ['\x1b[?1049h', '\x1b[?25l', 'first\nsecond', 'more\n'].map(change)
  assert.equal(bytes, ['', '\x1b[?25l', '\x1b[H\x1b[Jfirst\nsecond', 'more\n'])
  const { lines } = await drawn(fresh(), ...bytes.slice(0, 3))
  assert.is(lines.filter((line) => line !== '').length, 2)
  assert.is(change('\x1b[?1049h'), '\x1b[?1049h')
})

test.run()
