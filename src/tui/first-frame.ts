// What is on the screen while React and Ink load, half of a start: header, input and status, as they look and where they stay.
// Written by hand; what Ink draws first takes its place.
import { layoutOf } from './layout.ts'
import type { Line } from './lines.ts'
import { screenOf } from './screen-view.ts'
import { styledText } from './sgr.ts'
import type { State } from './state.ts'
import { themes } from './theme.ts'

const ENTER_SCREEN = '\x1b[?1049h'
const LEAVE_SCREEN = '\x1b[?1049l'
const ERASE = '\x1b[H\x1b[J'
const at = ({ x, y }: { x: number; y: number }): string => `\x1b[${y + 1};${x + 1}H`

/** `colourDepth`: bits, as the terminal's getColorDepth() says. */
export const firstFrame = (state: State, colourDepth: number): string => {
  const looks = { theme: themes[state.theme], depth: colourDepth }
  const rowsFrom = (y: number, lines: readonly Line[]): string =>
    lines.map((line, index) => at({ x: 0, y: y + index }) + styledText(line, looks)).join('')
  const { header, notices, toast, composer, status } = screenOf(state)
  const { timelineRows, noticeRows } = layoutOf(state)
  const bottom = 1 + noticeRows + timelineRows
  const composerTop = bottom + (toast ? 1 : 0)
  return [
    ENTER_SCREEN + ERASE,
    rowsFrom(0, [header, ...notices]),
    rowsFrom(bottom, [...(toast ? [toast] : []), ...composer.lines, status]),
    at({ x: composer.cursor.x, y: composerTop + composer.cursor.y }),
  ].join('')
}

/** For an end before Ink has the screen. */
export const leaveFirstFrame = LEAVE_SCREEN

/** How Ink's bytes go on from the first frame: the screen is entered already, and is emptied when there is something to put there. */
export const afterFirstFrame = (): ((text: string) => string) => {
  let isOver = false
  return (text) => {
    if (isOver) return text
    if (text === ENTER_SCREEN) return ''
    isOver = text.includes('\n')
    return isOver ? ERASE + text : text
  }
}
