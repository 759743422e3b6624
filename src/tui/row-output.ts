// What Ink is given in place of its own Output (lean-modules.ts): rows are joined as text. Ink's own makes an object for each cell of the screen,
// for each frame, which was most of what a frame cost. It draws what our components ask for and no more: text that fits its box,
// cut to the rows of the box, and beside each other from left to right.
import quickWidth from './quick-width.ts'

/** Of Ink's; what is left out has no end there. */
interface Clip {
  x1?: number | undefined
  x2?: number | undefined
  y1?: number | undefined
  y2?: number | undefined
}
interface Bounds {
  from: number
  to: number
}
interface Row {
  text: string
  cells: number
}
type Transformer = (line: string, index: number) => string

/** Widths of rows that were drawn; more than a few screens of them need not be known. */
const MAX_KNOWN = 2_000
const known = new Map<string, number>()
const widthOf = (text: string): number => {
  const before = known.get(text)
  if (before !== undefined) return before
  if (known.size >= MAX_KNOWN) known.clear()
  const width = quickWidth(text)
  known.set(text, width)
  return width
}

class RowOutput {
  readonly #rows: Row[]
  readonly #bounds: Bounds[] = []

  constructor({ height }: { width: number; height: number }) {
    this.#rows = Array.from({ length: height }, () => ({ text: '', cells: 0 }))
  }

  write(x: number, y: number, text: string, { transformers }: { transformers: readonly Transformer[] }): void {
    const bounds = this.#bounds.at(-1)
    for (const [index, part] of text.split('\n').entries()) {
      const row = this.#rows[y + index]
      if (!row || (bounds && (y + index < bounds.from || y + index >= bounds.to))) continue
      const drawn = transformers.reduce((line, transform) => transform(line, index), part)
      row.text += ' '.repeat(Math.max(0, x - row.cells)) + drawn
      row.cells = Math.max(x, row.cells) + widthOf(drawn)
    }
  }

  /** Of the rows alone: what is wider than its box Ink has cut already. */
  clip({ y1: from = -Infinity, y2: to = Infinity }: Clip): void {
    const outer = this.#bounds.at(-1)
    this.#bounds.push(outer ? { from: Math.max(outer.from, from), to: Math.min(outer.to, to) } : { from, to })
  }

  unclip(): void {
    this.#bounds.pop()
  }

  get(): { output: string; height: number } {
    return { output: this.#rows.map(({ text }) => text.trimEnd()).join('\n'), height: this.#rows.length }
  }
}

// oxlint-disable-next-line import/no-default-export -- as Ink's own, whose place it takes
export default RowOutput
