// A row that changed is on the screen as if it had been written anew.
import headless from '@xterm/headless'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import rowUpdate from '../../src/tui/row-update.ts'

const COLUMNS = 10
const drawn = async (...bytes: string[]): Promise<{ text: string; column: number }> => {
  const terminal = new headless.Terminal({ cols: COLUMNS, rows: 2, allowProposedApi: true })
  for (const part of bytes) await new Promise<void>((resolve) => terminal.write(part, resolve))
  const { active } = terminal.buffer
  const text = active.getLine(0)?.translateToString() ?? ''
  const column = active.cursorX
  terminal.dispose()
  return { text, column }
}

const cases: [before: string, next: string][] = [
  ['> ab', '> abc'],
  ['> abc', '> ab'],
  ['', 'a'],
  ['a', ''],
  ['same', 'same'],
  ['0123456789', '0123456789'],
  ['0123456789', '012345678'],
  ['012345678x', '012345678y'],
  ['é 1', 'é 2'],
  ['\x1b[1mbob\x1b[22m 1', '\x1b[1mbob\x1b[22m 2'],
  ['日本 1', '日本 22'],
]
for (const [before, next] of cases) {
  test(`${JSON.stringify(before)} becomes ${JSON.stringify(next)}`, async () => {
    const [updated, anew] = await Promise.all([drawn(before, rowUpdate(before, next, COLUMNS)), drawn(next)])
    assert.equal(updated, anew)
  })
}

test('what both begin with is not written again', () => {
  assert.is(rowUpdate('> a draft', '> a draft!', 40), '\x1b[10G\x1b[K!')
})

test.run()
