// A screen of the headless terminal as an SVG picture: cells with their colours and styles, nothing measured, so that it is the same
// everywhere. Made for docs/screens by test/process/tui-pictures.test.ts.
import type headless from '@xterm/headless'

type Terminal = InstanceType<typeof headless.Terminal>

const CELL = { width: 8.4, height: 18, font: 14 }
const PADDING = 10
const GROUND = '#1b1e24'
const INK = '#d8dce2'
/** The sixteen colours, as many terminals have them. */
const basic = [
  ...['#2b2f36', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#abb2bf'],
  ...['#5c6370', '#ff7b86', '#b5e090', '#ffd68a', '#82c7ff', '#d9a0ef', '#7fd5e0', '#ffffff'],
]
const CUBE = [0, 95, 135, 175, 215, 255]

const hex = (value: number): string => `#${value.toString(16).padStart(6, '0')}`
const paletteColor = (index: number): string => {
  const [known] = [basic[index]]
  if (known !== undefined) return known
  if (index >= 232) return hex((8 + (index - 232) * 10) * 0x01_01_01)
  const at = index - 16
  const part = (divisor: number): number => CUBE[Math.floor(at / divisor) % 6] ?? 0
  return hex(part(36) * 0x1_00_00 + part(6) * 0x1_00 + part(1))
}

interface Run {
  column: number
  cells: number
  text: string
  ink: string
  ground: string
  style: string
}
type Cell = NonNullable<ReturnType<NonNullable<ReturnType<Terminal['buffer']['active']['getLine']>>['getCell']>>

const inkOf = (cell: Cell): string =>
  cell.isFgRGB() ? hex(cell.getFgColor()) : cell.isFgPalette() ? paletteColor(cell.getFgColor()) : INK
const groundOf = (cell: Cell): string =>
  cell.isBgRGB() ? hex(cell.getBgColor()) : cell.isBgPalette() ? paletteColor(cell.getBgColor()) : GROUND

const runOf = (cell: Cell, column: number): Run => {
  const [ink, ground] = cell.isInverse() ? [groundOf(cell), inkOf(cell)] : [inkOf(cell), groundOf(cell)]
  const styles = [
    cell.isBold() ? 'font-weight="bold"' : '',
    cell.isItalic() ? 'font-style="italic"' : '',
    cell.isUnderline() ? 'text-decoration="underline"' : '',
    cell.isDim() ? 'opacity="0.6"' : '',
  ]
  return {
    column,
    cells: cell.getWidth(),
    text: cell.getChars() || ' ',
    ink,
    ground,
    style: styles.filter(Boolean).join(' '),
  }
}

const isAlike = (a: Run, b: Run): boolean => a.ink === b.ink && a.ground === b.ground && a.style === b.style

const runsOf = (terminal: Terminal, row: number): Run[] => {
  const { active } = terminal.buffer
  const line = active.getLine(active.viewportY + row)
  const runs: Run[] = []
  for (let column = 0; column < terminal.cols; column++) {
    const cell = line?.getCell(column)
    if (!cell || cell.getWidth() === 0) continue
    const run = runOf(cell, column)
    const last = runs.at(-1)
    // A wide or odd character stands alone: what follows must not move with the font of who looks at it.
    const isPlain = /^[\x20-\x7e]+$/.test(run.text) && last !== undefined && /^[\x20-\x7e]+$/.test(last.text)
    if (last && isPlain && isAlike(last, run)) {
      last.text += run.text
      last.cells += run.cells
    } else runs.push(run)
  }
  return runs
}

const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
const fixed = (value: number): string => String(Math.round(value * 10) / 10)

const runSvg = ({ column, cells, text, ink, ground, style }: Run, row: number): string => {
  const [x, y] = [PADDING + column * CELL.width, PADDING + row * CELL.height]
  const box =
    ground === GROUND
      ? ''
      : `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(cells * CELL.width)}" height="${CELL.height}" fill="${ground}"/>`
  if (text.trim() === '') return box
  const attributes = `x="${fixed(x)}" y="${fixed(y + 13.5)}" fill="${ink}" textLength="${fixed(cells * CELL.width)}"`
  return `${box}<text ${attributes}${style === '' ? '' : ` ${style}`}>${escaped(text)}</text>`
}

export const screenSvg = (terminal: Terminal, title: string): string => {
  const [width, height] = [terminal.cols * CELL.width + 2 * PADDING, terminal.rows * CELL.height + 2 * PADDING]
  const rows = Array.from({ length: terminal.rows }, (_, row) =>
    runsOf(terminal, row)
      .map((run) => runSvg(run, row))
      .join(''),
  )
  const font = `font-family="ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="${CELL.font}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${fixed(width)}" height="${fixed(height)}" ${font} xml:space="preserve">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" rx="6" fill="${GROUND}"/>`,
    ...rows.filter((row) => row !== ''),
    '</svg>',
    '',
  ].join('\n')
}
