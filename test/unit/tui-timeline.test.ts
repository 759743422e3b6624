// Wrapping and the window over a long conversation: what is seen, where it hangs, and that length costs nothing.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { safeText } from '../../src/client/safe-text.ts'
import { widthOf } from '../../src/tui/cells.ts'
import { append, MAX_LOADED, mergeTail, prepend, renewed, type TimelineMessage } from '../../src/tui/messages.ts'
import { type Blocks, endOf, type Position, scrolled, windowAt, withTop } from '../../src/tui/window.ts'
import { wrap } from '../../src/tui/wrap.ts'

const wraps: [text: string, width: number, lines: string[]][] = [
  ['', 5, ['']],
  ['hello world', 5, ['hello', 'world']],
  ['hello world', 20, ['hello world']],
  ['abcdefgh', 3, ['abc', 'def', 'gh']],
  ['a\n\nb', 5, ['a', '', 'b']],
  ['  indented code', 10, ['  indented', 'code']],
  ['\tx', 10, ['    x']],
  ['你好世界', 5, ['你好', '世界']],
  ['ab 你好', 5, ['ab', '你好']],
  ['👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦', 4, ['👨‍👩‍👧‍👦👨‍👩‍👧‍👦', '👨‍👩‍👧‍👦']],
]
for (const [text, width, lines] of wraps) {
  test(`wrap: ${JSON.stringify(text)} at ${width}`, () => assert.equal(wrap(safeText(text), width), lines))
}

test('wrap: no line is wider than the room, and only spaces at breaks are lost', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.integer({ min: 4, max: 30 }), (raw, width) => {
      const text = safeText(raw.replaceAll('\t', ' '))
      const lines = wrap(text, width)
      const squeezed = (value: string): string => value.replace(/[ \n]/g, '')
      return lines.every((line) => widthOf(line) <= width) && squeezed(lines.join('')) === squeezed(text)
    }),
    { numRuns: 1_000, seed: 3 },
  )
})

/** Block `i` has i % 3 + 1 lines, named `i.line`. */
const blocks = (count: number): Blocks<string> & { asked: Set<number> } => {
  const asked = new Set<number>()
  const linesOf = (index: number): string[] => {
    asked.add(index)
    return Array.from({ length: (index % 3) + 1 }, (_, line) => `${index}.${line}`)
  }
  return { count, linesOf, asked }
}

test('window: the end, a place, fewer than fit, nothing', () => {
  const ten = blocks(10)
  assert.equal(windowAt(ten, endOf(ten), 4), { lines: ['8.0', '8.1', '8.2', '9.0'], first: 8, last: 9 })
  assert.equal(windowAt(ten, { index: 5, line: 1 }, 3).lines, ['4.1', '5.0', '5.1'])
  assert.equal(windowAt(blocks(2), endOf(blocks(2)), 10).lines, ['0.0', '1.0', '1.1'])
  assert.equal(windowAt(blocks(0), endOf(blocks(0)), 10), { lines: [], first: -1, last: -1 })
})

const scrolls: [name: string, from: Position | undefined, lines: number, to: Position | undefined][] = [
  ['up from the end', undefined, -1, { index: 8, line: 2 }],
  ['up over blocks', { index: 8, line: 2 }, -4, { index: 7, line: 0 }],
  ['no further than a full window', undefined, -100, { index: 2, line: 0 }],
  ['down', { index: 7, line: 0 }, 1, { index: 7, line: 1 }],
  ['down to the end follows again', { index: 8, line: 1 }, 5, undefined],
]
for (const [name, from, lines, to] of scrolls) {
  test(`scroll: ${name}`, () => assert.equal(scrolled(blocks(10), from, { lines, rows: 4 }), to))
}

test('scroll: what fits does not scroll', () => {
  assert.is(scrolled(blocks(2), undefined, { lines: -3, rows: 10 }), undefined)
  assert.is(withTop(blocks(2), 0, 10), undefined)
  assert.equal(windowAt(blocks(10), withTop(blocks(10), 3, 4) ?? endOf(blocks(10)), 4).lines[0], '3.0')
})

test('window: 100,000 blocks cost what twenty do', () => {
  const many = blocks(100_000)
  const bottom = scrolled(many, undefined, { lines: -20, rows: 40 })
  windowAt(many, bottom ?? endOf(many), 40)
  assert.ok(many.asked.size < 80, `${many.asked.size} blocks were asked for`)
})

const message = (id: string, status: TimelineMessage['status'] = 'received'): TimelineMessage => ({
  id,
  from: safeText('bob'),
  isOwn: false,
  atMs: 0,
  text: safeText(id),
  status,
})
const ids = (messages: readonly TimelineMessage[] | undefined): string | undefined =>
  messages?.map(({ id }) => id).join('')

test('messages: a fresh page replaces the end, keeps what did not change, and inserts what came late', () => {
  const loaded = ['a', 'b', 'c', 'd'].map((id) => message(id))
  const merged = mergeTail(loaded, [message('c'), message('x'), message('d', 'read'), message('e')])
  assert.is(ids(merged), 'abcxde')
  assert.is(merged?.[2], loaded[2])
  assert.is(merged?.[4]?.status, 'read')
  assert.is(mergeTail(loaded, [message('y')]), undefined)
  assert.is(ids(mergeTail([], [message('y')])), 'y')
})

test('messages: pages join at either end, nothing twice, and beyond the bound the other end goes', () => {
  const loaded = ['a', 'b', 'c', 'd'].map((id) => message(id))
  assert.is(ids(prepend(loaded, [message('y'), message('z')]).messages), 'yzabcd')
  assert.is(ids(prepend(loaded, [message('z'), message('a'), message('b')]).messages), 'zabcd')
  assert.is(ids(append(loaded, [message('e'), message('f')]).messages), 'abcdef')
  assert.is(ids(append(loaded, [message('d'), message('e')]).messages), 'abcde')
  const full = Array.from({ length: MAX_LOADED }, (_, index) => message(`m${index}`))
  const older = prepend(full, [message('x')])
  assert.equal(
    [older.messages.length, older.isCut, older.messages[0]?.id, older.messages.at(-1)?.id],
    [MAX_LOADED, true, 'x', `m${MAX_LOADED - 2}`],
  )
  const newer = append(full, [message('x')])
  assert.equal([newer.messages.length, newer.isCut, newer.messages[0]?.id], [MAX_LOADED, true, 'm1'])
})

test('messages: what is read again changes only what differs', () => {
  const loaded = ['a', 'b'].map((id) => message(id))
  assert.is(renewed(loaded, [message('b'), message('z')]), loaded)
  const after = renewed(loaded, [message('b', 'read')])
  assert.is(after[0], loaded[0])
  assert.is(after[1]?.status, 'read')
})

test.run()
