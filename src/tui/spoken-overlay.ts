// What lies over the conversation, as a screen reader is told of it: all of it when it comes, then what is chosen. Pure.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { layoutOf } from './layout.ts'
import { type Line, lineText } from './lines.ts'
import { isPage, overlayLines, pageLines } from './overlay-view.ts'
import type { State } from './state.ts'
import { switcherRows } from './switcher.ts'

export interface OverlayText {
  readonly all: readonly SafeText[]
  readonly chosen?: SafeText | undefined
}

const texts = (lines: readonly Line[]): SafeText[] => lines.map(lineText).filter((text) => text.trim() !== '')

export const overlayText = (state: State): OverlayText => {
  const { overlay } = state
  if (!overlay) return { all: [] }
  if (overlay.kind === 'list') {
    const { title, rows, selected } = overlay
    const [row, opens] = [rows[selected], rows.some((each) => each.opens)]
    const all = [title, ...texts(rows.map(({ line }) => line))]
    return { all, chosen: row && opens ? safe`chosen: ${lineText(row.line)}` : undefined }
  }
  if (overlay.kind === 'switcher') {
    const row = switcherRows(state, overlay)[overlay.selected]
    const what = overlay.reactTo === undefined ? safe`go to` : safe`react with`
    const typed = safeLine(overlay.query.text)
    return { all: [safe`${what}: ${typed}`], chosen: row ? lineText(row.line) : safe`nothing has that name` }
  }
  if (overlay.kind === 'picture') {
    const { pictures, at } = overlay
    return { all: [safe`picture ${pictures[at]?.name ?? safe``}, ${at + 1} of ${pictures.length}`] }
  }
  // Its table changes every second: what it says is in spoken-cluster.ts.
  if (overlay.kind === 'cluster') return { all: [] }
  if (isPage(overlay)) return { all: texts(pageLines(state, overlay)) }
  const { timelineColumns: width, timelineRows: rows } = layoutOf(state)
  return { all: texts(overlayLines(state, overlay, { width, rows })) }
}
