// What keys do to get through what is new: next unread, conversations by number, from mention to mention, marking as unread. Pure.
import { safeTemplate as safe } from '../client/safe-text.ts'
import { labelOf } from './keymap.ts'
import { urgencyOf } from './levels.ts'
import { isMentioning } from './mentions.ts'
import { indexOfId } from './messages.ts'
import { conversationsOf } from './listing.ts'
import type { State } from './state.ts'
import { openConversation, showAt, type Step, step, withToast } from './step.ts'
import { messagesOf, windowOf } from './timeline-view.ts'

const cycle = (state: State, by: number): Step => {
  const all = conversationsOf(state)
  const at = all.findIndex(({ name }) => name === state.current)
  const next = all[(Math.max(at, by > 0 ? -1 : 0) + by + all.length) % all.length]
  return step(next ? openConversation(state, next.name) : state)
}

/** Who is named comes first; among equals the next in the list. */
const nextUnread = (state: State): Step => {
  const all = conversationsOf(state)
  const at = all.findIndex(({ name }) => name === state.current)
  const others = [...all.slice(at + 1), ...all.slice(0, Math.max(0, at))]
  const most = Math.max(0, ...others.map((conversation) => urgencyOf(conversation)))
  const next = most === 0 ? undefined : others.find((conversation) => urgencyOf(conversation) === most)
  return step(next ? openConversation(state, next.name) : withToast(state, safe`Nothing else is unread.`))
}

const lastConversation = (state: State): Step =>
  step(state.previous === undefined ? state : openConversation(state, state.previous))

const toNumber =
  (number: number) =>
  (state: State): Step => {
    const conversation = conversationsOf(state)[number - 1]
    return step(
      conversation ? openConversation(state, conversation.name) : withToast(state, safe`There is no number ${number}.`),
    )
  }

/** From the message under the eyes on; what is not loaded is found by /mentions. */
const toMention =
  (direction: -1 | 1) =>
  (state: State): Step => {
    const messages = messagesOf(state)
    const { first, last } = windowOf(state)
    const at = indexOfId(messages, state.selected)
    const from = at >= 0 ? at : direction < 0 ? last + 1 : first - 1
    for (let index = from + direction; index >= 0 && index < messages.length; index += direction) {
      const message = messages[index]
      if (message && isMentioning(message, state.user)) {
        return step(showAt({ ...state, selected: message.id }, message.id))
      }
    }
    const where = direction < 0 ? safe`further up` : safe`further down`
    return step(withToast(state, safe`You are not named ${where} in what is loaded; /mentions lists all.`))
  }

/** The rule goes before the message, and the conversation is one to come back to, until it is opened again. */
export const markUnread = (state: State, id: string | undefined): Step => {
  const { current: conversation } = state
  if (conversation === undefined || id === undefined) return step(withToast(state, safe`There is no message to mark.`))
  const back = labelOf(state.keymap, 'chat', 'nextUnread')
  const said = safe`Marked as unread; ${back} in another conversation comes back here.`
  const next = withToast({ ...state, isHeldUnread: true, rule: { before: id, words: 'unread' } }, said)
  return step(next, { type: 'markUnread', conversation })
}

export const triageOperations = {
  nextConversation: (state: State) => cycle(state, 1),
  previousConversation: (state: State) => cycle(state, -1),
  nextUnread,
  lastConversation,
  previousMention: toMention(-1),
  nextMention: toMention(1),
  conversation1: toNumber(1),
  conversation2: toNumber(2),
  conversation3: toNumber(3),
  conversation4: toNumber(4),
  conversation5: toNumber(5),
  conversation6: toNumber(6),
  conversation7: toNumber(7),
  conversation8: toNumber(8),
  conversation9: toNumber(9),
  conversation10: toNumber(10),
}
