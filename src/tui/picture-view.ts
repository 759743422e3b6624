// The picture that lies over the timeline, as lines: its name, then half blocks, or the room that the terminal's graphics are put in. Pure.
import { safeTemplate as safe } from '../client/safe-text.ts'
import { spaces } from './cells.ts'
import type { PictureBox } from './graphics-bytes.ts'
import { keysText, labelOf } from './keymap.ts'
import { layoutOf } from './layout.ts'
import { emptyLine, fit, type Line, line, lineWidth, span } from './lines.ts'
import type { Overlay } from './overlay.ts'
import type { State } from './state.ts'

export type PictureOverlay = Extract<Overlay, { kind: 'picture' }>

/** Above it: its name. */
const TITLE_ROWS = 1

export const pictureOverlay = ({ overlay }: State): PictureOverlay | undefined =>
  overlay?.kind === 'picture' ? overlay : undefined

/** The room for it, in cells. */
export const pictureRoom = (state: State): { columns: number; rows: number } => {
  const { timelineColumns, timelineRows } = layoutOf(state)
  return { columns: timelineColumns, rows: Math.max(1, timelineRows - TITLE_ROWS) }
}

/** Where so many cells stand on the screen: in the middle. */
export const pictureBox = (state: State, { columns, rows }: { columns: number; rows: number }): PictureBox => {
  const room = pictureRoom(state)
  const header = 1 + layoutOf(state).noticeRows
  return {
    column: Math.max(0, Math.floor((room.columns - columns) / 2)),
    row: header + TITLE_ROWS + Math.max(0, Math.floor((room.rows - rows) / 2)),
    columns,
    rows,
  }
}

const titleLine = (state: State, { pictures, at }: PictureOverlay): Line => {
  const name = pictures[at]?.name ?? safe``
  const count = pictures.length > 1 ? safe`  ${at + 1} of ${pictures.length}` : safe``
  const leave = safe`${labelOf(state.keymap, 'picture', 'closeOverlay')} closes`
  const keys = pictures.length > 1 ? keysText(state.keymap, 'picture') : leave
  return [span(name, 'title'), span(count), span(safe`  ${keys}`, 'dim')]
}

export const pictureLines = (state: State, overlay: PictureOverlay): Line[] => {
  const { columns, rows } = pictureRoom(state)
  const drawn = overlay.lines
  const height = drawn.length
  const width = Math.max(0, ...drawn.map(lineWidth))
  const left = span(spaces(Math.floor((columns - width) / 2)))
  const above = Math.max(0, Math.floor((rows - height) / 2))
  const body = drawn.map((spans): Line => [left, ...spans])
  const note = overlay.note === undefined ? [] : [line(overlay.note, 'dim')]
  return [titleLine(state, overlay), ...note, ...Array.from({ length: above }, () => emptyLine), ...body]
    .slice(0, rows + TITLE_ROWS)
    .map((spans) => fit(spans, columns))
}
