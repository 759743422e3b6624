// deadline: 600s
// The built terminal client in a real pty, on a fake Chat: what is on the screen, and that the terminal is put back whatever happens.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../eventually.ts'
import { Screen, type ScreenOptions } from '../tui-terminal.ts'

const PROGRAM = fileURLToPath(new URL('../tui-fake-program.ts', import.meta.url))
const EDITOR = fileURLToPath(new URL('../tui-fake-editor.sh', import.meta.url))
const READY = /> Message|> \/msg/

const withScreen = (options: ScreenOptions, run: (screen: Screen) => Promise<void>) => async (): Promise<void> => {
  const screen = new Screen([process.execPath, PROGRAM], options)
  try {
    await screen.shows(READY)
    await run(screen)
  } finally {
    await screen.close()
  }
}
const conversation = { FAKE_MESSAGES: '30' }

/** The program's last words may arrive after its end. */
const has = (screen: Screen, modes: Screen['modes']): Promise<boolean> =>
  eventually(() => JSON.stringify(screen.modes) === JSON.stringify(modes))
const lineShows = (screen: Screen, row: number, pattern: RegExp): Promise<boolean> =>
  eventually(() => pattern.test(screen.lines[row] ?? ''), { what: `line ${row} shows ${pattern}` })
const isRestored = async (screen: Screen): Promise<void> => {
  await eventually(() => !screen.isAlternate)
  await has(screen, { wraps: true, pastes: false, reportsFocus: false })
}

test(
  'begins with what to do, opens a conversation, sends text and Enter that come in one chunk',
  withScreen({}, async (screen) => {
    assert.ok(screen.isAlternate)
    await screen.shows('There is no conversation yet')
    await screen.shows('online 3 ms')
    screen.type('/msg bob\r')
    await screen.shows('Nothing has been said here yet')
    screen.type('hello\r')
    await screen.shows(/hello {2}✓$/m)
    screen.type('/msg nobody hi\r')
    await screen.shows(/hi {2}! not sent\n.*There is no user of that name/)
  }),
)

test(
  'pastes are text, not keys; Ctrl-J makes a line; the cursor is where the text goes on',
  withScreen({ env: conversation }, async (screen) => {
    screen.type('\x1b[200~one\rtwo\x1b[201~')
    await screen.shows(/> one\n {2}two\n/)
    screen.type('\nthree')
    await screen.shows(/> one\n {2}two\n {2}three\n/)
    await eventually(() => screen.cursor.x === 7 && screen.cursor.y === 22)
    screen.type('\r')
    await screen.shows(/two\n +three {2}✓/)
    await screen.shows(/> Message/)
  }),
)

test(
  'keeps its place while messages arrive and the terminal is resized, down to 40x10 and back',
  withScreen({ env: conversation }, async (screen) => {
    await screen.shows('message 30')
    screen.type('\x1b[5~')
    await screen.shows('below ↓')
    screen.resize(40, 10)
    await eventually(() => screen.lines.length === 10 && /^ alice {2}online/.test(screen.lines[9] ?? ''))
    await lineShows(screen, 8, /^> Message/)
    await lineShows(screen, 0, /^ bob +.*below/)
    await screen.shows(/message \d+\n {2}message \d+\n {2}message \d+/)
    screen.resize(100, 30)
    await screen.shows(/▸ bob/)
    await lineShows(screen, 29, /^ alice at 127\.0\.0\.1:7400/)
    screen.type('\x1b[1;3F')
    await screen.shows('message 30')
  }),
)

test(
  'what strangers write stays in its box',
  withScreen({ env: conversation }, async (screen) => {
    screen.type('hostile\r')
    await screen.shows(/after 👨‍👩‍👧‍👦 +end/)
    assert.ok(screen.isAlternate)
    await lineShows(screen, 0, /^ bob/)
    await screen.shows(/before.\[2J.\]0;owned.*gpj/)
    for (const attack of ['\x1b]0;owned', '\u202e', '\x9b31m']) assert.not(screen.raw.includes(attack))
    await lineShows(screen, 23, /^ alice/)
  }),
)

test(
  'tells the truth about the connection and what is unread',
  withScreen({ env: conversation }, async (screen) => {
    screen.type('\x1b[O')
    screen.type('burst\r')
    await screen.shows('burst 20')
    screen.type('\x1b[I')
    await screen.shows(/── unread ─+\n[^]*burst 1\n/)
    await screen.shows('below ↓')
    screen.type('\x1b[1;3F')
    await screen.shows('burst 20')
    screen.type('offline\r')
    await screen.shows('offline, reconnecting in 3 s · queued 1 · no route')
  }),
)

test(
  'a paste of many lines is asked about',
  withScreen({ env: conversation }, async (screen) => {
    screen.type('\x1b[200~one\rtwo\rthree\rfour\r\x1b[201~')
    await screen.shows(/Paste 4 lines, 19 B\? Enter into the message · Esc not\n[^]*four/)
    screen.type('\r')
    await screen.shows(/> one\n {2}two\n {2}three\n {2}four\n/)
  }),
)

test(
  'the editor has the terminal as programs find it, and gives it back',
  withScreen({ env: { ...conversation, EDITOR: `sh ${EDITOR}` } }, async (screen) => {
    screen.type('a thought')
    await screen.shows('> a thought')
    screen.type('\x1bk')
    await screen.shows('lines come whole')
    await screen.shows('the editor asks:')
    await eventually(() => !screen.isAlternate)
    await has(screen, { wraps: true, pastes: false, reportsFocus: false })
    screen.kill('SIGINT')
    screen.type('and more\r')
    await screen.shows(/> a thought\n {2}and more\n/)
    await eventually(() => screen.isAlternate)
    await has(screen, { wraps: false, pastes: true, reportsFocus: true })
    screen.type('!\r')
    await screen.shows(/and more! {2}✓/)
  }),
)

test(
  'a notification reaches the terminal while nobody looks, and no other',
  withScreen({ env: conversation }, async (screen) => {
    screen.type('hostile\r')
    await screen.shows('before')
    assert.not(screen.raw.includes('\x1b]777'))
    screen.type('\x1b[O')
    screen.type('hostile\r')
    await eventually(() => screen.raw.includes('\x07\x1b]777;notify;bob;before'))
    assert.not(screen.raw.includes('\x1b]0;owned'))
  }),
)

test('the mouse is reported where it is set, not while another program has the terminal, and not afterwards', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chatd-mouse-'))
  const env = { ...conversation, FAKE_DIRECTORY: directory, EDITOR: `sh ${EDITOR}` }
  try {
    await withScreen({ env }, async (screen) => {
      assert.not(screen.reportsMouse)
      screen.type('/set mouse on\r')
      await eventually(() => screen.reportsMouse)
      await screen.shows('message 29')
      screen.type('\x1b[<64;10;5M')
      await eventually(() => !screen.text.includes('message 29'))
      screen.type('\x1bk')
      await screen.shows('the editor asks:')
      await eventually(() => !screen.reportsMouse)
      screen.type('\r')
      await eventually(() => screen.reportsMouse)
      screen.type('\x15/set mouse off\r')
      await eventually(() => !screen.reportsMouse)
      screen.type('/set mouse on\r')
      await eventually(() => screen.reportsMouse)
      screen.kill('SIGTERM')
      await screen.ends()
      await eventually(() => !screen.reportsMouse)
    })()
    await withScreen({ env }, async (screen) => {
      await eventually(() => screen.reportsMouse)
      screen.type('/quit\r')
      await screen.ends()
      await eventually(() => !screen.reportsMouse)
    })()
  } finally {
    rmSync(directory, { recursive: true })
  }
})

const ends: [name: string, end: (screen: Screen) => void, code: number][] = [
  ['SIGTERM', (screen) => screen.kill('SIGTERM'), 143],
  ['SIGHUP', (screen) => screen.kill('SIGHUP'), 129],
  ['SIGINT from outside', (screen) => screen.kill('SIGINT'), 130],
  ['Ctrl-C twice', (screen) => screen.type('\x03\x03'), 0],
  ['/quit', (screen) => screen.type('/quit\r'), 0],
]
const moments: [name: string, has: (screen: Screen) => Promise<void>][] = [
  ['before everything is loaded', async () => {}],
  ['later', (screen) => screen.shows('online 3 ms')],
]
for (const [name, end, code, [when, comes]] of ends.flatMap((row) =>
  moments.map((moment) => [...row, moment] as const),
)) {
  test(
    `${name} ${when} puts the terminal back`,
    withScreen({ env: conversation }, async (screen) => {
      assert.ok(screen.isAlternate)
      await comes(screen)
      await has(screen, { wraps: false, pastes: true, reportsFocus: true })
      end(screen)
      const ended = await screen.ends()
      assert.is(ended.exitCode, code)
      await screen.shows('the client has ended')
      await isRestored(screen)
    }),
  )
}

const directory = mkdtempSync(join(tmpdir(), 'chatd-tui-screen-'))
const kept = { ...conversation, FAKE_DIRECTORY: directory }
const logText = (): string => readFileSync(join(directory, 'tui.log'), 'utf8')
test.after(() => rmSync(directory, { recursive: true, force: true }))

test(
  '/set changes the file and what is seen, and the next start begins so',
  withScreen({ env: kept }, async (screen) => {
    screen.type('/set theme mono\r')
    await screen.shows('theme = mono')
    assert.is(readFileSync(join(directory, 'tui.toml'), 'utf8'), 'theme = "mono"\n')
    screen.type('/set\r')
    await screen.shows(/theme = mono[^]*notify = auto/)
    screen.type('\x1b/quit\r')
    await screen.ends()
    rmSync(join(directory, 'tui.toml'))
  }),
)

for (const [word, reason] of [
  ['throw', 'a crash of the program'],
  ['reject', 'a promise that nobody holds'],
  ['break', 'stateTexts[connection.state] is not a function'],
] as const) {
  test(
    `${reason}: the terminal is put back, the reason and the place of the log are told`,
    withScreen({ env: kept, columns: 200 }, async (screen) => {
      screen.type(`${word}\r`)
      assert.is((await screen.ends()).exitCode, 1)
      await isRestored(screen)
      await screen.shows(`The terminal client ended: ${reason}; what happened is in ${directory}/tui.log`)
      assert.ok(logText().includes(`"error":{"message":"${reason}","stack":"`))
      assert.is(statSync(join(directory, 'tui.log')).mode & 0o777, 0o600)
    }),
  )
}

test('who closes the terminal ends the client, and the draft is there the next time', async () => {
  const screen = new Screen([process.execPath, PROGRAM], { env: kept })
  await screen.shows(READY)
  screen.type('half a thou')
  await screen.shows('> half a thou')
  const { pid } = screen
  screen.hangUp()
  await eventually(() => !existsSync(`/proc/${pid}`), { what: 'the program has ended' })
  assert.match(logText(), /the end of the terminal/)
  assert.match(readFileSync(join(directory, 'tui.json'), 'utf8'), /half a thou/)
})

test('without a terminal to read from it says so and leaves the screen alone', async () => {
  const screen = new Screen(['/bin/sh', '-c', `exec "${process.execPath}" "${PROGRAM}" < /dev/null`], {})
  try {
    await screen.shows('chat tui needs a terminal')
    assert.is((await screen.ends()).exitCode, 1)
    assert.not(screen.raw.includes('\x1b['))
  } finally {
    await screen.close()
  }
})

const CHAT = fileURLToPath(new URL('../../bin/chat.js', import.meta.url))
for (const flags of [[], ['--screen-reader']]) {
  test(`a terminal without a cursor gets a sentence, not a screen or a question: ${flags.join(' ')}`, async () => {
    const command = [process.execPath, CHAT, '--home', join(directory, 'home'), 'tui', ...flags]
    const screen = new Screen(command, { columns: 200, env: { TERM: 'dumb' } })
    try {
      await screen.shows(/\(TERM=dumb\); chat send, chat listen and chat history work here/)
      assert.is((await screen.ends()).exitCode, 2)
      assert.not(screen.raw.includes('\x1b'))
    } finally {
      await screen.close()
    }
  })
}

test('for a screen reader: lines one after the other, no screen of its own, no colours, and what it takes is given back', async () => {
  const screen = new Screen([process.execPath, PROGRAM], { env: { ...conversation, INK_SCREEN_READER: 'true' } })
  try {
    await screen.shows(/bob: message 30\n>$/m)
    screen.type('hello\r')
    await screen.shows(/^you: hello$/m)
    screen.type('burst\r')
    await screen.shows(/^bob: burst 20$/m)
    screen.type('hostile\r')
    await screen.shows(/^bob: before.\[2J.\]0;owned/m)
    screen.type('a draft')
    await screen.shows(/^> a draft$/m)
    assert.not(screen.isAlternate)
    for (const sign of ['\x1b[7m', '\x1b[1m', '\x1b[36m', '\x1b[33m', '─', '▸'])
      assert.not(screen.raw.includes(sign), sign)
    screen.type('\x15/quit\r')
    assert.is((await screen.ends()).exitCode, 0)
    await screen.shows('the client has ended')
    await isRestored(screen)
  } finally {
    await screen.close()
  }
})

/** What the shell runs. */
const clientOf = ({ pid }: Screen): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0])

test('Ctrl-Z leaves to the shell with the terminal as it was, fg comes back to the draft', async () => {
  const screen = new Screen(['/bin/bash', '--norc', '--noprofile', '-i'], { env: conversation })
  // The shell asks for pastes itself.
  const isShells = (): Promise<boolean> =>
    eventually(() => !screen.isAlternate && screen.modes.wraps && !screen.modes.reportsFocus)
  try {
    screen.type(`${process.execPath} ${PROGRAM}\r`)
    await screen.shows(READY)
    screen.type('a thought')
    await screen.shows('> a thought')
    screen.type('\x1a')
    await screen.shows('Stopped')
    await isShells()
    screen.type('fg\r')
    await eventually(() => screen.isAlternate)
    await screen.shows('> a thought')
    // A signal from elsewhere does the same.
    process.kill(clientOf(screen), 'SIGTSTP')
    await isShells()
    screen.type('fg\r')
    await eventually(() => screen.isAlternate)
    await screen.shows('> a thought')
    screen.type('\x15/quit\r')
    await screen.shows('the client has ended')
    await isShells()
  } finally {
    await screen.close()
  }
})

test.run()
