// Conversations in which nothing was ever said, since all that is in them was refused: somebody mistyped a name. Once that was seen and the
// conversation was left it is not in the list any more; what was typed is among what Up brings back. Pure.
import { isUserName } from '../protocol/names.ts'
import { draftOfCurrent, type State } from './state.ts'
import { messagesOf } from './timeline-view.ts'

const isUnsaid = (state: State): boolean => {
  const { current, timeline } = state
  if (current === undefined || !isUserName(current)) return false
  if (timeline?.conversation !== current || !timeline.hasStart || draftOfCurrent(state).text !== '') return false
  const messages = messagesOf(state)
  return messages.length > 0 && messages.every(({ isOwn, status }) => isOwn && status === 'refused')
}

/** When the open conversation is left for `name`. */
export const leaving = (state: State, name: string): Pick<State, 'opened' | 'unsaid'> => {
  const { current, opened } = state
  // The same array while nothing changes: what is kept is written when it is another.
  const unsaid = state.unsaid.includes(name) ? state.unsaid.filter((other) => other !== name) : state.unsaid
  if (current === undefined || current === name || !isUnsaid(state)) return { opened, unsaid }
  return { opened: opened.filter((other) => other !== current), unsaid: [...unsaid, current] }
}
