// What keys and commands do to a message that is there: edit, delete, react, see who has read it. Pure.
import { safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { confirming } from './confirm.ts'
import { emptyDraft, type Reply } from './draft.ts'
import { MAX_QUOTE, type TimelineMessage } from './messages.ts'
import { draftOfCurrent, type State } from './state.ts'
import { type Step, step, withDraft, withSent, withToast } from './step.ts'

export const replyOf = ({ id, from, text }: TimelineMessage): Reply => ({
  id,
  from,
  text: safeLine(text, { maxLength: MAX_QUOTE }),
})

/** What is written from now on answers it. */
export const replyTo = (state: State, message: TimelineMessage): Step => {
  if (message.status === 'failed' || message.status === 'refused') {
    return step(withToast(state, safe`That message was not sent: nobody would know what is answered.`, 'problem'))
  }
  return step(withDraft(state, { ...draftOfCurrent(state), reply: replyOf(message) }))
}

/** Its text goes into the input; what was written there waits in the history of the input. */
export const editMessage = (state: State, { id, isOwn, text, said = text }: TimelineMessage): Step => {
  if (!isOwn) return step(withToast(state, safe`Only your own messages can be edited.`, 'problem'))
  const sent = withSent(state, draftOfCurrent(state).text)
  return step(withDraft({ ...state, sent, recall: undefined }, { text: said, cursor: said.length, edits: id }))
}

export const deleteMessage = (state: State, { id, isOwn, text }: TimelineMessage): Step => {
  const start = safeLine(text, { maxLength: 60 })
  const question = isOwn
    ? safe`Delete “${start}” for everybody?`
    : safe`Delete “${start}” on your devices? The others keep it.`
  return step(confirming(state, question, { type: 'deleteMessage', id }))
}

export const reactTo = (state: State, { id }: TimelineMessage): Step =>
  step({ ...state, overlay: { kind: 'switcher', query: emptyDraft, selected: 0, reactTo: id } })

/** Receipts go to the author of a message and to nobody else. */
export const showReceipts = (state: State, { id, isOwn }: TimelineMessage): Step =>
  isOwn
    ? step(state, { type: 'receipts', id })
    : step(withToast(state, safe`Only who wrote a message is told who has read it.`))
