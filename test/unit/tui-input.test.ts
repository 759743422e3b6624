// Bytes of a terminal to events: chunks as they come, sequences in pieces, pastes, focus, replies nobody asked for.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createInputDecoder, type InputEvent } from '../../src/tui/input.ts'

const text = (value: string): InputEvent => ({ type: 'text', text: value })
const key = (name: string): InputEvent => ({ type: 'key', key: name })
const paste = (value: string): InputEvent => ({ type: 'paste', text: value })
const mouse = (does: 'up' | 'down' | 'press', x: number, y: number): InputEvent => ({ type: 'mouse', does, x, y })
const focus = (isFocused: boolean): InputEvent => ({ type: 'focus', isFocused })

const cases: [name: string, chunks: string[], events: InputEvent[]][] = [
  ['text and Enter in one chunk', ['hello\r'], [text('hello'), key('enter')]],
  ['several lines typed ahead', ['a\rb\r'], [text('a'), key('enter'), text('b'), key('enter')]],
  ['Ctrl-J is not Enter', ['a\nb'], [text('a'), key('ctrl-j'), text('b')]],
  ['emoji and scripts', ['👨‍👩‍👧‍👦你é'], [text('👨‍👩‍👧‍👦你é')]],
  ['control keys', ['\x01\x0b\x7f\x08'], [key('ctrl-a'), key('ctrl-k'), key('backspace'), key('backspace')]],
  ['arrows, both ways', ['\x1b[A\x1bOB\x1b[H'], [key('up'), key('down'), key('home')]],
  ['paging', ['\x1b[5~\x1b[6~\x1b[3~'], [key('pageup'), key('pagedown'), key('delete')]],
  ['modifiers', ['\x1b[1;5C\x1b[1;3D\x1b[1;3F'], [key('ctrl-right'), key('alt-left'), key('alt-end')]],
  ['Alt with a letter', ['\x1ba\x1b\r\x1b\x7f'], [key('alt-a'), key('alt-enter'), key('alt-backspace')]],
  ['a sequence in pieces', ['\x1b', '[', '5', '~x'], [key('pageup'), text('x')]],
  ['focus reports', ['\x1b[Oab\x1b[I'], [focus(false), text('ab'), focus(true)]],
  ['a paste', ['\x1b[200~one\rtwo\t\x1b[201~\r'], [paste('one\ntwo\t'), key('enter')]],
  ['a paste in pieces', ['\x1b[200~on', 'e\x1b[2', '01~x'], [paste('one'), text('x')]],
  ['controls in a paste are not keys', ['\x1b[200~a\x03\x1b[Ab\x1b[201~'], [paste('a[Ab')]],
  ['replies of the terminal', ['\x1b]11;rgb:00/00/00\x07\x1bP1$r\x1b\\\x1b[?62;c\x1b[24;80Rx'], [text('x')]],
  [
    'the wheel, and the first button',
    ['\x1b[<64;10;5M\x1b[<65;1;1M\x1b[<0;3;', '2M\x1b[<0;3;2m'],
    [mouse('up', 9, 4), mouse('down', 0, 0), mouse('press', 2, 1)],
  ],
  [
    'other buttons, with modifiers, and what is dragged',
    ['\x1b[<2;1;1M\x1b[<4;1;1M\x1b[<68;1;1M\x1b[<32;1;1Mx'],
    [text('x')],
  ],
  ['unknown sequences', ['\x1b[99~\x1b[1;2Px'], [text('x')]],
  ['C1 controls', ['a\x9bb'], [text('a'), text('b')]],
]
for (const [name, chunks, events] of cases) {
  test(`input: ${name}`, () => {
    const decoder = createInputDecoder()
    assert.equal(
      chunks.flatMap((chunk) => decoder.push(chunk)),
      events,
    )
    assert.not(decoder.isPending())
  })
}

test('input: a lone ESC waits, then is the Escape key', () => {
  const decoder = createInputDecoder()
  assert.equal(decoder.push('\x1b'), [])
  assert.ok(decoder.isPending())
  assert.equal(decoder.flush(), [key('escape')])
  assert.equal(decoder.push('a'), [text('a')])
})

test('input: a paste that goes on is not ended by waiting', () => {
  const decoder = createInputDecoder()
  decoder.push('\x1b[200~abc')
  assert.not(decoder.isPending())
  assert.equal(decoder.push('\x1b[201~'), [paste('abc')])
})

test('input: any cutting of the stream gives the same events', () => {
  const stream = 'hé👍🏽\r\x1b[1;5A\x1b[200~p\rq\x1b[201~\x1b[I\x01z'
  const joined = (events: InputEvent[]): string =>
    events.map((event) => (event.type === 'text' ? event.text : JSON.stringify(event))).join('')
  const whole = joined(createInputDecoder().push(stream))
  for (let cut = 1; cut < stream.length; cut++) {
    const decoder = createInputDecoder()
    const events = [...decoder.push(stream.slice(0, cut)), ...decoder.push(stream.slice(cut))]
    assert.is(joined(events), whole, `cut at ${cut}`)
  }
})

test.run()
