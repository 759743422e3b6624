// A picture as lines of half blocks: each cell shows two pixels, the upper one as the colour of the sign, the lower one behind it.
// Pure; thumbnails.ts gets the pixels.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import { repeatText, spaces } from './cells.ts'
import { type Line, lineWidth, type Paint, type Span, span } from './lines.ts'

/** Of a thumbnail, at most. */
const MAX_ROWS = 12
const MAX_COLUMNS = 40
/** Of that, for each of several pictures. */
const PART_OF_SEVERAL = 2 / 3
const PIXELS_IN_CELL = 2
const RGB = 3
const UPPER: SafeText = safe`▀`

export interface Pixels {
  width: number
  height: number
}

/** How much of a screen of so many rows a thumbnail takes: what is said with it is seen too. */
export const thumbnailRows = (rows: number): number => Math.max(2, Math.min(MAX_ROWS, Math.floor(rows / 2)))

/** In pixels, of a picture of any size in so many cells: its proportions stay, it never grows, its height is even. `isOne` of several. */
export const thumbnailSize = (
  picture: Pixels,
  { columns, maxRows = MAX_ROWS, isOne = false }: { columns: number; maxRows?: number; isOne?: boolean },
): Pixels => {
  const part = isOne ? PART_OF_SEVERAL : 1
  const scale = Math.min(
    1,
    Math.min(MAX_COLUMNS * part, columns) / picture.width,
    (maxRows * part * PIXELS_IN_CELL) / picture.height,
  )
  const rows = Math.max(1, Math.round((picture.height * scale) / PIXELS_IN_CELL))
  return { width: Math.max(1, Math.floor(picture.width * scale)), height: rows * PIXELS_IN_CELL }
}

const isSame = (a: Paint, b: Paint): boolean => a.color === b.color && a.backgroundColor === b.backgroundColor

/** Neighbours of the same colours are one span. */
const joined = (cells: readonly Paint[]): Span[] => {
  const spans: Span[] = []
  let begin = 0
  cells.forEach((paint, index) => {
    const next = cells[index + 1]
    if (next && isSame(paint, next)) return
    spans.push({ ...span(repeatText(UPPER, index + 1 - begin)), paint })
    begin = index + 1
  })
  return spans
}

/** `pixels`: red, green and blue of each, row by row. */
export const halfBlocks = (pixels: Uint8Array, { width, height }: Pixels): Line[] => {
  const hex = (x: number, y: number): string => {
    const at = (y * width + x) * RGB
    return `#${Buffer.from(pixels.subarray(at, at + RGB)).toString('hex')}`
  }
  return Array.from({ length: Math.ceil(height / PIXELS_IN_CELL) }, (_, row): Line => {
    const y = row * PIXELS_IN_CELL
    // An odd row at the end is doubled.
    const below = Math.min(y + 1, height - 1)
    const cells = Array.from({ length: width }, (_each, x) => ({ color: hex(x, y), backgroundColor: hex(x, below) }))
    return joined(cells)
  })
}

/** Pictures side by side, as many in a row as there is room for, a cell between them. */
export const beside = (
  pictures: readonly (readonly Line[])[],
  { width, indent }: { width: number; indent: number },
): Line[] => {
  const rows: { pictures: (readonly Line[])[]; cells: number }[] = []
  for (const picture of pictures) {
    const cells = Math.max(0, ...picture.map(lineWidth))
    const row = rows.at(-1)
    if (row && row.cells + 1 + cells <= width) {
      row.pictures.push(picture)
      row.cells += 1 + cells
    } else rows.push({ pictures: [picture], cells: indent + cells })
  }
  return rows.flatMap((row) => joinedRow(row.pictures, indent))
}

const joinedRow = (pictures: readonly (readonly Line[])[], indent: number): Line[] => {
  const height = Math.max(...pictures.map(({ length }) => length))
  const widths = pictures.map((lines) => Math.max(0, ...lines.map(lineWidth)))
  return Array.from(
    { length: height },
    (_, y): Line => [
      span(spaces(indent)),
      ...pictures.flatMap((lines, index) => [
        ...(index === 0 ? [] : [span(spaces(1))]),
        ...(lines[y] ?? [span(spaces(widths[index] ?? 0))]),
      ]),
    ],
  )
}
