// Looking at pictures: which graphics a terminal is believed to have, the bytes they take, and the viewer from the file to the screen.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { safeText } from '../../src/client/safe-text.ts'
import { systemClock } from '../../src/platform/system.ts'
import { askGraphics, type TerminalGraphics } from '../../src/tui/asking.ts'
import { answersOf, type Graphics, graphicsOf, noAnswers, type Tmux } from '../../src/tui/graphics.ts'
import { hideBytes, showBytes } from '../../src/tui/graphics-bytes.ts'
import { createInputDecoder } from '../../src/tui/input.ts'
import { lineText, lineWidth } from '../../src/tui/lines.ts'
import { screenOf, screenText } from '../../src/tui/screen-view.ts'
import { sixelBytes } from '../../src/tui/sixel.ts'
import { createStore, type Store } from '../../src/tui/store.ts'
import { Viewer } from '../../src/tui/viewer.ts'
import { eventually } from '../eventually.ts'
import { message, type, withBob } from '../tui-state-fixture.ts'

const tmux: Tmux = { passesOn: true, left: 10, top: 3, term: 'xterm-kitty', words: 'kitty(0.35)' }
const sixel = { ...noAnswers, hasSixel: true }
const terminals: [what: string, env: NodeJS.ProcessEnv, of: { tmux?: Tmux; answers?: typeof sixel }, Graphics][] = [
  ['kitty', { TERM: 'xterm-kitty' }, {}, 'kitty'],
  ['Ghostty over ssh', { TERM: 'xterm-ghostty' }, {}, 'kitty'],
  ['iTerm2 over ssh', { TERM: 'xterm-256color', LC_TERMINAL: 'iTerm2' }, {}, 'iterm'],
  ['WezTerm', { TERM: 'xterm-256color', WEZTERM_PANE: '0' }, {}, 'iterm'],
  ['one that answers sixel', { TERM: 'xterm-256color' }, { answers: sixel }, 'sixel'],
  ['one that answers nothing', { TERM: 'xterm-256color' }, {}, 'blocks'],
  ['a dumb one', { TERM: 'dumb', KITTY_WINDOW_ID: '1' }, { answers: sixel }, 'blocks'],
  ['the console', { TERM: 'linux' }, {}, 'blocks'],
  ['kitty under a tmux that passes on', { TERM: 'tmux-256color', TMUX: 'x' }, { tmux }, 'kitty'],
  [
    'kitty under a tmux that does not',
    { TERM: 'tmux-256color', TMUX: 'x', KITTY_WINDOW_ID: '1' },
    { tmux: { ...tmux, passesOn: false } },
    'blocks',
  ],
  ['a tmux that knows sixel itself', { TERM: 'screen-256color', TMUX: 'x' }, { answers: sixel }, 'sixel'],
  ['a tmux that says nothing', { TERM: 'screen', TMUX: 'x', KITTY_WINDOW_ID: '1' }, {}, 'blocks'],
]
for (const [what, env, { tmux: around, answers = noAnswers }, graphics] of terminals) {
  test(`${what}: ${graphics}`, () => {
    assert.is(graphicsOf('auto', { env, answers, tmux: around }), graphics)
    assert.is(graphicsOf('iterm', { env, answers, tmux: around }), 'iterm')
  })
}

test('replies of the terminal are no input, in whatever pieces; what they say is understood', () => {
  const replies: string[] = []
  const decoder = createInputDecoder((reply) => replies.push(reply))
  const bytes = 'a\x1b[6;22;11tb\x1b[?62;4;22cc'
  const events = Array.from(bytes).flatMap((byte) => decoder.push(byte))
  assert.equal(
    events.map((event) => ('text' in event ? event.text : event)),
    ['a', 'b', 'c'],
  )
  assert.equal(answersOf(replies), { hasSixel: true, cell: { width: 11, height: 22 } })
  assert.equal(answersOf(['?1;2c']), noAnswers)
})

test('a terminal that never answers costs a moment; one that would show the question is not asked', async () => {
  const written: string[] = []
  const ports = { clock: systemClock, write: (bytes: string) => void written.push(bytes), onReply: () => () => true }
  assert.is((await askGraphics('auto', { ...ports, env: { TERM: 'xterm' } })).graphics, 'blocks')
  assert.is(written.length, 1)
  assert.is((await askGraphics('auto', { ...ports, env: { TERM: 'dumb' } })).graphics, 'blocks')
  assert.is((await askGraphics('auto', { ...ports, env: {} })).graphics, 'blocks')
  assert.is((await askGraphics('blocks', { ...ports, env: { TERM: 'xterm' } })).graphics, 'blocks')
  assert.is(written.length, 1)
})

/** With the escape character as a sign. */
const seen = (bytes: string | undefined): string => (bytes ?? '').replaceAll('\x1b', '␛')

const box = { column: 4, row: 2, columns: 20, rows: 8 }
const data = Uint8Array.from({ length: 10_000 }, (_, index) => index % 251)
const kitty = (bytes: string): { head: string; data: Buffer } => {
  const pieces = [...seen(bytes).matchAll(/␛_G([^;]*);([^␛]*)␛\\/g)]
  for (const [, , text = ''] of pieces) assert.ok(text.length <= 4096)
  assert.equal(
    pieces.map(([, head = '']) => /m=(\d)/.exec(head)?.[1]),
    pieces.map((_, index) => (index === pieces.length - 1 ? '0' : '1')),
  )
  return { head: pieces[0]?.[1] ?? '', data: Buffer.from(pieces.map(([, , text]) => text).join(''), 'base64') }
}

test('kitty gets it in pieces, in its cells, and the cursor stays', () => {
  const bytes = showBytes('kitty', { data, width: 200, height: 160 }, { box, tmux: undefined })
  assert.ok(bytes.startsWith('\x1b7\x1b[3;5H') && bytes.endsWith('\x1b8'))
  const sent = kitty(bytes)
  assert.equal(sent.data, Buffer.from(data))
  for (const part of ['a=T', 'f=100', 'c=20', 'r=8', 'C=1', 'q=2']) assert.ok(sent.head.split(',').includes(part), part)
  assert.match(seen(hideBytes('kitty', undefined)), /^␛_Ga=d,d=I,i=\d+,q=2␛\\$/)
})

test('through tmux each piece is in an envelope of its own, at its place in the terminal', () => {
  const bytes = showBytes('kitty', { data, width: 200, height: 160 }, { box, tmux })
  const outer = [...seen(bytes).matchAll(/␛Ptmux;((?:␛␛|[^␛])*)␛\\/g)]
  assert.is(outer.map(([whole]) => whole).join(''), seen(bytes))
  const inner = outer.map(([, text = '']) => text.replaceAll('␛␛', '\x1b')).join('')
  assert.ok(inner.startsWith('\x1b7\x1b[6;15H'))
  assert.equal(kitty(inner).data, Buffer.from(data))
})

const TOKENS = /#(\d+);2;([\d;]+)|#(\d+)|([$-])|!(\d+)([?-~])|([?-~])/g
/** Draws sixels as a terminal does: the colour of each pixel, in percent. */
const drawn = (bytes: string): string[][] => {
  const body = /^␛P0;1q"1;1;\d+;\d+(.*)␛\\$/s.exec(seen(bytes))?.[1] ?? ''
  const colours = new Map<string, string>()
  const pixels: string[][] = []
  let [x, top, colour] = [0, 0, '']
  const moves: Record<string, () => void> = { $: () => (x = 0), '-': () => ([x, top] = [0, top + 6]) }
  for (const [, defined, value = '', chosen, move = '', count = '1', run, single] of body.matchAll(TOKENS)) {
    if (defined !== undefined) colours.set(defined, value)
    else if (chosen !== undefined) colour = colours.get(chosen) ?? ''
    else moves[move]?.()
    const bits = (run ?? single ?? '?').charCodeAt(0) - 63
    const length = run === undefined && single === undefined ? 0 : Number(count)
    for (let column = x; column < x + length; column++) {
      for (let row = 0; row < 6; row++) if (bits & (1 << row)) (pixels[top + row] ??= [])[column] = colour
    }
    x += length
  }
  return pixels
}

test('sixels are the picture: every pixel once, over the edge of a band', () => {
  const [width, height] = [9, 8]
  const colourOf = (x: number, y: number): number[] => (x < 5 ? [255, 0, 0] : y < 6 ? [0, 0, 255] : [255, 255, 255])
  const data = Uint8Array.from(
    Array.from({ length: width * height }, (_, at) => colourOf(at % width, Math.floor(at / width))).flat(),
  )
  const expected = Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_each, x) =>
      colourOf(x, y)
        .map((value) => (value * 100) / 255)
        .join(';'),
    ),
  )
  assert.equal(drawn(sixelBytes({ data, width, height })), expected)
})

interface Picture {
  png(): { toBuffer(): Promise<Buffer> }
}
type Sharp = (input: { create: { width: number; height: number; channels: 3; background: string } }) => Picture
const SHARP: string = 'sharp'
const sharp = await import(SHARP).then(
  (module: { default: Sharp }) => module.default,
  () => undefined,
)

const files = [0, 1].map((index) => ({ index, name: safeText(`sea-${index}.png`), size: 1_000 }))
const looking = (bytes: Uint8Array, graphics: Graphics) => {
  const store = createStore(withBob(message('1', 'look'), message('p', '[file sea-0.png]', { pictures: files })))
  const [written, read]: [string[], string[]] = [[], []]
  let redrawn = 0
  const ending = new AbortController()
  const terminal: TerminalGraphics = { graphics, cell: noAnswers.cell, tmux: undefined }
  const viewer = new Viewer({
    chat: {
      readAttachment: async function* (id, index) {
        read.push(`${id} ${index}`)
        yield bytes
      },
    },
    store,
    clock: systemClock,
    signal: ending.signal,
    write: (text) => void written.push(text),
    redraw: () => (redrawn += 1),
    hasColours: true,
    askGraphics: async () => terminal,
  })
  store.subscribe(() => viewer.follow())
  const press = (keys: string): void => {
    for (const event of createInputDecoder().push(keys)) store.dispatch(event)
  }
  return { store, written, read, press, end: () => ending.abort(), redraws: () => redrawn }
}
const text = (store: Store): string => screenText(store.getState())

if (sharp) {
  const png = await sharp({ create: { width: 400, height: 200, channels: 3, background: '#336699' } })
    .png()
    .toBuffer()

  test('half blocks as large as the screen, the next picture, another size; what was typed stays', async () => {
    const { store, read, press } = looking(png, 'blocks')
    press('a thought\x13v')
    await eventually(() => text(store).includes('▀'))
    assert.match(text(store), /^sea-0\.png {2}1 of 2/m)
    assert.ok(screenOf(store.getState()).main.every((line) => lineWidth(line) <= 50))
    assert.is(screenOf(store.getState()).main.filter((line) => lineText(line).includes('▀')).length, 12)
    press('n')
    assert.match(text(store), /^sea-1\.png {2}2 of 2/m)
    await eventually(() => text(store).includes('▀'))
    press('n')
    assert.equal(read, ['p 0', 'p 1'])
    store.dispatch({ type: 'resized', columns: 30, rows: 16 })
    await eventually(() => screenOf(store.getState()).main.some((line) => lineText(line).includes('▀')))
    assert.ok(screenOf(store.getState()).main.every((line) => lineWidth(line) <= 30))
    assert.is(read.length, 2)
    press('q')
    assert.match(text(store), /> a thought/)
  })

  test('graphics are drawn in the cells that were kept free, and taken away again', async () => {
    const { store, written, press } = looking(png, 'kitty')
    press('/view\r')
    await eventually(() => written.length === 1)
    const sent = kitty(written[0] ?? '')
    assert.is(sent.data.subarray(1, 4).toString(), 'PNG')
    assert.ok(sent.head.includes('c=40,r=10'))
    assert.not.match(text(store), /▀|reading/)
    press('q')
    assert.match(written[1] ?? '', /a=d/)
  })

  test('what has no bytes to take it away is drawn over; the end of the client takes it away too', async () => {
    const { written, press, end, redraws } = looking(png, 'iterm')
    press('/view\r')
    await eventually(() => written.length === 1)
    assert.match(seen(written[0]), /␛\]1337;File=inline=1;size=\d+;width=40;height=10;preserveAspectRatio=1:/)
    press('q')
    assert.is(redraws(), 1)
    press('/view\r')
    await eventually(() => written.length === 2)
    end()
    assert.is(redraws(), 2)
  })
}

test('what is no picture is said, whatever it is called', async () => {
  const { store, press } = looking(Buffer.from('<svg onload="x"/>'), 'blocks')
  press('/view\r')
  await eventually(() => /no picture that can be shown/.test(text(store)))
  assert.match(type(withBob(message('1', 'look')), '/view\r').state.toast?.text ?? '', /no picture here/)
})

test.run()
