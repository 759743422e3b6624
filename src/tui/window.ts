// Which lines of a long list of blocks are on the screen. Pure; it looks only at the blocks around the window, so that
// 100,000 messages cost what twenty do. The view hangs on its bottom line: a message and a line of it, or the very end.

export interface Position {
  /** Of the block. */
  index: number
  /** Of the line within it. */
  line: number
}
export interface Blocks<T> {
  count: number
  linesOf(index: number): readonly T[]
}
export interface Window<T> {
  lines: T[]
  /** The first and the last block of which something is seen; -1 when there is none. */
  first: number
  last: number
}

const heightOf = <T>(blocks: Blocks<T>, index: number): number => blocks.linesOf(index).length

export const endOf = <T>(blocks: Blocks<T>): Position => ({
  index: blocks.count - 1,
  line: blocks.count > 0 ? heightOf(blocks, blocks.count - 1) - 1 : 0,
})

/** `rows` lines ending with `bottom`; fewer only when the list has fewer above it. */
export const windowAt = <T>(blocks: Blocks<T>, bottom: Position, rows: number): Window<T> => {
  const parts: (readonly T[])[] = []
  let left = rows
  let first = -1
  for (let index = bottom.index; index >= 0 && left > 0; index--) {
    const lines = blocks.linesOf(index)
    const end = index === bottom.index ? Math.min(bottom.line + 1, lines.length) : lines.length
    const part = lines.slice(Math.max(0, end - left), end)
    parts.push(part)
    left -= part.length
    first = index
  }
  return { lines: parts.reverse().flat(), first, last: first < 0 ? -1 : bottom.index }
}

const down = <T>(blocks: Blocks<T>, from: Position, lines: number): Position => {
  let { index, line } = from
  line += lines
  while (index < blocks.count) {
    const height = heightOf(blocks, index)
    if (line < height) return { index, line }
    line -= height
    index += 1
  }
  return endOf(blocks)
}

const up = <T>(blocks: Blocks<T>, from: Position, lines: number): Position => {
  let { index, line } = from
  line -= lines
  while (line < 0 && index > 0) {
    index -= 1
    line += heightOf(blocks, index)
  }
  return { index, line: Math.max(0, line) }
}

/** With so many rows the first line is at the top. */
const highestBottom = <T>(blocks: Blocks<T>, rows: number): Position => down(blocks, { index: 0, line: 0 }, rows - 1)

const isBefore = (a: Position, b: Position): boolean => a.index < b.index || (a.index === b.index && a.line < b.line)

/** The window that ends with `bottom`, or, where there is too little above it (the screen has grown), begins with the first line. */
export const filledWindowAt = <T>(blocks: Blocks<T>, bottom: Position, rows: number): Window<T> => {
  const window = windowAt(blocks, bottom, rows)
  return window.lines.length < rows && isBefore(bottom, endOf(blocks))
    ? windowAt(blocks, highestBottom(blocks, rows), rows)
    : window
}

/** The bottom after scrolling by `lines` (negative: up); undefined = at the end, where the view follows what arrives. */
export const scrolled = <T>(
  blocks: Blocks<T>,
  from: Position | undefined,
  { lines, rows }: { lines: number; rows: number },
): Position | undefined => {
  if (blocks.count === 0) return undefined
  const start = from ?? endOf(blocks)
  const moved = lines < 0 ? up(blocks, start, -lines) : down(blocks, start, lines)
  const highest = highestBottom(blocks, rows)
  const bottom = isBefore(moved, highest) ? highest : moved
  return isBefore(bottom, endOf(blocks)) ? bottom : undefined
}

/** The bottom with which block `index` begins at the top row; undefined = the end is already seen then. */
export const withTop = <T>(blocks: Blocks<T>, index: number, rows: number): Position | undefined => {
  const bottom = down(blocks, { index, line: 0 }, rows - 1)
  return isBefore(bottom, endOf(blocks)) ? bottom : undefined
}
