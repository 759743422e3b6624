// What the mouse does where it is asked for (the setting `mouse`): the wheel scrolls what is open, a click in the list opens the
// conversation. Everything else, and marking text, stays the terminal's. Pure.
import type { InputEvent } from './input.ts'
import { layoutOf } from './layout.ts'
import { scroll } from './operations.ts'
import { isSelecting } from './select-operations.ts'
import { conversationAt } from './sidebar-view.ts'
import type { State } from './state.ts'
import { openConversation, type Step, step } from './step.ts'
import { onKey } from './typing.ts'

const WHEEL_LINES = 3
/** What is asked is answered first. */
const QUESTIONS = ['confirm', 'paste']

const onWheel = (state: State, does: 'up' | 'down'): Step => {
  if (state.overlay || isSelecting(state)) return onKey(state, does)
  return scroll(state, does === 'up' ? -WHEEL_LINES : WHEEL_LINES)
}

export const onMouse = (state: State, { does, x, y }: Extract<InputEvent, { type: 'mouse' }>): Step => {
  if (does !== 'press') return onWheel(state, does)
  const { sidebarColumns, timelineRows, noticeRows } = layoutOf(state)
  const row = y - 1 - noticeRows
  const isInList = x < sidebarColumns && row >= 0 && row < timelineRows
  if (!isInList || QUESTIONS.includes(state.overlay?.kind ?? '')) return step(state)
  const conversation = conversationAt(state, { row, rows: timelineRows })
  return step(conversation ? openConversation(state, conversation.name) : state)
}
