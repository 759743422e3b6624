// What keys do in a conversation, by name (keys.ts says which key). Pure: state in, state and effects out.
import { safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { completeBy } from './completing.ts'
import { confirm } from './confirm.ts'
import { draftOf, edits as draftEdits, emptyDraft, escapeSlash, unescapeSlash } from './draft.ts'
import { labelOf } from './keymap.ts'
import { layoutOf } from './layout.ts'
import { indexOfId, MAX_QUOTE } from './messages.ts'
import { overlayOperations } from './overlay-operations.ts'
import { selectOperations } from './select-operations.ts'
import { runSlash } from './slash-commands.ts'
import { acceptPaste } from './paste.ts'
import { pictureOperations } from './picture-operations.ts'
import { recall } from './recalling.ts'
import { draftOfCurrent, type State } from './state.ts'
import { loadingAround, sendText, showAt, type Step, step, toEnd, withDraft, withSent, withToast } from './step.ts'
import { tourOperations } from './tour-view.ts'
import { triageOperations } from './triage-operations.ts'
import { messagesOf, scrolledAnchor } from './timeline-view.ts'

/** Empty lines at the end come with what is pasted; spaces in the last line stay. */
const withoutLastLines = (text: string): string => {
  const end = text.trimEnd()
  return text.slice(end.length).includes('\n') ? end : text
}

const submitEdit = (state: State, id: string, text: string): Step => {
  const next = { ...withDraft(state, emptyDraft), sent: withSent(state, escapeSlash(text)), recall: undefined }
  const messages = messagesOf(state)
  const message = messages[indexOfId(messages, id)]
  if (message && (message.said ?? message.text) === text) return step(withToast(next, safe`Nothing was changed.`))
  return step(next, { type: 'editMessage', id, text })
}

const submit = (state: State): Step => {
  const { text, reply, edits } = draftOfCurrent(state)
  if (text.trim() === '') return step(state)
  if (edits !== undefined) return submitEdit(state, edits, text)
  if (text.startsWith('/') && !text.startsWith('//')) {
    const ran = runSlash(state, text)
    return { ...ran, state: { ...ran.state, sent: withSent(ran.state, text), recall: undefined } }
  }
  if (state.current === undefined) {
    return step(withToast(state, safe`No conversation is open: /msg NAME begins one. Your text stays here.`, 'problem'))
  }
  return sendText(withDraft(state, emptyDraft), unescapeSlash(withoutLastLines(text)), reply)
}

export const scroll = (state: State, lines: number): Step =>
  loadingAround({ ...state, anchor: scrolledAnchor(state, lines) }, lines < 0 ? -1 : 1)
const page = (state: State): number => Math.max(1, layoutOf(state).timelineRows - 2)

const clearedBy = (state: State): Pick<State, 'cleared'> => {
  const { text } = draftOfCurrent(state)
  return { cleared: text.trim() === '' ? state.cleared : text }
}

const clearOrQuit = (state: State): Step => {
  const { text, reply } = draftOfCurrent(state)
  if (text !== '' || reply) {
    // A stray Ctrl-C costs nothing: Up brings it back.
    return step({ ...withDraft(state, emptyDraft), ...clearedBy(state), recall: undefined })
  }
  if (state.isQuitArmed) return step(state, { type: 'quit' })
  return step({
    ...withToast(state, safe`${labelOf(state.keymap, 'chat', 'clearOrQuit')} again quits.`),
    isQuitArmed: true,
  })
}

const killOrSwitch = (state: State): Step => {
  const draft = draftOfCurrent(state)
  if (draft.cursor < draft.text.length) return step(withDraft(state, draftEdits.killLineEnd(draft)))
  return step({ ...state, overlay: { kind: 'switcher', query: emptyDraft, selected: 0 } })
}

const SEARCH = '/search '
/** What was being written waits: Up brings it back. */
const startSearch = (state: State): Step =>
  draftOfCurrent(state).text.startsWith(SEARCH)
    ? step(state)
    : step({ ...withDraft(state, draftOf(SEARCH)), ...clearedBy(state), recall: undefined })

/** The newest that was not sent, once it is on the screen: one for each key. */
const removeUnsent = (state: State): Step => {
  const { current, pending } = state
  const unsent = pending.findLast(
    ({ conversation, message }) => conversation === current && message.status === 'failed',
  )
  if (!unsent) return step(state)
  const next = { ...state, pending: pending.filter((entry) => entry !== unsent) }
  return step(withToast(next, safe`Removed: “${safeLine(unsent.message.text, { maxLength: MAX_QUOTE })}”`))
}

/** What is written answers nothing any more; else back to the newest message, and what was read as a notice goes; else what was not sent. */
const escape = (state: State): Step => {
  const { text, cursor, reply, edits } = draftOfCurrent(state)
  if (edits !== undefined) return step({ ...withDraft(state, emptyDraft), recall: undefined })
  if (reply) return step(withDraft(state, { text, cursor }))
  const isAtEnd = state.anchor === undefined && state.timeline?.hasEnd !== false
  return isAtEnd && !state.showsNotices ? removeUnsent(state) : toEnd({ ...state, showsNotices: false })
}

const toStart = (state: State): Step => {
  const first = messagesOf(state)[0]
  return first ? scroll(showAt(state, first.id), -1) : step(state)
}

/** What is read on from there may not be loaded any more. */
const toUnread = (state: State): Step => {
  const { rule, current: conversation } = state
  if (rule === undefined || conversation === undefined) return step(withToast(state, safe`Nothing is unread here.`))
  const { before: id, words } = rule
  if (indexOfId(messagesOf(state), id) >= 0) return step(showAt(state, id))
  return step(state, { type: 'jump', conversation, id, words })
}

export const operations = {
  submit,
  upOrOlderInput: (state: State) => recall(state, -1),
  downOrNewerInput: (state: State) => recall(state, 1),
  pageUp: (state: State) => scroll(state, -page(state)),
  pageDown: (state: State) => scroll(state, page(state)),
  toStart,
  toEnd,
  toUnread,
  startSearch,
  killOrSwitch,
  complete: completeBy(1),
  completePrevious: completeBy(-1),
  editOutside: (state: State) =>
    step(state, { type: 'edit', conversation: state.current ?? '', text: draftOfCurrent(state).text }),
  acceptPaste,
  confirm,
  showCluster: (state: State) => step(state, { type: 'cluster' }),
  stop: (state: State) => step(state, { type: 'stop' }),
  redraw: (state: State) => step(state, { type: 'redraw' }),
  escape,
  clearOrQuit,
  ...selectOperations,
  ...triageOperations,
  ...pictureOperations,
  ...overlayOperations,
  ...tourOperations,
} satisfies Record<string, (state: State) => Step>
export type Operation = keyof typeof operations
