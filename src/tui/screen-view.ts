// The whole screen as lines, from the state: what the components draw, and what tests read. Pure.
import { safeTemplate as safe } from '../client/safe-text.ts'
import { type ComposerView, composerView } from './composer-view.ts'
import { layoutOf, noticeTexts, toastOf } from './layout.ts'
import { fit, lineText, type Line, line } from './lines.ts'
import { overlayLines } from './overlay-view.ts'
import { sidebarLines } from './sidebar-view.ts'
import { draftOfCurrent, type State } from './state.ts'
import { headerLine, statusLine } from './status-view.ts'
import { timelineLines } from './timeline-view.ts'

export interface Screen {
  header: Line
  notices: readonly Line[]
  sidebar: readonly Line[]
  main: readonly Line[]
  toast: Line | undefined
  composer: ComposerView
  status: Line
}

const hintOf = (state: State) =>
  state.current === undefined ? safe`/msg NAME begins a conversation` : safe`Message, /command or ?`

export const screenOf = (state: State): Screen => {
  const layout = layoutOf(state)
  const toast = toastOf(state)
  const { columns } = state.size
  const { timelineRows: rows, timelineColumns: width } = layout
  return {
    header: headerLine(state),
    notices: noticeTexts(state.notices, columns)
      .slice(0, layout.noticeRows)
      .map((text) => line(text, 'unread')),
    sidebar: layout.sidebarColumns === 0 ? [] : sidebarLines(state, rows),
    main: state.overlay ? overlayLines(state, state.overlay, { width, rows }) : timelineLines(state),
    toast: toast && fit(line(toast.text, toast.style), columns),
    composer: composerView(draftOfCurrent(state), { width: columns, rows: layout.composerRows, hint: hintOf(state) }),
    status: statusLine(state),
  }
}

/** The screen as plain text, without the list on the left. */
export const screenText = (state: State): string => {
  const screen = screenOf(state)
  const lines = [screen.header, ...screen.notices, ...screen.main, ...(screen.toast ? [screen.toast] : [])]
  return [...lines, ...screen.composer.lines, screen.status].map((spans) => lineText(spans).trimEnd()).join('\n')
}
