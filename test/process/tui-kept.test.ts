// deadline: 600s
// The built terminal client in a real pty, killed while somebody types: the text and the history of the input come back.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { eventually } from '../eventually.ts'
import { Screen } from '../tui-terminal.ts'

const PROGRAM = fileURLToPath(new URL('../tui-fake-program.ts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'chatd-tui-'))
const screens: Screen[] = []

const openScreen = async (env: Record<string, string> = {}): Promise<Screen> => {
  const screen = new Screen([process.execPath, PROGRAM], {
    env: { FAKE_DIRECTORY: directory, FAKE_MESSAGES: '3', ...env },
  })
  screens.push(screen)
  await screen.shows('message 3')
  return screen
}
const keptText = (): string => {
  try {
    return readFileSync(join(directory, 'tui.json'), 'utf8')
  } catch {
    return ''
  }
}

test.after(async () => {
  for (const screen of screens) await screen.close()
  rmSync(directory, { recursive: true, force: true })
})

test('who begins is told of the tour, without it over the screen; later starts are as ever', async () => {
  const begun = mkdtempSync(join(tmpdir(), 'chatd-tui-'))
  try {
    const first = await openScreen({ FAKE_DIRECTORY: begun })
    await first.shows('/tour shows the essentials.')
    first.type('/tour\r')
    await first.shows('1 of 5: Conversations')
    first.resize(40, 10)
    await first.shows('1 of 5: Conversations (1/2)')
    first.type('\r')
    await first.shows(/^ bob[^]*1 of 5: Conversations \(2\/2\)\n[^]*Enter go on · Left back · Esc close/)
    first.type('\x1b')
    await first.shows('message 3')
    first.type('\x03\x03')
    await first.ends()
    const again = await openScreen({ FAKE_DIRECTORY: begun })
    assert.not.match(again.lines.join('\n'), /shows the essentials/)
  } finally {
    rmSync(begun, { recursive: true, force: true })
  }
})

test('a draft and what was sent come back after kill -9', async () => {
  const screen = await openScreen()
  screen.type('sent before\r')
  await screen.shows(/sent before {2}✓/)
  screen.type('half a thou')
  await eventually(() => keptText().includes('half a thou'), { what: 'the draft is on disk' })
  screen.kill('SIGKILL')
  await screen.ends()
  const again = await openScreen()
  await again.shows('> half a thou')
  again.type('ght\x1b[A')
  await again.shows('> sent before')
  again.type('\x1b[B')
  await again.shows('> half a thought')
  again.type('\x03\x03\x03')
  assert.is((await again.ends()).exitCode, 0)
  assert.not(keptText().includes('half'))
})

test.run()
