// What keys do while a message is selected: walk, reply, copy, go to what it answers. Pure.
import { safeTemplate as safe } from '../client/safe-text.ts'
import { indexOfId, type TimelineMessage } from './messages.ts'
import { viewPictures } from './picture-operations.ts'
import { deleteMessage, editMessage, reactTo, replyTo, showReceipts } from './reference-operations.ts'
import type { State } from './state.ts'
import { loadingAround, showAt, type Step, step, toEnd, withToast } from './step.ts'
import { markUnread } from './triage-operations.ts'
import { anchorWithBottom, messagesOf, windowOf } from './timeline-view.ts'

export const isSelecting = ({ selected }: State): boolean => selected !== undefined
const unselected = (state: State): State => ({ ...state, selected: undefined })

const inView = (state: State, id: string): State => {
  const index = indexOfId(messagesOf(state), id)
  const { first, last } = windowOf(state)
  if (index <= first) return showAt(state, id)
  return index >= last ? { ...state, anchor: anchorWithBottom(state, id) } : state
}

/** The message there, or the next one in that direction: nothing can be done with a change of the group. */
const messageFrom = (state: State, index: number, by: -1 | 1): TimelineMessage | undefined => {
  const messages = messagesOf(state)
  let at = index
  while (messages[at]?.isChange) at += by
  return messages[at]
}

const select = (state: State, message: TimelineMessage, by: -1 | 1): Step =>
  loadingAround(inView({ ...state, selected: message.id }, message.id), by)

const startSelect = (state: State): Step => {
  const message = messageFrom(state, windowOf(state).last, -1)
  return message ? select(state, message, -1) : step(withToast(state, safe`There is no message to select.`))
}

const walk =
  (by: -1 | 1) =>
  (state: State): Step => {
    const message = messageFrom(state, indexOfId(messagesOf(state), state.selected) + by, by)
    if (message) return select(state, message, by)
    return by < 0 ? step(state) : toEnd(unselected(state))
  }

type OnMessage = (state: State, message: TimelineMessage) => Step
/** The selection ends; nothing happens when its message is gone. */
const withSelected =
  (does: OnMessage) =>
  (state: State): Step => {
    const messages = messagesOf(state)
    const message = messages[indexOfId(messages, state.selected)]
    return message ? does(unselected(state), message) : step(unselected(state))
  }

/** Of a message that was deleted only its place is left. */
const ofWhole =
  (does: OnMessage): OnMessage =>
  (state, message) =>
    message.isDeleted ? step(withToast(state, safe`That message is deleted.`)) : does(state, message)

const goToAnswered: OnMessage = (state, { reply: id }) => {
  if (id === undefined || state.current === undefined) {
    return step(withToast(state, safe`That message answers none.`))
  }
  return step(state, { type: 'jump', conversation: state.current, id })
}

export const selectOperations = {
  startSelect,
  olderMessage: walk(-1),
  newerMessage: walk(1),
  replyToMessage: withSelected(ofWhole(replyTo)),
  copyMessage: withSelected(ofWhole((state, { said, text }) => step(state, { type: 'copy', text: said || text }))),
  editMessage: withSelected(ofWhole(editMessage)),
  deleteMessage: withSelected(ofWhole(deleteMessage)),
  reactToMessage: withSelected(ofWhole(reactTo)),
  showReceipts: withSelected(showReceipts),
  viewPictures: withSelected(ofWhole(viewPictures)),
  openFiles: withSelected(ofWhole((state, { id }) => step(state, { type: 'openFiles', id }))),
  saveFiles: withSelected(ofWhole((state, { id }) => step(state, { type: 'saveFiles', id }))),
  markMessageUnread: withSelected((state, { id }) => markUnread(state, id)),
  goToAnswered: withSelected(goToAnswered),
  endSelect: (state: State): Step => step(unselected(state)),
}
