// Editing a draft: a table of edits on `text|text`, where the bar is the cursor.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lineText } from '../../src/tui/lines.ts'
import { composerView } from '../../src/tui/composer-view.ts'
import { safeLine } from '../../src/client/safe-text.ts'
import { type Draft, draftOf, type Edit, edits, insert, moveLine } from '../../src/tui/draft.ts'

const parse = (shown: string): Draft => ({ text: shown.replace('|', ''), cursor: shown.indexOf('|') })
const show = ({ text, cursor }: Draft): string => `${text.slice(0, cursor)}|${text.slice(cursor)}`

const cases: [edit: Edit, before: string, after: string][] = [
  ['left', 'ab|', 'a|b'],
  ['left', '|ab', '|ab'],
  ['left', 'a👨‍👩‍👧‍👦|', 'a|👨‍👩‍👧‍👦'],
  ['right', '|e\u0301x', 'e\u0301|x'],
  ['right', 'ab|', 'ab|'],
  ['wordLeft', 'one two |', 'one |two '],
  ['wordRight', 'one| two x', 'one two| x'],
  ['lineStart', 'a\nbc|d', 'a\n|bcd'],
  ['lineEnd', 'a|b\nc', 'ab|\nc'],
  ['backspace', 'a👍🏽|b', 'a|b'],
  ['backspace', '|b', '|b'],
  ['delete', 'a|👍🏽b', 'a|b'],
  ['killWord', 'one two  |x', 'one |x'],
  ['killWordRight', 'one| two x', 'one| x'],
  ['killLineStart', 'a\nbc|d', 'a\n|d'],
  ['killLineEnd', 'a|b\nc', 'a|\nc'],
  ['killLineEnd', 'a|\nc', 'a|c'],
  ['newline', 'a|b', 'a\n|b'],
]
for (const [edit, before, after] of cases) {
  test(`draft: ${edit} on ${JSON.stringify(before)}`, () => assert.is(show(edits[edit](parse(before))), after))
}

test('draft: Up and Down move by column while there is a line, and say so when there is none', () => {
  assert.is(show(moveLine(parse('abc\nde|f'), -1) ?? draftOf('')), 'ab|c\ndef')
  assert.is(show(moveLine(parse('a|bc\nd'), 1) ?? draftOf('')), 'abc\nd|')
  assert.is(show(moveLine(parse('abc|\nd\nxyz'), 1) ?? draftOf('')), 'abc\nd|\nxyz')
  assert.is(moveLine(parse('ab|c'), -1), undefined)
  assert.is(moveLine(parse('ab|c'), 1), undefined)
})

test('composer: wraps between graphemes, keeps the cursor in view, shows the unsafe as a mark', () => {
  const view = (draft: Draft, rows = 9) => composerView(draft, { width: 8, rows, hint: safeLine('hint') })
  const texts = (draft: Draft, rows?: number): string[] => view(draft, rows).lines.map(lineText)
  assert.equal(texts(draftOf('abcdefgh')), ['> abcde', '  fgh'])
  assert.equal(view(draftOf('abcdefgh')).cursor, { x: 5, y: 1 })
  assert.equal(texts(draftOf('你好你好')), ['> 你好', '  你好'])
  assert.equal(texts(draftOf('')), ['> hint'])
  assert.equal(view(draftOf('')).cursor, { x: 2, y: 0 })
  assert.equal(texts(insert(draftOf('a'), '\x9bb')), ['> a\ufffdb'])
  assert.equal(texts(draftOf('1\n2\n3\n4\n5'), 2), ['  4', '  5'])
  assert.equal(view(parse('|1\n2\n3\n4\n5'), 2).cursor, { x: 2, y: 0 })
})

test.run()
