// What Ink is given in place of its own Output draws what that draws, of what the components ask for.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import RowOutput from '../../src/tui/row-output.ts'

// Ink does not export it.
const { default: InkOutput } = (await import(new URL('./output.js', import.meta.resolve('ink')).href)) as {
  default: typeof RowOutput
}
type Draw = (output: RowOutput) => void

const plain = { transformers: [] }
const outputsOf = (draw: Draw) =>
  [RowOutput, InkOutput].map((Output) => {
    const output = new Output({ width: 20, height: 5 })
    draw(output)
    return output.get()
  })

const cases: Record<string, Draw> = {
  nothing: () => {},
  'parts of a row from left to right': (output) => {
    output.write(0, 1, 'bob', plain)
    output.write(7, 1, '|', plain)
    output.write(8, 1, 'hello', plain)
  },
  'several lines at once': (output) => {
    output.write(0, 0, 'a', plain)
    output.write(3, 0, '|\n|\n|', plain)
    output.write(4, 2, 'c', plain)
  },
  'wide characters and emoji': (output) => {
    output.write(0, 0, '日本', plain)
    output.write(5, 0, '|', plain)
    output.write(0, 1, '👩‍👩‍👧 é', plain)
    output.write(7, 1, '|', plain)
  },
  styles: (output) => {
    output.write(1, 0, '\x1b[1mbob\x1b[22m', plain)
    output.write(6, 0, '\x1b[7m here \x1b[27m', plain)
  },
  transformers: (output) =>
    output.write(0, 0, 'a\nb', { transformers: [(text, index) => `${index} ${text}`, (text) => `<${text}>`] }),
  'spaces at the end': (output) => output.write(0, 0, 'a   ', plain),
  'rows outside of the box, and of the one around it': (output) => {
    output.clip({ y1: 1, y2: 4 })
    output.clip({ x1: 0, x2: 20, y1: 0, y2: 3 })
    output.write(0, 0, '0\n1\n2\n3\n4', plain)
    output.unclip()
    output.write(4, 0, '0\n1\n2\n3\n4', plain)
    output.unclip()
    output.write(8, 0, '0\n1\n2\n3\n4', plain)
  },
  'rows outside of the screen': (output) => output.write(0, -1, 'a\nb\nc\nd\ne\nf\ng', plain),
}
for (const [name, draw] of Object.entries(cases)) {
  test(name, () => {
    const [ours, inks] = outputsOf(draw)
    assert.equal(ours, inks)
  })
}

test.run()
