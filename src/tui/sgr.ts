// Lines as bytes of a terminal, for what is drawn without Ink: each span in its style, and its colours as near as the terminal has them.
import type { Line } from './lines.ts'
import type { Style, Theme } from './theme.ts'

const NAMED = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']
const FOREGROUND = 30
const BACKGROUND = 40
/** After the eight of a layer: a colour of its own, of 256 or by its parts. */
const OWN = 8
/** Bits of colour, as getColorDepth() counts them. */
const ALL_COLOURS = 24
const MANY_COLOURS = 8
const CUBE = { from: 16, steps: 5 }

const partsOf = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16))

const colour = (name: string, layer: number, depth: number): (string | number)[] => {
  if (depth <= 1) return []
  if (!name.startsWith('#')) return [layer + NAMED.indexOf(name)]
  const parts = partsOf(name)
  if (depth >= ALL_COLOURS) return [`${layer + OWN};2;${parts.join(';')}`]
  if (depth < MANY_COLOURS) return []
  const [red = 0, green = 0, blue = 0] = parts.map((part) => Math.round((part / 255) * CUBE.steps))
  return [`${layer + OWN};5;${CUBE.from + (red * (CUBE.steps + 1) + green) * (CUBE.steps + 1) + blue}`]
}

const codes = ({ bold, dimColor, italic, underline, inverse, color, backgroundColor }: Theme[Style], depth: number) => [
  ...(bold ? [1] : []),
  ...(dimColor ? [2] : []),
  ...(italic ? [3] : []),
  ...(underline ? [4] : []),
  ...(inverse ? [7] : []),
  ...(color === undefined ? [] : colour(color, FOREGROUND, depth)),
  ...(backgroundColor === undefined ? [] : colour(backgroundColor, BACKGROUND, depth)),
]

export interface Looks {
  theme: Theme
  /** Bits, as getColorDepth() counts them; 1 = none. */
  depth: number
}
export const styledText = (spans: Line, { theme, depth }: Looks): string =>
  spans
    .map(({ text, style }) => {
      const look = codes(theme[style], depth)
      return look.length === 0 ? text : `\x1b[${look.join(';')}m${text}\x1b[0m`
    })
    .join('')
