// The quick measure of text says what string-width says, of whatever characters.
import fc from 'fast-check'
import stringWidth from 'string-width'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import quickWidth from '../../src/tui/quick-width.ts'

test('every character of the first plane by itself', () => {
  for (let code = 0; code <= 0xffff; code++) {
    const text = String.fromCodePoint(code)
    if (quickWidth(text) !== stringWidth(text)) assert.unreachable(`U+${code.toString(16)}`)
  }
})

test('text of everything that joins or changes its neighbours', () => {
  const parts = [
    'a',
    ' ',
    '…',
    '✓',
    '─',
    '▀',
    'é',
    'я',
    '\u0301',
    '\ufe0f',
    '\u200d',
    '\u20e3',
    '1',
    '#',
    '👍',
    '🏽',
    '漢',
    '\x1b[2m',
    '\x1b[38;5;1m',
    '\x1b',
    '\n',
    '\t',
    '\u00ad',
    '©',
  ]
  const texts = fc.array(fc.oneof(fc.constantFrom(...parts), fc.string({ unit: 'grapheme' })), { maxLength: 12 })
  fc.assert(
    fc.property(texts, (pieces) => quickWidth(pieces.join('')) === stringWidth(pieces.join(''))),
    { numRuns: 2_000 },
  )
})

test.run()
