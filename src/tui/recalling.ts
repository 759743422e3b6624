// Up and Down past the first and the last line of the input: through what was sent before, and back to the draft that was left. Where
// the newest of that is the last own message of this conversation it comes as the edit of it, and Up again goes on. Pure.
import { type Draft, draftOf, moveLine, unescapeSlash, withText } from './draft.ts'
import { draftOfCurrent, type State } from './state.ts'
import { type Step, step, withDraft } from './step.ts'
import { messagesOf } from './timeline-view.ts'

const unsent = new Set(['sending', 'failed', 'refused'])

/** The last own message, when it is what was sent last and nothing newer of the conversation is left out. */
const editable = (state: State, text: string): string | undefined => {
  if (state.timeline?.hasEnd === false) return undefined
  const last = messagesOf(state).findLast(({ isOwn }) => isOwn)
  if (!last || last.isDeleted || unsent.has(last.status)) return undefined
  return (last.said ?? last.text) === text ? last.id : undefined
}

const inputsOf = ({ sent, cleared }: State): readonly string[] => (cleared === undefined ? sent : [...sent, cleared])

const isEmpty = ({ text, reply, edits }: Draft): boolean => text === '' && reply === undefined && edits === undefined

/** An edit that Up began ends where Up goes on; one that was chosen takes the recalled text. */
const recalled = (state: State, present: Draft, { typed, begun }: { typed: string; begun: Draft }): Draft => {
  const text = unescapeSlash(typed)
  if (!isEmpty(begun)) return withText(present, begun.edits === undefined ? typed : text)
  const newest = typed === inputsOf(state).at(-1) ? editable(state, text) : undefined
  return newest === undefined ? draftOf(typed) : { ...draftOf(text), edits: newest }
}

export const recall = (state: State, direction: -1 | 1): Step => {
  const present = draftOfCurrent(state)
  const at = moveLine(present, direction)
  if (at) return step(withDraft(state, at))
  const inputs = inputsOf(state)
  const { index, draft } = state.recall ?? { index: inputs.length, draft: present }
  const next = index + direction
  if (next < 0 || next > inputs.length) return step(state)
  const typed = inputs[next]
  if (typed === undefined) return step({ ...withDraft(state, draft), recall: undefined })
  return step({
    ...withDraft(state, recalled(state, present, { typed, begun: draft })),
    recall: { index: next, draft },
  })
}
