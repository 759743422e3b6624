// What is typed and pasted, as the mode has it: a key that does something, a letter of the message, of a question, of a query. Pure.
import { type Edit, edits, insert } from './draft.ts'
import { operationOf } from './keymap.ts'
import type { Mode } from './keys.ts'
import { type Operation, operations } from './operations.ts'
import { editQuery } from './overlay-operations.ts'
import { askAboutPaste, isAskedAbout } from './paste.ts'
import { isSelecting } from './select-operations.ts'
import { draftOfCurrent, type State } from './state.ts'
import { type Step, step, withDraft } from './step.ts'

const modeOf = (state: State): Mode => state.overlay?.kind ?? (isSelecting(state) ? 'select' : 'chat')
const isEdit = (name: Operation | Edit): name is Edit => Object.hasOwn(edits, name)
/** What any key ends: a message that was shown, and the readiness to quit. */
const touched = (state: State): State =>
  state.toast || state.isQuitArmed ? { ...state, toast: undefined, isQuitArmed: false } : state

const ALT = 'alt-'
/** Escape and `/` that come together look like Alt-/: the command that follows must not become a message without its slash. */
const isEscapeAndSign = (key: string): boolean => /^alt-[^\p{L}\p{N}-]$/u.test(key)
const escapeThen = (state: State, sign: string): Step => {
  const escaped = onKey(state, 'escape')
  const typed = onText(escaped.state, sign)
  return step(typed.state, ...escaped.effects, ...typed.effects)
}

export const onKey = (state: State, key: string): Step => {
  const name = operationOf(state.keymap, modeOf(state), key)
  if (name === undefined) return isEscapeAndSign(key) ? escapeThen(state, key.slice(ALT.length)) : step(state)
  const wasArmed = state.isQuitArmed
  const next = touched(state)
  if (!isEdit(name)) return operations[name]({ ...next, isQuitArmed: wasArmed && name === 'clearOrQuit' })
  if (next.overlay) return step(editQuery(next, name))
  return step({ ...withDraft(next, edits[name](draftOfCurrent(next))), recall: undefined })
}

/** A letter that is a key there is that key, whatever follows in the same chunk; with any other, writing goes on. */
const onSelectingText = (state: State, text: string): Step => {
  const key = text.charAt(0)
  if (operationOf(state.keymap, 'select', key) === undefined) return onText({ ...state, selected: undefined }, text)
  const first = onKey(state, key)
  if (text.length === 1) return first
  const rest = onText(first.state, text.slice(1))
  return step(rest.state, ...first.effects, ...rest.effects)
}

export const onText = (state: State, text: string): Step => {
  const next = touched(state)
  const { overlay } = next
  if (overlay?.kind === 'switcher') {
    return step({
      ...next,
      overlay: { ...overlay, query: insert(overlay.query, text.replaceAll('\n', ' ')), selected: 0 },
    })
  }
  // Letters are keys there.
  if (overlay?.kind === 'paste' || overlay?.kind === 'confirm') return onKey(next, text)
  if (overlay?.kind === 'picture') return onKey(next, text === ' ' ? 'space' : text)
  if (!overlay && isSelecting(next)) return onSelectingText(next, text)
  const draft = draftOfCurrent(next)
  if (text === '?' && draft.text === '') {
    return step({ ...next, overlay: overlay?.kind === 'help' ? undefined : { kind: 'help', top: 0 } })
  }
  // Whoever types over a list wants to write: nothing typed is lost.
  return step({ ...withDraft({ ...next, overlay: undefined }, insert(draft, text)), recall: undefined })
}

export const onPaste = (state: State, text: string): Step => {
  const isQuestion = state.overlay?.kind === 'paste' || (state.overlay?.kind !== 'switcher' && isAskedAbout(text))
  return isQuestion ? step(askAboutPaste(touched(state), text)) : onText(state, text)
}
