// The reducer: every event of the keyboard, the library and the clock as one function from state to state and effects.
// A table by the type of the action; nothing here waits, measures time or touches the world.
import type { AttentionLevel, LiveEvent } from '../client/api.ts'
import { type SafeText, safeLine } from '../client/safe-text.ts'
import { type ClusterReport, withReport } from './cluster.ts'
import { withCandidates } from './completing.ts'
import type { Candidate } from './completion.ts'
import { type Draft, emptyDraft } from './draft.ts'
import type { InputEvent } from './input.ts'
import { openLate, showList, showQuestion, withAsked } from './late-answers.ts'
import type { Line } from './lines.ts'
import type { TimelineMessage } from './messages.ts'
import { onMouse } from './mouse.ts'
import { pictureOverlay } from './picture-view.ts'
import { isListed } from './listing.ts'
import {
  type Connection,
  type Conversation,
  draftOfConversation,
  draftOfCurrent,
  type Effect,
  type ListRow,
  type Pending,
  type State,
  type Toast,
  typingIn,
} from './state.ts'
import type { Settings } from './settings.ts'
import { commandHint } from './slash-commands.ts'
import { openConversation, showAt, type Step, step } from './step.ts'
import { type TimelineAction, timelineHandlers } from './timeline-reduce.ts'
import { onKey, onPaste, onText } from './typing.ts'

export type Action =
  | InputEvent
  | TimelineAction
  /** What the editor left of the draft of a conversation. */
  | { type: 'edited'; conversation: string; text: string }
  | { type: 'resized'; columns: number; rows: number }
  | { type: 'ticked'; nowMs: number }
  | { type: 'inbox'; conversations: readonly Conversation[] }
  | { type: 'connection'; connection: Connection }
  | { type: 'pending'; pending: Pending }
  | { type: 'sendFailed'; id: string; problem: SafeText }
  | { type: 'list'; title: string; rows: readonly ListRow[] }
  /** Before what cannot be taken back. */
  | { type: 'question'; question: SafeText; effect: Effect }
  | { type: 'open'; conversation: string }
  /** Of one in which nothing was said yet. */
  | { type: 'begunLevel'; conversation: string; level: AttentionLevel }
  /** A group has another name. */
  | { type: 'renamed'; from: string; to: string }
  /** Of a path; for the draft that asked. */
  | { type: 'completed'; from: number; draft: Draft; candidates: readonly Candidate[] }
  | { type: 'unverified'; users: readonly SafeText[] }
  | { type: 'live'; event: LiveEvent }
  /** Of the picture that is looked at. */
  | { type: 'picture'; id: string; at: number; lines: readonly Line[]; note: SafeText | undefined }
  | { type: 'openCluster' }
  | { type: 'cluster'; report: ClusterReport }
  | { type: 'clusterProblem'; problem: SafeText }
  /** As the file says them now. */
  | { type: 'settings'; settings: Settings }
  | ({ type: 'toast' } & Toast)
  /** It is not so any more. */
  | { type: 'untoast'; text: SafeText }
  /** It was there long enough. */
  | { type: 'faded'; toast: Toast }

const onEdited = (state: State, conversation: string, text: string): State => {
  const draft = { ...draftOfConversation(state, conversation), text, cursor: text.length }
  return { ...state, drafts: { ...state.drafts, [conversation]: draft }, recall: undefined }
}

const onInbox = (state: State, conversations: readonly Conversation[]): State => {
  const next = { ...state, inbox: conversations }
  const first = conversations.find((conversation) => isListed(state, conversation))
  return state.current === undefined && first ? openConversation(next, first.name) : next
}

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

const onSendFailed = (state: State, id: string, problem: SafeText): State => {
  const failed = ({ message }: Pending): TimelineMessage => ({ ...message, status: 'failed', problem })
  return {
    ...state,
    pending: state.pending.map((entry) => (entry.message.id === id ? { ...entry, message: failed(entry) } : entry)),
  }
}

/** What was being written goes on under the new name; what was being read, or answered to a question, stays where it is. */
const onRenamed = (state: State, from: string, to: string): State => {
  const drafts = { ...state.drafts, [from]: emptyDraft, [to]: draftOfConversation(state, from) }
  const isKnown = state.inbox?.some(({ name }) => name === to) === true
  const opened = state.opened.filter((name) => name !== from && name !== to)
  const next = { ...state, drafts, opened: isKnown ? opened : [to, ...opened] }
  if (state.current !== from) return { ...next, opened }
  const timeline = state.timeline?.conversation === from ? { ...state.timeline, conversation: to } : state.timeline
  const pending = state.pending.map((entry) => (entry.conversation === from ? { ...entry, conversation: to } : entry))
  return { ...next, current: to, timeline, pending }
}

const onLive = (state: State, event: LiveEvent): State => {
  if (event.type === 'presence') {
    const lastSeenMs = event.lastSeen === null ? undefined : Date.parse(event.lastSeen)
    return {
      ...state,
      presence: { ...state.presence, [event.user]: { isOnline: event.state === 'online', lastSeenMs } },
    }
  }
  const from = safeLine(event.from)
  const others = typingIn(state, event.conversation).filter((name) => name !== from)
  return { ...state, typing: { ...state.typing, [event.conversation]: event.active ? [...others, from] : others } }
}

/** A theme that was tried meanwhile stays, unless it is the theme that was set. */
const withSettings = (state: State, settings: Settings): State => {
  const isOther = settings.theme !== state.settings.theme
  return { ...state, settings, keymap: settings.keymap, theme: (isOther ? settings.theme : undefined) ?? state.theme }
}

/** Of flat values: what is asked for every second must not draw every second. */
const isEqual = (a: Connection | undefined, b: Connection): boolean => JSON.stringify(a) === JSON.stringify(b)

type Handlers = {
  [T in Exclude<Action, TimelineAction>['type']]: (state: State, action: Extract<Action, { type: T }>) => Step
}

const handlers: Handlers = {
  key: (state, { key }) => onKey(state, key),
  text: (state, { text }) => onText(state, text),
  paste: (state, { text }) => onPaste(state, text),
  edited: (state, { conversation, text }) => step(onEdited(state, conversation, text)),
  focus: (state, { isFocused }) => step(onFocus(state, isFocused)),
  mouse: (state, event) => onMouse(state, event),
  resized: (state, { columns, rows }) => step({ ...state, size: { columns, rows } }),
  ticked: (state, { nowMs }) => step({ ...state, nowMs }),
  inbox: (state, { conversations }) => step(onInbox(state, conversations)),
  connection: (state, { connection }) => step(isEqual(state.connection, connection) ? state : { ...state, connection }),
  pending: (state, { pending }) => step({ ...state, pending: [...state.pending, pending] }),
  sendFailed: (state, { id, problem }) => step(onSendFailed(state, id, problem)),
  list: (state, { title, rows }) => step(showList(state, title, rows)),
  question: (state, { question, effect }) => step(showQuestion(state, question, effect)),
  open: (state, { conversation }) => step(openLate(state, conversation)),
  begunLevel: (state, { conversation, level }) =>
    step({ ...state, begunLevels: new Map([...state.begunLevels, [conversation, level]]) }),
  renamed: (state, { from, to }) => step(onRenamed(state, from, to)),
  completed: (state, action) => step(withCandidates(state, action)),
  unverified: (state, { users }) =>
    step(users.join(' ') === state.strangeDevices.join(' ') ? state : { ...state, strangeDevices: users }),
  live: (state, { event }) => step(onLive(state, event)),
  picture: (state, { id, at, lines, note }) => {
    const overlay = pictureOverlay(state)
    const isOf = overlay?.id === id && overlay.at === at
    return step(overlay && isOf ? { ...state, overlay: { ...overlay, lines, note } } : state)
  },
  openCluster: (state) => step({ ...state, overlay: { kind: 'cluster', top: 0 } }),
  cluster: (state, { report }) => step({ ...state, cluster: withReport(state.cluster, report, state.nowMs) }),
  clusterProblem: (state, { problem }) =>
    step({ ...state, cluster: { changes: [], report: undefined, ...state.cluster, problem } }),
  settings: (state, { settings }) => step(withSettings(state, settings)),
  toast: (state, { text, style, isUnderWay = false }) => step({ ...state, toast: { text, style, isUnderWay } }),
  untoast: (state, { text }) => step(state.toast?.text === text ? { ...state, toast: undefined } : state),
  // What was said of Ctrl-C is true as long as it can be read.
  faded: (state, { toast }) => step(state.toast === toast ? { ...state, toast: undefined, isQuitArmed: false } : state),
}

const withHint = (state: State): State => {
  const hint = state.overlay ? undefined : commandHint(draftOfCurrent(state).text)
  return hint === state.hint ? state : { ...state, hint }
}

// The casts: the tables have, for each type, the handler of exactly that action; TypeScript cannot follow the index.
const reduceTimeline = (state: State, action: TimelineAction): State =>
  (timelineHandlers[action.type] as (state: State, action: TimelineAction) => State)(state, action)
const reduceOther = (state: State, action: Exclude<Action, TimelineAction>): Step =>
  (handlers[action.type] as (state: State, action: Action) => Step)(state, action)
const isOfTimeline = (action: Action): action is TimelineAction => Object.hasOwn(timelineHandlers, action.type)

export const reduce = (state: State, action: Action): Step => {
  const next = isOfTimeline(action) ? step(reduceTimeline(state, action)) : reduceOther(state, action)
  return { ...next, state: withHint(withAsked(next.state, next.effects)) }
}
