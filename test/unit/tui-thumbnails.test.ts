// Thumbnails: their size, their cells, when they are made, and that nothing is drawn where nothing can be.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { safeText } from '../../src/client/safe-text.ts'
import { halfBlocks, thumbnailSize } from '../../src/tui/half-blocks.ts'
import { lineText, lineWidth } from '../../src/tui/lines.ts'
import { screenOf } from '../../src/tui/screen-view.ts'
import type { State } from '../../src/tui/state.ts'
import { createStore } from '../../src/tui/store.ts'
import { Thumbnails } from '../../src/tui/thumbnails.ts'
import { eventually } from '../eventually.ts'
import { message, withBob } from '../tui-state-fixture.ts'

const sizes: [from: [number, number], columns: number, to: [number, number]][] = [
  [[320, 240], 48, [32, 24]],
  [[320, 240], 10, [10, 8]],
  [[320, 20], 48, [40, 2]],
  [[4, 4], 48, [4, 4]],
  [[1, 320], 48, [1, 24]],
  [[320, 1], 1, [1, 2]],
]
for (const [[width, height], columns, to] of sizes) {
  test(`${width}x${height} in ${columns} columns`, () => {
    const size = thumbnailSize({ width, height }, { columns })
    assert.equal([size.width, size.height], to)
  })
}

test('a cell has the upper pixel as its colour and the lower one behind it; the same side by side are one span', () => {
  const [red, blue, white] = [
    [255, 0, 0],
    [0, 0, 255],
    [255, 255, 255],
  ]
  const pixels = Uint8Array.from([red, red, white, blue, blue, white].flat())
  const lines = halfBlocks(pixels, { width: 3, height: 2 })
  assert.equal(lines.map(lineText), ['▀▀▀'])
  assert.equal(
    lines[0]?.map(({ text, paint }) => [text, paint?.color, paint?.backgroundColor]),
    [
      ['▀▀', '#ff0000', '#0000ff'],
      ['▀', '#ffffff', '#ffffff'],
    ],
  )
})

const preview = { type: 'image/jpeg', data: '', width: 320, height: 240 }
const file = { index: 0, name: safeText('sea.jpg'), size: 3_000, preview }
const picture = message('p', '[file sea.jpg, 3 KiB]', { pictures: [file] })
const mainText = (state: State): string => screenOf(state).main.map(lineText).join('\n')

const watching = (state: State, decode: (size: { width: number; height: number }) => Uint8Array | undefined) => {
  const store = createStore(state)
  const asked: string[] = []
  const thumbnails = new Thumbnails({
    store,
    signal: new AbortController().signal,
    decode: async (_preview, size) => {
      asked.push(`${size.width}x${size.height}`)
      return decode(size)
    },
  })
  store.subscribe(() => thumbnails.follow())
  store.dispatch({ type: 'toast', text: safeText('go'), style: 'dim' })
  return { store, asked }
}
const grey = ({ width, height }: { width: number; height: number }): Uint8Array => new Uint8Array(width * height * 3)

test('what is on the screen is made once for a width, and again for another one', async () => {
  const { store, asked } = watching(withBob(message('1', 'look'), picture), grey)
  await eventually(() => mainText(store.getState()).includes('▀'))
  store.dispatch({ type: 'toast', text: safeText('more'), style: 'dim' })
  assert.is(asked.length, 1)
  for (const line of screenOf(store.getState()).main) assert.ok(lineWidth(line) <= 50)
  store.dispatch({ type: 'resized', columns: 30, rows: 16 })
  assert.not.match(mainText(store.getState()), /▀/)
  await eventually(() => mainText(store.getState()).includes('▀'))
  assert.is(asked.length, 2)
})

test('several pictures stand side by side, and in rows where there is no room', async () => {
  const files = [0, 1, 2].map((index) => ({ ...file, index }))
  const { store, asked } = watching(
    { ...withBob(message('p', 'three', { pictures: files })), size: { columns: 59, rows: 40 } },
    grey,
  )
  await eventually(() => mainText(store.getState()).includes('▀'))
  assert.equal(asked, ['21x16', '21x16', '21x16'])
  const rows = mainText(store.getState())
    .split('\n')
    .filter((line) => line.includes('▀'))
  assert.is(rows.length, 16)
  assert.ok(
    rows.slice(0, 8).every((line) => line.trimEnd() === `  ${'▀'.repeat(21)} ${'▀'.repeat(21)}`),
    rows[0],
  )
  assert.ok(rows.slice(8).every((line) => line.trimEnd() === `  ${'▀'.repeat(21)}`))
})

test('what cannot be read is tried once, and is the name of a file only', async () => {
  const { store, asked } = watching(withBob(picture), () => undefined)
  await eventually(() => store.getState().thumbnails.size === 1)
  store.dispatch({ type: 'toast', text: safeText('more'), style: 'dim' })
  assert.is(asked.length, 1)
  assert.match(mainText(store.getState()), /sea\.jpg/)
  assert.not.match(mainText(store.getState()), /▀/)
})

test('without colours there are none', async () => {
  const { store, asked } = watching({ ...withBob(picture), theme: 'mono' }, grey)
  assert.equal(asked, [])
  store.dispatch({ type: 'thumbnail', id: 'p', width: 50, rows: 8, lines: [[]] })
  assert.not.match(mainText(store.getState()), /▀/)
})

test.run()
