// What keys do while a list, the switcher or the help lies over the timeline. Pure.
import { draftOf, edits, type Edit } from './draft.ts'
import { layoutOf } from './layout.ts'
import { isPage, listRows, pageLines } from './overlay-view.ts'
import { slashCommands } from './slash-commands.ts'
import type { Overlay } from './overlay.ts'
import type { State } from './state.ts'
import { openConversation, type Step, step, withDraft } from './step.ts'
import { switcherRows } from './switcher.ts'

const clamp = (value: number, max: number): number => Math.max(0, Math.min(value, max))

const moved = (state: State, overlay: Overlay, by: number): Overlay => {
  if (isPage(overlay)) {
    const max = pageLines(state, overlay).length - layoutOf(state).timelineRows
    return { ...overlay, top: clamp(overlay.top + by, Math.max(0, max)) }
  }
  if (overlay.kind !== 'list' && overlay.kind !== 'switcher') return overlay
  const count = overlay.kind === 'list' ? overlay.rows.length : switcherRows(state, overlay).length
  return { ...overlay, selected: clamp(overlay.selected + by, Math.max(0, count - 1)) }
}

const move =
  (by: (page: number) => number) =>
  (state: State): Step => {
    if (!state.overlay) return step(state)
    const page = listRows(layoutOf(state).timelineRows)
    return step({ ...state, overlay: moved(state, state.overlay, by(page)) })
  }

const closed = (state: State): State => ({ ...state, overlay: undefined })

const runCommand = (state: State, name: string): Step => {
  const command = slashCommands.find((candidate) => candidate.name === name)
  // One that takes something is put into the input, to be completed there.
  if (!command || command.takes !== '') return step(withDraft(closed(state), draftOf(`/${name} `)))
  const result = command.run(closed(state), '')
  return typeof result === 'string' ? step(closed(state)) : result
}

const choose = (state: State): Step => {
  const { overlay } = state
  if (overlay?.kind === 'switcher') {
    const choice = switcherRows(state, overlay)[overlay.selected]?.choice
    if (!choice) return step(state)
    if ('react' in choice) return step(closed(state), { type: 'react', id: choice.id, emoji: choice.react })
    return 'command' in choice ? runCommand(state, choice.command) : step(openConversation(state, choice.conversation))
  }
  const opens = overlay?.kind === 'list' ? overlay.rows[overlay.selected]?.opens : undefined
  if (!opens) return step(closed(state))
  const { conversation, id } = opens
  // A message opens its conversation with itself: what else is unread there is not on the screen before, and not read.
  return id === undefined
    ? step(openConversation(state, conversation))
    : step(closed(state), { type: 'jump', conversation, id })
}

export const overlayOperations = {
  selectPrevious: move(() => -1),
  selectNext: move(() => 1),
  selectPageUp: move((page) => -page),
  selectPageDown: move((page) => page),
  closeOverlay: (state: State) => step(closed(state)),
  choose,
}

/** An editing key in the switcher changes what is looked for. */
export const editQuery = (state: State, edit: Edit): State =>
  state.overlay?.kind === 'switcher'
    ? { ...state, overlay: { ...state.overlay, query: edits[edit](state.overlay.query), selected: 0 } }
    : state
