// The settings: what is said in them counts, what is wrong is named and left out, and the file to begin with says what is usual.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultKeymap, keyHelp, keyLabel, operationOf } from '../../src/tui/keymap.ts'
import type { Mode } from '../../src/tui/keys.ts'
import { reduce } from '../../src/tui/reduce.ts'
import { screenText } from '../../src/tui/screen-view.ts'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keepingIn } from '../../src/tui/settings-file.ts'
import { parseSettings, settingsText, withSetting } from '../../src/tui/settings.ts'
import { initialState, type State } from '../../src/tui/state.ts'
import { styles, themes } from '../../src/tui/theme.ts'

const wrong: [text: string, problem: RegExp][] = [
  ['theme = "pink"', /theme is one of terminal, dark, light, mono/],
  ['notify = 3', /notify is one of/],
  ['colour = "dark"', /no setting colour/],
  ['presence = "yes"', /presence is true or false/],
  ['screen-reader = 1', /screen-reader is true or false/],
  ['graphics = "best"', /graphics is one of auto, kitty/],
  ['downloads = 7', /downloads is a directory/],
  ['# mine\n\ntheme = ', /^line 3: ./],
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

const leaving: [text: string, mode: Mode, does: string, key: string][] = [
  ['[keys.chat]\nsubmit = []', 'chat', 'submit', 'enter'],
  ['[keys.chat]\nsubmit = "f1"', 'chat', 'submit', 'enter'],
  ['[keys.chat]\nnewline = "enter"', 'chat', 'submit', 'enter'],
  ['[keys.chat]\nsubmit = "enter"\nnewline = ["enter", "ctrl-j"]', 'chat', 'submit', 'enter'],
  ['[keys.chat]\nredraw = "ctrl-c"', 'chat', 'clearOrQuit', 'ctrl-c'],
  ['[keys.chat]\nsubmit = "ctrl-c"', 'chat', 'clearOrQuit', 'ctrl-c'],
  ['[keys.select]\nendSelect = []', 'select', 'endSelect', 'escape'],
  ['[keys.confirm]\ncloseOverlay = []', 'confirm', 'closeOverlay', 'escape'],
]
for (const [text, mode, does, key] of leaving) {
  test(`what is needed keeps its usual key, and that is said: ${JSON.stringify(text)}`, () => {
    const { problems, keymap } = parseSettings(text)
    const said = `[keys.${mode}] leaves no key for ${does}: it keeps `
    const [kept, ...others] = problems.filter((problem) => problem.startsWith(said))
    assert.ok(kept?.slice(said.length).split(', ').includes(keyLabel(key)), problems.join('\n'))
    assert.equal(others, [])
    assert.is(operationOf(keymap, mode, key), does)
    assert.is(operationOf(keymap, 'chat', 'enter'), 'submit')
  })
}

test('what is needed may have another key alone, and the rest of the bindings counts', () => {
  const moved = parseSettings('[keys.chat]\nsubmit = "ctrl-j"\nnewline = "enter"\nclearOrQuit = "ctrl-q"')
  assert.equal(moved.problems, [])
  const does = (key: string) => operationOf(moved.keymap, 'chat', key)
  assert.equal(['ctrl-j', 'enter', 'ctrl-q', 'ctrl-c'].map(does), ['submit', 'newline', 'clearOrQuit', undefined])
  const { keymap } = parseSettings('[keys.chat]\nsubmit = []\nnewline = ["enter", "ctrl-o"]\nredraw = "ctrl-q"')
  const still = (key: string) => operationOf(keymap, 'chat', key)
  assert.equal(['enter', 'ctrl-o', 'ctrl-j', 'ctrl-q'].map(still), ['submit', 'newline', undefined, 'redraw'])
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

const typed = (text: string): ReturnType<typeof reduce> => {
  const next = reduce(state(), { type: 'text', text }).state
  return reduce(next, { type: 'key', key: 'enter' })
}
const sets: [text: string, effects: unknown[], said?: RegExp][] = [
  ['/set theme dark', [{ type: 'set', name: 'theme', value: 'dark' }]],
  ['/set presence false', [{ type: 'set', name: 'presence', value: false }]],
  ['/set downloads ~/My files', [{ type: 'set', name: 'downloads', value: '~/My files' }]],
  ['/set notify', [], /^notify = auto$/],
  ['/set notify loud', [], /notify is one of auto, bell/],
  ['/set presence maybe', [], /presence is true or false/],
  ['/set constructor 1', [], /no setting constructor; there are theme, notify/],
]
for (const [text, effects, said] of sets) {
  test(text, () => {
    const after = typed(text)
    assert.equal(after.effects, effects)
    if (said) assert.match(after.state.toast?.text ?? '', said)
  })
}

test('/set alone lists them all as they are', () => {
  const { state: listed } = typed('/set')
  const screen = screenText(listed)
  for (const row of ['theme = terminal', 'notify = auto', 'presence = true', 'downloads = ~/Downloads'])
    assert.ok(screen.includes(row), `${row}\n${screen}`)
})

test('what the file says counts at once; a theme that is tried stays when another setting is changed', () => {
  const tried = typed('/theme dark').state
  const settings = parseSettings('notify = "bell"\n[keys.chat]\nredraw = "ctrl-o"')
  const after = reduce(tried, { type: 'settings', settings }).state
  assert.equal([after.theme, after.settings.notify], ['dark', 'bell'])
  assert.is(operationOf(after.keymap, 'chat', 'ctrl-o'), 'redraw')
  assert.is(reduce(after, { type: 'settings', settings: parseSettings('theme = "light"') }).state.theme, 'light')
})

const changes: [what: string, before: string, after: string | undefined][] = [
  ['an empty file', '', 'theme = "dark"\n'],
  ['its line', '# mine\ntheme="light" # so\nnotify = "bell"\n', '# mine\ntheme = "dark"\nnotify = "bell"\n'],
  ['a line that is a comment', '# theme = "terminal"\n', 'theme = "dark"\n'],
  ['a line, and a comment before it', '# theme = "mono"\ntheme = "light"\n', '# theme = "mono"\ntheme = "dark"\n'],
  [
    'above the first table',
    'notify = "bell"\n[keys.chat]\nredraw = []\n',
    'notify = "bell"\ntheme = "dark"\n[keys.chat]\nredraw = []\n',
  ],
  ['a name in quotes, which would be there twice', '"theme" = "light"\n', undefined],
  ['a broken file', 'theme = \nnotify\n', undefined],
]
for (const [what, before, after] of changes) {
  test(`a setting is changed in the file: ${what}`, () => assert.is(withSetting(before, 'theme', 'dark'), after))
}

test('each of them is changed in the file to begin with, and the rest stays', () => {
  const text = withSetting(withSetting(settingsText(), 'screen-reader', true) ?? '', 'downloads', 'a "b" \\c') ?? ''
  const { said, problems, keymap } = parseSettings(text)
  assert.equal([said, problems], [{ 'screen-reader': true, downloads: 'a "b" \\c' }, []])
  assert.equal(new Map(keymap.index), new Map(defaultKeymap.index))
  assert.is(text.split('\n').length, settingsText().split('\n').length + (settingsText().endsWith('\n') ? 0 : 1))
})

test('the file is made for its user only, kept as it was otherwise, and a link stays one', async () => {
  const root = mkdtempSync(join(tmpdir(), 'chatd-settings-'))
  try {
    for (const name of ['fresh', 'linked', 'broken']) mkdirSync(join(root, name))
    const path = join(root, 'fresh', 'tui.toml')
    assert.is((await keepingIn(join(root, 'fresh'))('theme', 'dark')).theme, 'dark')
    assert.equal([readFileSync(path, 'utf8'), statSync(path).mode & 0o777], ['theme = "dark"\n', 0o600])
    const real = join(root, 'dotfile')
    writeFileSync(real, '# mine\n', { mode: 0o644 })
    symlinkSync(real, join(root, 'linked', 'tui.toml'))
    await keepingIn(join(root, 'linked'))('presence', false)
    assert.equal([readFileSync(real, 'utf8'), statSync(real).mode & 0o777], ['# mine\npresence = false\n', 0o644])
    writeFileSync(join(root, 'broken', 'tui.toml'), 'notify\n')
    const refused = await keepingIn(join(root, 'broken'))('theme', 'dark').catch((error: unknown) => error)
    assert.match(String(refused), /cannot be changed as it is written/)
    assert.is(readFileSync(join(root, 'broken', 'tui.toml'), 'utf8'), 'notify\n')
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})

test('every theme has every style; mono has no colour', () => {
  for (const theme of Object.values(themes)) assert.equal(Object.keys(theme).sort(), [...styles].sort())
  assert.not(JSON.stringify(themes.mono).toLowerCase().includes('color":"'))
})

test.run()
