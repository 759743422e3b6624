// Which conversations draw attention, and by what: everything, messages that name the user, nothing. The library keeps it. Pure.
import type { AttentionLevel } from '../client/api.ts'
import { isGroupName } from '../protocol/names.ts'
import type { Conversation, State } from './state.ts'

export const levels = ['all', 'mentions', 'none'] as const satisfies readonly AttentionLevel[]

export const isLevel = (text: string): text is AttentionLevel => levels.some((level) => level === text)

/** Of one that the library has not told of yet: a group is quiet. */
export const levelOf = ({ inbox }: Pick<State, 'inbox'>, name: string): AttentionLevel =>
  inbox?.find((conversation) => conversation.name === name)?.level ?? (isGroupName(name) ? 'mentions' : 'all')

/** How much a conversation waits to be looked at: it names the user, has something unread, was marked so; 0 = nothing, or it is muted. */
export const urgencyOf = ({ level, unread, mentions, isMarked }: Conversation): 0 | 1 | 2 | 3 => {
  if (level === 'none') return 0
  if (mentions > 0) return 3
  return unread > 0 ? 2 : isMarked ? 1 : 0
}
