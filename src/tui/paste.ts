// A paste of many lines is asked about before it is in the message: what was copied by mistake is seen first. Pure.
import { safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { insert } from './draft.ts'
import { fit, type Line, line, span } from './lines.ts'
import { sizeText } from './messages.ts'
import { draftOfCurrent, type State } from './state.ts'
import { type Step, step, withDraft } from './step.ts'

const MAX_LINES_UNASKED = 3

const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n')

export const isAskedAbout = (text: string): boolean => linesOf(text).length > MAX_LINES_UNASKED

/** A second paste before the answer joins the first. */
export const askAboutPaste = (state: State, text: string): State => {
  const before = state.overlay?.kind === 'paste' ? state.overlay.text : ''
  return { ...state, overlay: { kind: 'paste', text: before + text } }
}

export const acceptPaste = (state: State): Step => {
  const { overlay } = state
  if (overlay?.kind !== 'paste') return step(state)
  const next = { ...state, overlay: undefined, recall: undefined }
  return step(withDraft(next, insert(draftOfCurrent(next), overlay.text)))
}

/** The question, and the beginning of what it is about. */
export const pasteLines = (text: string, { width, rows }: { width: number; rows: number }): Line[] => {
  const lines = linesOf(text)
  const question = [
    span(safe`Paste ${lines.length} lines, ${sizeText(Buffer.byteLength(text))}? `, 'title'),
    span(safe`Enter`, 'key'),
    span(safe` into the message · `),
    span(safe`Esc`, 'key'),
    span(safe` not`),
  ]
  const room = Math.max(0, rows - 2)
  const shown = lines.slice(0, room).map((each) => line(safeLine(each, { maxLength: 400 })))
  const more = lines.length > room ? [line(safe`… ${lines.length - room} more`, 'dim')] : []
  return [question, ...shown, ...more].map((spans) => fit(spans, width))
}
