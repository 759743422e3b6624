// The list of conversations: who, how much is unread, and the last line of each, around the current one. Pure.
import { safeLine, safeTemplate as safe, type SafeText } from '../client/safe-text.ts'
import { layoutOf } from './layout.ts'
import { urgencyOf } from './levels.ts'
import { bar, fit, type Line, line, span } from './lines.ts'
import { conversationsOf } from './listing.ts'
import { type Conversation, draftOfConversation, presenceOf, type State, typingIn } from './state.ts'

export const unreadText = ({ unread, mentions }: Conversation): SafeText => {
  if (unread === 0) return safe``
  return mentions > 0 ? safe`${unread} @${mentions}` : safe`${unread}`
}

const lastLine = (state: State, { name, last }: Conversation): SafeText => {
  const draft = draftOfConversation(state, name).text
  if (draft !== '' && name !== state.current) return safe`draft: ${safeLine(draft, { maxLength: 80 })}`
  if (typingIn(state, name).length > 0) return safe`typing …`
  if (!last) return safe`nothing said yet`
  const text = last.isDeleted ? safe`(deleted)` : safeLine(last.text, { maxLength: 80 })
  return last.isOwn ? safe`you: ${text}` : text
}

/** So many are reached by Alt and a digit; the tenth by 0. */
const NUMBERED = 10
interface EntryOptions {
  width: number
  tall: boolean
  /** Its place in the list, from 1. */
  number: number
}

const entryLines = (state: State, conversation: Conversation, options: EntryOptions): Line[] => {
  const isCurrent = conversation.name === state.current
  const { width, tall, number } = options
  const { title, unread, isBlocked, level } = conversation
  const quiet = isBlocked ? safe`blocked ` : level === 'none' ? safe`muted ` : undefined
  const style = isCurrent ? 'current' : urgencyOf(conversation) > 0 ? 'unread' : 'plain'
  const here = !isBlocked && presenceOf(state, conversation.name)?.isOnline ? [span(safe` ●`, 'seen')] : []
  const mark = isCurrent ? safe`▸ ` : number <= NUMBERED ? safe`${number % 10} ` : safe`  `
  const name = [span(mark, isCurrent ? 'key' : 'dim'), span(title, style), ...here]
  const count = unread === 0 && conversation.isMarked ? safe`•` : unreadText(conversation)
  const end = quiet === undefined ? [span(count, 'unread')] : [span(safe`${quiet}${count}`, 'dim')]
  const head = bar(name, end, { width, style: 'plain' })
  return tall ? [head, fit([span(safe`  `), span(lastLine(state, conversation), 'dim')], width)] : [head]
}

/** The part of the list that fits: two rows for each while all do, else one, around the current one. */
const shownIn = (
  state: State,
  rows: number,
): { all: readonly Conversation[]; tall: boolean; top: number; end: number } => {
  const all = conversationsOf(state)
  const tall = all.length * 2 <= rows
  const shown = tall ? all.length : rows
  const current = all.findIndex(({ name }) => name === state.current)
  const top = Math.max(0, Math.min(current - Math.floor(shown / 2), all.length - shown))
  return { all, tall, top, end: top + shown }
}

export const conversationAt = (
  state: State,
  { row, rows }: { row: number; rows: number },
): Conversation | undefined => {
  const { all, tall, top } = shownIn(state, rows)
  return all[top + (tall ? Math.floor(row / 2) : row)]
}

export const sidebarLines = (state: State, rows: number): Line[] => {
  const { sidebarColumns: width } = layoutOf(state)
  const { all, tall, top, end } = shownIn(state, rows)
  if (all.length === 0) {
    return state.inbox
      ? [line(safe`  no conversations`, 'dim'), line(safe`  /msg NAME`, 'dim')]
      : [line(safe`  reading …`, 'dim')]
  }
  return all
    .slice(top, end)
    .flatMap((conversation, index) => entryLines(state, conversation, { width, tall, number: top + index + 1 }))
}
