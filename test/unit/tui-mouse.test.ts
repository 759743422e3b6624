// What the mouse does: the wheel scrolls what is open, a click opens a conversation of the list and nothing else.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { screenText } from '../../src/tui/screen-view.ts'
import { settingsText, parseSettings } from '../../src/tui/settings.ts'
import type { State } from '../../src/tui/state.ts'
import { fresh, inbox, many, run, sidebarText, timeline, type } from '../tui-state-fixture.ts'

const [UP, DOWN] = ['\x1b[<64;40;8M', '\x1b[<65;40;8M']
const click = (x: number, y: number): string => `\x1b[<0;${x + 1};${y + 1}M\x1b[<0;${x + 1};${y + 1}m`
const wide = { columns: 80, rows: 16 }
const opened = (size = wide, notices: string[] = []): State =>
  run(fresh({ size, notices }), inbox(['bob', 0], ['carol', 0], ['dave', 0]), timeline('bob', many(50))).state

test('the wheel scrolls three lines, back to the newest too', () => {
  const up = type(opened(), UP).state
  assert.not.match(screenText(up), /text 49/)
  assert.match(screenText(up), /text 46/)
  assert.match(screenText(type(up, DOWN).state), /text 49/)
})

test('over a list it chooses, over the help it scrolls', () => {
  const help = type(opened(), '?').state
  assert.is.not(screenText(type(help, DOWN + DOWN).state), screenText(help))
  const switcher = type(opened(), '\x0b').state
  assert.is.not(screenText(type(switcher, DOWN).state), screenText(switcher))
})

test('a click on either row of an entry opens it', () => {
  const rows = sidebarText(opened()).split('\n')
  assert.is(rows.length, 6)
  for (const [row, name] of ['bob', 'bob', 'carol', 'carol', 'dave', 'dave'].entries())
    assert.is(type(opened(), click(3, 1 + row)).state.current, name)
})

test('below a notice, and in a list of one row each', () => {
  assert.is(type(opened(wide, ['a notice']), click(3, 4)).state.current, 'carol')
  assert.is(type(opened({ columns: 80, rows: 7 }), click(3, 3)).state.current, 'dave')
})

test('elsewhere it does nothing, and a question is answered first', () => {
  const state = opened()
  for (const [x, y] of [
    [3, 0],
    [3, 9],
    [40, 3],
    [3, 15],
  ] as const)
    assert.is(type(state, click(x, y)).state.current, 'bob')
  assert.is(type(opened({ columns: 50, rows: 16 }), click(3, 3)).state.current, 'bob')
  const asked = type(state, '\x1b[200~1\n2\n3\n4\n5\x1b[201~').state
  assert.is(asked.overlay?.kind, 'paste')
  assert.is(type(asked, click(3, 3)).state.current, 'bob')
})

test('it is off until it is set, by `on` too', () => {
  assert.is(parseSettings('').hasMouse, false)
  assert.is(parseSettings('mouse = true').hasMouse, true)
  assert.match(settingsText(), /# mouse = false/)
  assert.equal(type(opened(), '/set mouse on\r').effects, [{ type: 'set', name: 'mouse', value: true }])
  assert.equal(type(opened(), '/set mouse off\r').effects, [{ type: 'set', name: 'mouse', value: false }])
})

test.run()
