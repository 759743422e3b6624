// Which part of the current conversation is on the screen, as lines and as the messages they belong to. Pure.
// Scrolling, the anchor and what counts as seen are all answered here, from the same window.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import { blockOf, gapLine } from './blocks.ts'
import { layoutOf } from './layout.ts'
import { emptyLine, type Line, line, ruled } from './lines.ts'
import { indexOfId, isOfOthers, quoteText, type TimelineMessage } from './messages.ts'
import { type Anchor, type State, thumbnailOf } from './state.ts'
import {
  type Blocks,
  endOf,
  filledWindowAt,
  type Position,
  scrolled,
  type Window,
  windowAt,
  withTop,
} from './window.ts'

const noLines: readonly Line[] = []
const noMessages: readonly TimelineMessage[] = []
const joined = new WeakMap<readonly TimelineMessage[], { pending: State['pending']; all: readonly TimelineMessage[] }>()

/** What the library has, then what is on its way into its outbox. */
export const messagesOf = (state: State): readonly TimelineMessage[] => {
  const loaded = state.timeline?.conversation === state.current ? state.timeline?.messages : undefined
  const messages = loaded ?? noMessages
  // In a part of the past nothing stands at the end that was just written.
  const hasEnd = state.timeline?.hasEnd !== false
  const waiting = state.pending.filter(({ conversation }) => hasEnd && conversation === state.current)
  if (waiting.length === 0) return messages
  const known = joined.get(messages)
  if (known?.pending === state.pending) return known.all
  const all = [...messages, ...waiting.map(({ message }) => message)]
  joined.set(messages, { pending: state.pending, all })
  return all
}

const thumbnailLines = (state: State, { id, pictures }: TimelineMessage, width: number): readonly Line[] => {
  if (pictures === undefined || state.theme === 'mono') return noLines
  const thumbnail = thumbnailOf(state, id)
  return thumbnail?.width === width ? thumbnail.lines : noLines
}

const blocksOf = (state: State): Blocks<Line> & { messages: readonly TimelineMessage[] } => {
  const messages = messagesOf(state)
  const { timelineColumns: width } = layoutOf(state)
  const gaps = state.timeline?.gaps ?? []
  const isEnd = state.timeline?.hasEnd !== false
  const trailing = gaps.filter(({ before }) => isEnd && before === undefined).map((gap) => gapLine(gap, width))
  return {
    messages,
    count: messages.length,
    linesOf: (index) => {
      const message = messages[index]
      if (message === undefined) return []
      const previous = messages[index - 1]
      const { rule, nowMs, user } = state
      const isSelected = state.selected === message.id
      const quote = message.reply === undefined ? undefined : quoteText(messages[indexOfId(messages, message.reply)])
      const thumbnail = thumbnailLines(state, message, width)
      const lines = blockOf(message, { width, previous, rule, gaps, nowMs, user, isSelected, quote, thumbnail })
      return index === messages.length - 1 && trailing.length > 0 ? [...lines, ...trailing] : lines
    },
  }
}

const positionOf = (state: State, blocks: ReturnType<typeof blocksOf>): Position => {
  const index = indexOfId(blocks.messages, state.anchor?.id)
  return state.anchor && index >= 0 ? { index, line: state.anchor.line } : endOf(blocks)
}

/** Without a position it is the end; that of a part of the past is a place like any other, which nothing is added to. */
const anchorOf = (
  state: State,
  blocks: ReturnType<typeof blocksOf>,
  position: Position | undefined,
): Anchor | undefined => {
  const place = position ?? (state.timeline?.hasEnd === false ? endOf(blocks) : undefined)
  const message = place && blocks.messages[place.index]
  return place && message ? { id: message.id, line: place.line } : undefined
}

const windows = new WeakMap<State, Window<Line>>()
export const windowOf = (state: State): Window<Line> => {
  const known = windows.get(state)
  if (known) return known
  const blocks = blocksOf(state)
  const at = state.timeline?.hasStart ? filledWindowAt : windowAt
  const window = at(blocks, positionOf(state, blocks), layoutOf(state).timelineRows)
  windows.set(state, window)
  return window
}

export const scrolledAnchor = (state: State, lines: number): Anchor | undefined => {
  const blocks = blocksOf(state)
  const from = state.anchor ? positionOf(state, blocks) : undefined
  return anchorOf(state, blocks, scrolled(blocks, from, { lines, rows: layoutOf(state).timelineRows }))
}

/** The view with message `id` near the top, a line of what was before it above. */
export const anchorWithTop = (state: State, id: string): Anchor | undefined => {
  const blocks = blocksOf(state)
  const index = indexOfId(blocks.messages, id)
  return index < 0 ? state.anchor : anchorOf(state, blocks, withTop(blocks, index, layoutOf(state).timelineRows))
}

/** The view with the end of message `id` at the bottom; undefined = the end of all. */
export const anchorWithBottom = (state: State, id: string): Anchor | undefined => {
  const blocks = blocksOf(state)
  const index = indexOfId(blocks.messages, id)
  const isLast = index < 0 || index === blocks.count - 1
  return anchorOf(state, blocks, isLast ? undefined : { index, line: blocks.linesOf(index).length - 1 })
}

/** How many messages are below the view. */
export const countBelow = (state: State): number => {
  if (!state.anchor) return 0
  const { last } = windowOf(state)
  return Math.max(0, messagesOf(state).length - 1 - last)
}

/** How many of those are from others and not read. */
export const newBelow = (state: State): number => {
  if (!state.anchor) return 0
  const messages = messagesOf(state)
  return messages.slice(windowOf(state).last + 1).filter((message) => isOfOthers(message) && message.status !== 'read')
    .length
}

/** Who was led to a message did not see what is unread above it; whoever goes on to the end has done with it. */
const skipsUnread = (state: State, first: number): boolean => {
  if (state.rule?.words !== 'found' || !state.anchor) return false
  const unread = state.inbox?.find(({ name }) => name === state.current)?.firstUnread
  return unread !== undefined && indexOfId(messagesOf(state), unread) < first
}

/** The newest message of others that is before the eyes of the user now; undefined when none is. */
export const seenMessage = (state: State): string | undefined => {
  if (!state.isFocused || state.overlay || state.timeline?.conversation !== state.current) return undefined
  const { first, last } = windowOf(state)
  if (skipsUnread(state, first)) return undefined
  const messages = messagesOf(state)
  for (let index = last; index >= first && index >= 0; index--) {
    const message = messages[index]
    if (message && isOfOthers(message)) return message.id
  }
  return undefined
}

/** The newest on the screen that fits. */
export const shownMessage = (state: State, fits: (message: TimelineMessage) => boolean): TimelineMessage | undefined =>
  messagesOf(state)
    .slice(0, windowOf(state).last + 1)
    .findLast((message) => fits(message) && !message.isDeleted)

const emptyText = (state: State): SafeText[] => {
  if (state.inbox === undefined) return [safe`Reading your conversations …`]
  if (state.current === undefined) {
    return [
      safe`You are ${state.title}. There is no conversation yet.`,
      safe`Type /msg NAME to begin one with a user of this cluster,`,
      safe`/help for everything else, /quit to leave.`,
    ]
  }
  if (state.timeline?.conversation !== state.current) return [safe`Reading this conversation …`]
  return [safe`Nothing has been said here yet.`, safe`Type a message and press Enter.`]
}

export const timelineLines = (state: State): Line[] => {
  const { timelineColumns: width, timelineRows: rows } = layoutOf(state)
  const { lines, first } = windowOf(state)
  if (first < 0) return emptyText(state).map((text) => line(text, 'dim'))
  const missing = rows - lines.length
  if (missing <= 0) return lines
  const start = state.timeline?.hasStart ? safe`beginning of the conversation` : safe`reading older messages …`
  return [...Array.from({ length: missing - 1 }, () => emptyLine), ruled(start, { width, style: 'dim' }), ...lines]
}
