// The settings: what is said in them counts, what is wrong is named and left out, and the file to begin with says what is usual.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultKeymap, keyHelp, operationOf } from '../../src/tui/keymap.ts'
import { reduce } from '../../src/tui/reduce.ts'
import { screenText } from '../../src/tui/screen-view.ts'
import { parseSettings, settingsText } from '../../src/tui/settings.ts'
import { initialState, type State } from '../../src/tui/state.ts'
import { styles, themes } from '../../src/tui/theme.ts'

const wrong: [text: string, problem: RegExp][] = [
  ['theme = "pink"', /theme is one of terminal, dark, light, mono/],
  ['notify = 3', /notify is one of/],
  ['colour = "dark"', /no setting colour/],
  ['theme = ', /./],
  ['keys = 1', /keys is a table/],
  ['[keys.nowhere]', /no \[keys\.nowhere\]/],
  ['[keys]\nchat = 1', /\[keys\.chat\] is a table/],
  ['[keys.chat]\nfly = "a"', /nothing called fly/],
  ['[keys.chat]\nsubmit = ["f1", 2]', /no key "f1"/],
  ['[keys.chat]\nconstructor = "a"', /nothing called constructor/],
  ['"\\u001b[2J" = 1', /no setting .\[2J/],
]
for (const [text, problem] of wrong) {
  test(`said and left out: ${JSON.stringify(text)}`, () => {
    const { problems, theme, notify } = parseSettings(text)
    assert.match(problems.join('\n'), problem)
    assert.not(problems.join('').includes('\x1b'))
    assert.equal([theme, notify], [undefined, 'auto'])
  })
}

test('theme, notifications and keys are taken', () => {
  const text =
    'theme = "light"\nnotify = "osc9"\n[keys.chat]\nnextUnread = "ctrl-o"\nstartSearch = ["alt-a", "ctrl-f"]\nredraw = []'
  const { problems, theme, notify, keymap } = parseSettings(text)
  assert.equal(problems, [])
  assert.equal([theme, notify], ['light', 'osc9'])
  const does = (key: string) => operationOf(keymap, 'chat', key)
  assert.equal(['ctrl-o', 'alt-a', 'ctrl-f', 'ctrl-r', 'ctrl-l', 'right', 'enter'].map(does), [
    'nextUnread',
    'startSearch',
    'startSearch',
    undefined,
    undefined,
    'right',
    'submit',
  ])
  assert.is(operationOf(keymap, 'switcher', 'ctrl-f'), 'right')
  const help = keyHelp(keymap, 'chat')
  assert.is(help.find(({ help }) => help.includes('with unread'))?.label, 'Ctrl-O')
  assert.not(help.some(({ help }) => help.startsWith('draw the screen')))
})

test('the file to begin with is the usual settings, and so it is without its comment signs', () => {
  assert.equal(parseSettings(settingsText()).problems, [])
  const spoken = settingsText().replace(/^# (\w+ = )/gm, '$1')
  const { problems, keymap, theme } = parseSettings(spoken)
  assert.equal(problems, [])
  assert.is(theme, 'terminal')
  assert.equal(new Map(keymap.index), new Map(defaultKeymap.index))
})

const state = (options: Partial<Parameters<typeof initialState>[0]> = {}): State =>
  initialState({
    user: 'alice',
    profile: 'default',
    notices: [],
    size: { columns: 59, rows: 90 },
    nowMs: 0,
    ...options,
  })

test('the help and the toasts tell the keys in force', () => {
  const { keymap } = parseSettings('[keys.chat]\nclearOrQuit = "ctrl-q"\npageDown = "ctrl-d"')
  const asked = reduce(state({ keymap }), { type: 'key', key: 'ctrl-q' }).state
  assert.match(screenText(asked), /Ctrl-Q again quits/)
  const help = screenText(reduce(state({ keymap }), { type: 'text', text: '?' }).state)
  assert.match(help, /PgUp +scroll up \(Ctrl-D: down\)/)
  assert.match(help, /Keys on a selected message\n +r +reply/)
})

test('/theme changes the theme, and names those there are', () => {
  const typed = (text: string): State => {
    const next = reduce(state(), { type: 'text', text }).state
    return reduce(next, { type: 'key', key: 'enter' }).state
  }
  assert.is(typed('/theme dark').theme, 'dark')
  assert.is(typed('/theme pink').theme, 'terminal')
  assert.match(typed('/theme pink').toast?.text ?? '', /no theme; there are terminal, dark, light, mono/)
})

test('every theme has every style; mono has no colour', () => {
  for (const theme of Object.values(themes)) assert.equal(Object.keys(theme).sort(), [...styles].sort())
  assert.not(JSON.stringify(themes.mono).toLowerCase().includes('color":"'))
})

test.run()
