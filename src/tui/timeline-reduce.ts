// What the library's messages do to the state: pages of a conversation join what is loaded, which stays bounded and hangs together. Pure.
import {
  append,
  indexOfId,
  isOfOthers,
  MAX_LOADED,
  mergeTail,
  prepend,
  renewed,
  type TimelineGap,
  type TimelineMessage,
} from './messages.ts'
import type { Rule, State, Thumbnail, Timeline } from './state.ts'
import { openConversation, showAt } from './step.ts'

export type TimelineAction =
  /** The newest page of a conversation. */
  | {
      type: 'timeline'
      conversation: string
      messages: readonly TimelineMessage[]
      gaps: readonly TimelineGap[]
      hasStart: boolean
    }
  /** The page before what is loaded, or behind it; `isLast`: nothing comes after it in that direction. */
  | { type: 'older' | 'newer'; conversation: string; messages: readonly TimelineMessage[]; isLast: boolean }
  /** In place of what is loaded; shown at one of them, in the same step: what is on the screen between two counts as seen. */
  | {
      type: 'part'
      conversation: string
      messages: readonly TimelineMessage[]
      hasStart: boolean
      hasEnd: boolean
      shows?: { id: string; words: Rule['words'] }
      /** The conversation too. */
      opens?: boolean
    }
  /** Read again because of their states. */
  | { type: 'renewed'; conversation: string; messages: readonly TimelineMessage[] }
  | { type: 'loading'; isLoading: boolean }
  | { type: 'show'; conversation: string; id: string; words: Rule['words'] }
  /** A picture was made for a width of the timeline. */
  | ({ type: 'thumbnail'; id: string } & Thumbnail)
type Of<T extends TimelineAction['type']> = Extract<TimelineAction, { type: T }>

const unreadRule = (before: string | undefined): Rule | undefined =>
  before === undefined ? undefined : { before, words: 'unread' }

/** A conversation that was just opened: with the first unread message in view, under the rule. */
const firstTimeline = (state: State, action: Of<'timeline'>): State => {
  const unread = state.inbox?.find(({ name }) => name === action.conversation)?.unread ?? 0
  const { conversation, messages, gaps, hasStart } = action
  const before =
    unread === 0 ? undefined : messages.find((message) => isOfOthers(message) && message.status !== 'read')?.id
  const timeline = { conversation, messages, gaps, hasStart, hasEnd: true, isLoading: false }
  const next = { ...state, timeline, rule: unreadRule(before), anchor: undefined }
  return before === undefined ? next : showAt(next, before)
}

const onTimeline = (state: State, action: Of<'timeline'>): State => {
  if (action.conversation !== state.current) return state
  const ids = new Set(action.messages.map(({ id }) => id))
  const pending = state.pending.filter(({ message }) => !ids.has(message.id))
  const fresh = pending.length === state.pending.length ? state : { ...state, pending }
  const old = state.timeline
  if (old?.conversation !== action.conversation) return firstTimeline(fresh, action)
  const merged = mergeTail(old.messages, action.messages)
  // Who reads the past is not torn from it.
  if (!merged && (!old.hasEnd || state.anchor)) {
    return { ...fresh, timeline: { ...old, gaps: action.gaps, hasEnd: false } }
  }
  const messages = merged ?? action.messages
  const hasStart = merged ? old.hasStart || action.hasStart : action.hasStart
  const added = messages.slice(indexOfId(messages, old.messages.at(-1)?.id) + 1).find(isOfOthers)
  // What arrives while nobody looks begins under a rule.
  const isUnseen = !state.isFocused || state.anchor !== undefined || state.overlay !== undefined
  const rule = state.rule ?? unreadRule(isUnseen ? added?.id : undefined)
  return { ...fresh, timeline: trimmed({ ...old, messages, gaps: action.gaps, hasStart, hasEnd: true }, state), rule }
}

/** Beyond what is held at once that end goes which is farther from the view. */
const trimmed = (timeline: Timeline, { anchor }: State): Timeline => {
  const { messages } = timeline
  if (messages.length <= MAX_LOADED) return timeline
  const isAtEnd = !anchor || indexOfId(messages, anchor.id) > MAX_LOADED / 2
  return isAtEnd
    ? { ...timeline, messages: messages.slice(-MAX_LOADED), hasStart: false }
    : { ...timeline, messages: messages.slice(0, MAX_LOADED), hasEnd: false }
}

const onPage = (state: State, action: Of<'older' | 'newer'>): State => {
  const { timeline } = state
  if (timeline?.conversation !== action.conversation) return state
  const isOlder = action.type === 'older'
  const { messages, isCut } = (isOlder ? prepend : append)(timeline.messages, action.messages)
  const hasStart = isOlder ? action.isLast : timeline.hasStart && !isCut
  const hasEnd = isOlder ? timeline.hasEnd && !isCut : action.isLast
  return { ...state, timeline: { ...timeline, messages, hasStart, hasEnd, isLoading: false } }
}

const onShow = (state: State, { conversation, id, words }: Of<'show'>): State =>
  state.current === conversation ? showAt({ ...state, selected: undefined, rule: { before: id, words } }, id) : state

const onPart = (state: State, action: Of<'part'>): State => {
  const { conversation, messages, hasStart, hasEnd, shows, opens } = action
  const opened = opens ? openConversation(state, conversation) : state
  if (conversation !== opened.current) return state
  const gaps = opened.timeline?.gaps ?? []
  const timeline = { conversation, messages, gaps, hasStart, hasEnd, isLoading: false }
  const next = { ...opened, anchor: undefined, timeline }
  return shows ? onShow(next, { type: 'show', conversation, ...shows }) : next
}

const onRenewed = (state: State, action: Of<'renewed'>): State => {
  const { timeline } = state
  if (timeline?.conversation !== action.conversation) return state
  const messages = renewed(timeline.messages, action.messages)
  return messages === timeline.messages ? state : { ...state, timeline: { ...timeline, messages } }
}

const onLoading = (state: State, { isLoading }: Of<'loading'>): State =>
  state.timeline ? { ...state, timeline: { ...state.timeline, isLoading } } : state

/** So many are kept, of different messages. */
const MAX_THUMBNAILS = 64
const onThumbnail = (state: State, { id, width, rows, lines }: Of<'thumbnail'>): State => {
  const others = [...state.thumbnails].filter(([other]) => other !== id).slice(1 - MAX_THUMBNAILS)
  return { ...state, thumbnails: new Map([...others, [id, { width, rows, lines }]]) }
}

export const timelineHandlers: { [T in TimelineAction['type']]: (state: State, action: Of<T>) => State } = {
  timeline: onTimeline,
  older: onPage,
  newer: onPage,
  part: onPart,
  renewed: onRenewed,
  loading: onLoading,
  show: onShow,
  thumbnail: onThumbnail,
}
