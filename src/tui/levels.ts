// Which conversations draw attention, and by what: everything, messages that name the user, nothing. Pure.
import { isGroupName } from '../protocol/names.ts'
import type { Conversation, State } from './state.ts'

export const levels = ['all', 'mentions', 'none'] as const
export type Level = (typeof levels)[number]
/** By conversation; what is not in it has the usual level. */
export type Levels = Readonly<Record<string, Level>>

export const isLevel = (text: string): text is Level => levels.some((level) => level === text)

/** Direct messages are for the user; of a group only what names them is. */
const usualLevel = (name: string): Level => (isGroupName(name) ? 'mentions' : 'all')

/** Names are chosen by others: `constructor` is one. */
export const levelOf = ({ levels: known }: Pick<State, 'levels'>, name: string): Level =>
  (Object.hasOwn(known, name) ? known[name] : undefined) ?? usualLevel(name)

/** Without a level it has the usual one again. */
export const withLevel = (known: Levels, name: string, level: Level | undefined): Levels => {
  const others = Object.entries(known).filter(([other]) => other !== name)
  return Object.fromEntries(level === undefined || level === usualLevel(name) ? others : [...others, [name, level]])
}

/** How much a conversation waits to be looked at: it names the user, has something unread, was marked so; 0 = nothing, or it is muted. */
export const urgencyOf = (state: State, { name, unread, mentions }: Conversation): 0 | 1 | 2 | 3 => {
  if (levelOf(state, name) === 'none') return 0
  if (mentions > 0) return 3
  return unread > 0 ? 2 : state.marked.includes(name) ? 1 : 0
}
