// How the draft looks: broken at the edge between graphemes, the few lines around the cursor, and where the cursor stands.
// Pure. What cannot be shown safely is shown as a mark, and still sent as it was typed or pasted.
import { safeLine, safeTemplate as safe, type SafeText } from '../client/safe-text.ts'
import { graphemesOf, joinText, widthOf } from './cells.ts'
import type { Draft } from './draft.ts'
import { fit, type Line, line, span } from './lines.ts'

export interface ComposerView {
  lines: Line[]
  cursor: { x: number; y: number }
}
const PROMPT = safe`> `
const CONTINUED = safe`  `
const PROMPT_CELLS = widthOf(PROMPT)

interface Rows {
  rows: SafeText[]
  x: number
  y: number
}

const rowsOf = ({ text, cursor }: Draft, width: number): Rows => {
  const rows: SafeText[][] = [[]]
  let [cells, offset, x, y] = [0, 0, 0, 0]
  const breakRow = (): void => {
    rows.push([])
    cells = 0
  }
  for (const grapheme of graphemesOf(text)) {
    const shown = grapheme === '\n' ? safe`` : safeLine(grapheme)
    // A cell is kept free for the cursor at the end of a row.
    if (cells + widthOf(shown) > width - 1) breakRow()
    if (offset === cursor) [x, y] = [cells, rows.length - 1]
    offset += grapheme.length
    if (grapheme === '\n') breakRow()
    else rows.at(-1)?.push(shown)
    cells += widthOf(shown)
  }
  if (cursor >= text.length) [x, y] = [cells, rows.length - 1]
  return { rows: rows.map((parts) => joinText(parts)), x, y }
}

const cache = new WeakMap<Draft, { width: number; rows: Rows }>()
const cachedRows = (draft: Draft, width: number): Rows => {
  const known = cache.get(draft)
  if (known?.width === width) return known.rows
  const rows = rowsOf(draft, width)
  cache.set(draft, { width, rows })
  return rows
}

export const composerRows = (draft: Draft, width: number): number => cachedRows(draft, width - PROMPT_CELLS).rows.length

export const composerView = (
  draft: Draft,
  { width, rows, hint }: { width: number; rows: number; hint: SafeText },
): ComposerView => {
  const all = cachedRows(draft, width - PROMPT_CELLS)
  const top = Math.max(0, Math.min(all.y - rows + 1 + Math.floor(rows / 2), all.rows.length - rows))
  const lines = all.rows.slice(top, top + rows).map((text, index): Line => {
    const prompt = span(top + index === 0 ? PROMPT : CONTINUED, 'key')
    return draft.text === '' ? fit([prompt, span(hint, 'dim')], width) : [prompt, ...line(text)]
  })
  return { lines, cursor: { x: PROMPT_CELLS + all.x, y: all.y - top } }
}
