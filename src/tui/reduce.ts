// The reducer: every event of the keyboard, the library and the clock as one function from state to state and effects.
// A table by the type of the action; nothing here waits, measures time or touches the world.
import type { SafeText } from '../client/safe-text.ts'
import { type Draft, type Edit, edits, insert } from './draft.ts'
import type { InputEvent } from './input.ts'
import { operationOf } from './keymap.ts'
import type { Mode } from './keys.ts'
import {
  append,
  indexOfId,
  MAX_LOADED,
  mergeTail,
  prepend,
  renewed,
  type TimelineGap,
  type TimelineMessage,
} from './messages.ts'
import { type Operation, operations } from './operations.ts'
import { editQuery } from './overlay-operations.ts'
import { askAboutPaste, isAskedAbout } from './paste.ts'
import {
  type Connection,
  type Conversation,
  draftOfConversation,
  draftOfCurrent,
  type ListRow,
  type Pending,
  type Rule,
  type State,
  type Timeline,
} from './state.ts'
import { isSelecting } from './select-operations.ts'
import { commandHint } from './slash-commands.ts'
import { listOverlay, openConversation, showAt, type Step, step, withDraft, withToast } from './step.ts'

export type Action =
  | InputEvent
  /** What the editor left of the draft of a conversation. */
  | { type: 'edited'; conversation: string; text: string }
  | { type: 'resized'; columns: number; rows: number }
  | { type: 'ticked'; nowMs: number }
  | { type: 'inbox'; conversations: readonly Conversation[] }
  | { type: 'connection'; connection: Connection }
  /** The newest page of a conversation; `unread` is what the inbox says, for the first one. */
  | {
      type: 'timeline'
      conversation: string
      messages: readonly TimelineMessage[]
      gaps: readonly TimelineGap[]
      hasStart: boolean
    }
  /** The page before what is loaded, or behind it; `isLast`: nothing comes after it in that direction. */
  | { type: 'older' | 'newer'; conversation: string; messages: readonly TimelineMessage[]; isLast: boolean }
  /** In place of what is loaded. */
  | {
      type: 'part'
      conversation: string
      messages: readonly TimelineMessage[]
      hasStart: boolean
      hasEnd: boolean
    }
  /** Read again because of their states. */
  | { type: 'renewed'; conversation: string; messages: readonly TimelineMessage[] }
  | { type: 'loading'; isLoading: boolean }
  | { type: 'show'; conversation: string; id: string }
  | { type: 'pending'; pending: Pending }
  | { type: 'sendFailed'; id: string; problem: SafeText }
  | { type: 'list'; title: string; rows: readonly ListRow[] }
  | { type: 'toast'; text: SafeText; style: 'dim' | 'problem' }

const modeOf = (state: State): Mode => state.overlay?.kind ?? (isSelecting(state) ? 'select' : 'chat')
const isEdit = (name: Operation | Edit): name is Edit => Object.hasOwn(edits, name)
/** What any key ends: a message that was shown, and the readiness to quit. */
const touched = (state: State): State =>
  state.toast || state.isQuitArmed ? { ...state, toast: undefined, isQuitArmed: false } : state

const onKey = (state: State, key: string): Step => {
  const name = operationOf(state.keymap, modeOf(state), key)
  if (name === undefined) return step(state)
  const wasArmed = state.isQuitArmed
  const next = touched(state)
  if (!isEdit(name)) return operations[name]({ ...next, isQuitArmed: wasArmed && name === 'clearOrQuit' })
  if (next.overlay) return step(editQuery(next, name))
  return step({ ...withDraft(next, edits[name](draftOfCurrent(next))), recall: undefined })
}

const typed = (draft: Draft, text: string): Draft => insert(draft, text)

/** A letter that is a key there is that key, whatever follows in the same chunk; with any other, writing goes on. */
const onSelectingText = (state: State, text: string): Step => {
  const key = text.charAt(0)
  if (operationOf(state.keymap, 'select', key) === undefined) return onText({ ...state, selected: undefined }, text)
  const first = onKey(state, key)
  if (text.length === 1) return first
  const rest = onText(first.state, text.slice(1))
  return step(rest.state, ...first.effects, ...rest.effects)
}

const onText = (state: State, text: string): Step => {
  const next = touched(state)
  const { overlay } = next
  if (overlay?.kind === 'switcher') {
    return step({
      ...next,
      overlay: { ...overlay, query: typed(overlay.query, text.replaceAll('\n', ' ')), selected: 0 },
    })
  }
  // Letters are keys there.
  if (overlay?.kind === 'paste') return onKey(next, text)
  if (!overlay && isSelecting(next)) return onSelectingText(next, text)
  const draft = draftOfCurrent(next)
  if (text === '?' && draft.text === '') {
    return step({ ...next, overlay: overlay?.kind === 'help' ? undefined : { kind: 'help', top: 0 } })
  }
  // Whoever types over a list wants to write: nothing typed is lost.
  return step({ ...withDraft({ ...next, overlay: undefined }, typed(draft, text)), recall: undefined })
}

const onPaste = (state: State, text: string): Step => {
  const isQuestion = state.overlay?.kind === 'paste' || (state.overlay?.kind !== 'switcher' && isAskedAbout(text))
  return isQuestion ? step(askAboutPaste(touched(state), text)) : onText(state, text)
}

const onEdited = (state: State, conversation: string, text: string): State => {
  const draft = { ...draftOfConversation(state, conversation), text, cursor: text.length }
  return { ...state, drafts: { ...state.drafts, [conversation]: draft }, recall: undefined }
}

const onInbox = (state: State, conversations: readonly Conversation[]): State => {
  const next = { ...state, inbox: conversations }
  const [first] = conversations
  return state.current === undefined && first ? openConversation(next, first.name) : next
}

const firstUnread = (messages: readonly TimelineMessage[]): string | undefined =>
  messages.find(({ isOwn, status }) => !isOwn && status !== 'read')?.id

/**
 * While nobody looks the view follows what arrives. Who comes back finds it at the first unread message, so that nothing counts
 * as read that was not on the screen. A rule above what was read is gone once the terminal is left.
 */
const onFocus = (state: State, isFocused: boolean): State => {
  const unread = state.inbox?.find(({ name }) => name === state.current)?.unread ?? 0
  if (!isFocused) return { ...state, isFocused, rule: unread > 0 ? state.rule : undefined }
  const next = { ...state, isFocused }
  const { rule, anchor } = state
  return unread > 0 && anchor === undefined && rule !== undefined ? showAt(next, rule.before) : next
}

type TimelineAction = Extract<Action, { type: 'timeline' }>

const unreadRule = (before: string | undefined): Rule | undefined =>
  before === undefined ? undefined : { before, words: 'unread' }

/** A conversation that was just opened: with the first unread message in view, under the rule. */
const firstTimeline = (state: State, action: TimelineAction): State => {
  const unread = state.inbox?.find(({ name }) => name === action.conversation)?.unread ?? 0
  const { conversation, messages, gaps, hasStart } = action
  const before = unread === 0 ? undefined : firstUnread(messages)
  const timeline = { conversation, messages, gaps, hasStart, hasEnd: true, isLoading: false }
  const next = { ...state, timeline, rule: unreadRule(before), anchor: undefined }
  return before === undefined ? next : showAt(next, before)
}

const onTimeline = (state: State, action: TimelineAction): State => {
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
  const added = messages.slice(indexOfId(messages, old.messages.at(-1)?.id) + 1).find(({ isOwn }) => !isOwn)
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

const onPage = (state: State, action: Extract<Action, { type: 'older' | 'newer' }>): State => {
  const { timeline } = state
  if (timeline?.conversation !== action.conversation) return state
  const isOlder = action.type === 'older'
  const { messages, isCut } = (isOlder ? prepend : append)(timeline.messages, action.messages)
  const hasStart = isOlder ? action.isLast : timeline.hasStart && !isCut
  const hasEnd = isOlder ? timeline.hasEnd && !isCut : action.isLast
  return { ...state, timeline: { ...timeline, messages, hasStart, hasEnd, isLoading: false } }
}

const onPart = (state: State, action: Extract<Action, { type: 'part' }>): State => {
  const { conversation, messages, hasStart, hasEnd } = action
  if (conversation !== state.current) return state
  const gaps = state.timeline?.gaps ?? []
  return { ...state, anchor: undefined, timeline: { conversation, messages, gaps, hasStart, hasEnd, isLoading: false } }
}

const onRenewed = (state: State, action: Extract<Action, { type: 'renewed' }>): State => {
  const { timeline } = state
  if (timeline?.conversation !== action.conversation) return state
  const messages = renewed(timeline.messages, action.messages)
  return messages === timeline.messages ? state : { ...state, timeline: { ...timeline, messages } }
}

const onSendFailed = (state: State, id: string, problem: SafeText): State => {
  const failed = ({ message }: Pending): TimelineMessage => ({ ...message, status: 'failed', problem })
  return {
    ...state,
    problems: { ...state.problems, [id]: problem },
    pending: state.pending.map((entry) => (entry.message.id === id ? { ...entry, message: failed(entry) } : entry)),
  }
}

/** Of flat values: what is asked for every second must not draw every second. */
const isEqual = (a: Connection | undefined, b: Connection): boolean => JSON.stringify(a) === JSON.stringify(b)

const showFound = (state: State, id: string): State =>
  showAt({ ...state, selected: undefined, rule: { before: id, words: 'found' } }, id)

type Handlers = { [T in Action['type']]: (state: State, action: Extract<Action, { type: T }>) => Step }

const handlers: Handlers = {
  key: (state, { key }) => onKey(state, key),
  text: (state, { text }) => onText(state, text),
  paste: (state, { text }) => onPaste(state, text),
  edited: (state, { conversation, text }) => step(onEdited(state, conversation, text)),
  focus: (state, { isFocused }) => step(onFocus(state, isFocused)),
  resized: (state, { columns, rows }) => step({ ...state, size: { columns, rows } }),
  ticked: (state, { nowMs }) => step({ ...state, nowMs }),
  inbox: (state, { conversations }) => step(onInbox(state, conversations)),
  connection: (state, { connection }) => step(isEqual(state.connection, connection) ? state : { ...state, connection }),
  timeline: (state, action) => step(onTimeline(state, action)),
  older: (state, action) => step(onPage(state, action)),
  newer: (state, action) => step(onPage(state, action)),
  part: (state, action) => step(onPart(state, action)),
  renewed: (state, action) => step(onRenewed(state, action)),
  loading: (state, { isLoading }) =>
    step(state.timeline ? { ...state, timeline: { ...state.timeline, isLoading } } : state),
  show: (state, { conversation, id }) => step(state.current === conversation ? showFound(state, id) : state),
  pending: (state, { pending }) => step({ ...state, pending: [...state.pending, pending] }),
  sendFailed: (state, { id, problem }) => step(onSendFailed(state, id, problem)),
  list: (state, { title, rows }) => step(listOverlay(state, title, rows)),
  toast: (state, { text, style }) => step(withToast(state, text, style)),
}

const withHint = (state: State): State => {
  const hint = state.overlay ? undefined : commandHint(draftOfCurrent(state).text)
  return hint === state.hint ? state : { ...state, hint }
}

export const reduce = (state: State, action: Action): Step => {
  // The cast: the table has, for each type, the handler of exactly that action; TypeScript cannot follow the index.
  const handle = handlers[action.type] as (state: State, action: Action) => Step
  const next = handle(state, action)
  return { ...next, state: withHint(next.state) }
}
