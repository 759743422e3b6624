// Who gets which cells, from the size of the terminal alone and the length of the draft. Pure.
import { composerRows } from './composer-view.ts'
import { completionText } from './completion.ts'
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import { keysText, labelOf } from './keymap.ts'
import { draftOfCurrent, type State, type Toast } from './state.ts'
import { wrap } from './wrap.ts'

/** Below this the list of conversations goes: the timeline needs the cells. */
const SIDEBAR_FROM_COLUMNS = 60
const SIDEBAR = { min: 18, max: 30, share: 0.28 }
const COMPOSER_SHARE = 1 / 3
const MAX_COMPOSER_ROWS = 8
const MAX_NOTICE_SHARE = 1 / 3

export interface Layout {
  /** 0 = not shown. */
  sidebarColumns: number
  timelineColumns: number
  timelineRows: number
  noticeRows: number
  composerRows: number
}

/** The row above the input: what just happened, else the keys of the mode, help for the command that is typed, what is answered. */
export const toastOf = (state: State): Toast | undefined => {
  const { reply, edits } = draftOfCurrent(state)
  const leave = labelOf(state.keymap, 'chat', 'escape')
  const replies = reply && safe`↳ reply to ${reply.from} (${leave}: not): ${reply.text}`
  const answers = edits === undefined ? replies : safe`This replaces the text of your message (${leave}: not)`
  const typing = completionText(state) ?? state.hint ?? answers
  const text = state.selected === undefined ? typing : keysText(state.keymap, 'select')
  return state.toast ?? (text === undefined ? undefined : { text, style: 'dim' })
}

export const noticeTexts = (notices: readonly SafeText[], columns: number): SafeText[] =>
  notices.flatMap((notice) => wrap(notice, columns))

const cache = new WeakMap<State, Layout>()

const computed = (state: State): Layout => {
  const { columns, rows } = state.size
  const wanted = Math.max(SIDEBAR.min, Math.min(SIDEBAR.max, Math.floor(columns * SIDEBAR.share)))
  // A wide table, a picture.
  const isWide = state.overlay?.kind === 'cluster' || state.overlay?.kind === 'picture'
  const isAlone = columns < SIDEBAR_FROM_COLUMNS || isWide
  const sidebarColumns = isAlone ? 0 : wanted
  const timelineColumns = Math.max(4, columns - (sidebarColumns === 0 ? 0 : sidebarColumns + 1))
  const mostRows = Math.max(1, Math.min(MAX_COMPOSER_ROWS, Math.floor(rows * COMPOSER_SHARE)))
  const composer = Math.min(mostRows, composerRows(draftOfCurrent(state), columns))
  const notices = state.showsNotices ? noticeTexts(state.notices, columns) : []
  const noticeRows = Math.min(notices.length, Math.floor(rows * MAX_NOTICE_SHARE))
  const fixed = 2 + composer + noticeRows + (toastOf(state) ? 1 : 0)
  return {
    sidebarColumns,
    timelineColumns,
    timelineRows: Math.max(1, rows - fixed),
    noticeRows,
    composerRows: composer,
  }
}

export const layoutOf = (state: State): Layout => {
  const known = cache.get(state)
  if (known) return known
  const layout = computed(state)
  cache.set(state, layout)
  return layout
}
