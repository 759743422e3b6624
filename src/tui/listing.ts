// The list of conversations: what was just begun first, then by the newest message; and one of them by its name. Pure.
import { safeLine } from '../client/safe-text.ts'
import type { Conversation, State } from './state.ts'

const begunConversation = (name: string): Conversation => ({
  name,
  title: safeLine(name),
  unread: 0,
  firstUnread: undefined,
  activeAtMs: 0,
  mentions: 0,
  isMarked: false,
  level: 'all',
  last: undefined,
})

export const isListed = ({ unsaid }: Pick<State, 'unsaid'>, { name, last }: Conversation): boolean =>
  last?.status !== 'refused' || !unsaid.includes(name)

export const conversationsOf = ({ inbox = [], opened, unsaid }: State): readonly Conversation[] => {
  const known = new Set(inbox.map(({ name }) => name))
  const begun = opened.filter((name) => !known.has(name))
  const listed = inbox.filter((conversation) => isListed({ unsaid }, conversation))
  return [...begun.map((name) => begunConversation(name)), ...listed]
}
export const conversationNamed = (state: State, name: string | undefined): Conversation | undefined =>
  conversationsOf(state).find((conversation) => conversation.name === name)
