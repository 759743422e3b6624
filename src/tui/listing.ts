// The list of conversations: what was just begun first, then by the newest message; and one of them by its name. Pure.
import type { AttentionLevel } from '../client/api.ts'
import { safeLine } from '../client/safe-text.ts'
import type { Conversation, State } from './state.ts'

const begunConversation = (name: string, level: AttentionLevel = 'all'): Conversation => ({
  name,
  title: safeLine(name),
  unread: 0,
  firstUnread: undefined,
  activeAtMs: 0,
  mentions: 0,
  isMarked: false,
  level,
  last: undefined,
})

export const isListed = ({ unsaid }: Pick<State, 'unsaid'>, { name, last }: Conversation): boolean =>
  last?.status !== 'refused' || !unsaid.includes(name)

export const conversationsOf = ({ inbox = [], opened, begunLevels, unsaid }: State): readonly Conversation[] => {
  const known = new Set(inbox.map(({ name }) => name))
  const begun = opened.filter((name) => !known.has(name))
  const listed = inbox.filter((conversation) => isListed({ unsaid }, conversation))
  return [...begun.map((name) => begunConversation(name, begunLevels.get(name))), ...listed]
}

/** Opened, and nothing was said there yet. */
export const isBegun = ({ inbox = [], opened }: State, name: string): boolean =>
  opened.includes(name) && !inbox.some((conversation) => conversation.name === name)

export const conversationNamed = (state: State, name: string | undefined): Conversation | undefined =>
  conversationsOf(state).find((conversation) => conversation.name === name)
