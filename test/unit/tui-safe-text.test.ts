// What strangers may write into a terminal: a table of attacks and of harmless text, then random bytes.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import fc from 'fast-check'
import { safeLine, safeTemplate, safeText } from '../../src/client/safe-text.ts'

const MARK = '\ufffd'
const cases: [name: string, text: string, shown: string][] = [
  ['plain', 'hello, world\n\tindented', 'hello, world\n\tindented'],
  ['accents and scripts', 'Grüße, 你好, مرحبا', 'Grüße, 你好, مرحبا'],
  ['composed', 'e\u0301', 'é'],
  ['Windows line ends', 'a\r\nb', 'a\nb'],
  ['carriage return', 'a\rb', `a${MARK}b`],
  ['backspace', 'a\bb', `a${MARK}b`],
  ['colour', '\x1b[31mred', `${MARK}[31mred`],
  ['title', '\x1b]0;title\x07', `${MARK}]0;title${MARK}`],
  ['C1 CSI', '\x9b2Jx', `${MARK}2Jx`],
  ['delete', 'a\x7f', `a${MARK}`],
  ['line separator', 'a\u2028b', `a${MARK}b`],
  ['direction override', 'a\u202egpj.exe', `a${MARK}gpj.exe`],
  ['zero width', 'pay\u200bpal\ufeff', 'paypal'],
  ['tags', 'a\u{e0041}\u{e0042}', 'a'],
  ['tower of marks', `Z${'\u0301'.repeat(50)}`, `Ź${'\u0301'.repeat(4)}`],
  ['family', '👨‍👩‍👧‍👦', '👨‍👩‍👧‍👦'],
  ['flag of a country', '🇩🇪', '🇩🇪'],
  ['emoji style', '❤️', '❤️'],
  ['joiner outside emoji', 'a\u200db', 'ab'],
  ['lone surrogate', 'a\ud800', `a${MARK}`],
  ['private use', '\ue0b0', MARK],
]
for (const [name, text, shown] of cases) test(`safeText: ${name}`, () => assert.is(safeText(text), shown))

test('safeText: a long text and too many lines end in an ellipsis', () => {
  assert.is(safeText('a'.repeat(9), { maxLength: 4 }), 'aaaa…')
  assert.is(safeText('a\nb\nc', { maxLines: 2 }), 'a\nb\n…')
  assert.is(safeLine('a\n\tb'), 'a b')
})

test('safeText: an endless emoji is cut into pieces of bounded length', () => {
  const shown = safeText(`👨${'\u200d👨'.repeat(100)}`)
  const longest = Math.max(...[...new Intl.Segmenter().segment(shown)].map(({ segment }) => segment.length))
  assert.ok(longest <= 24, `${longest}`)
})

test('safeText: nothing dangerous survives, and what is safe is left alone', () => {
  const dangerous =
    /[^\P{Cc}\n\t]|[\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\u200b\u200c\u200e\u200f\u061c\ufeff]|\p{M}{5}/u
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const shown = safeText(text)
      return !dangerous.test(shown) && safeText(shown) === shown
    }),
    { numRuns: 2_000, seed: 7 },
  )
})

test('safeTemplate joins literals and safe values', () => {
  assert.is(safeTemplate`${safeLine('a\x07')}: ${3}`, `a${MARK}: 3`)
})

test.run()
