// What a screen reader is told: the lines that say how one state differs from the one before it. Pure; spoken-drawing.ts writes them.
// Each is whole in itself and plain words: no boxes, no signs, nothing by colour or place.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { completionText } from './completion.ts'
import { joinText } from './cells.ts'
import { indexOfId, MAX_QUOTE, type TimelineMessage } from './messages.ts'
import { clusterWords } from './spoken-cluster.ts'
import { overlayText } from './spoken-overlay.ts'
import { conversationNamed, conversationsOf } from './listing.ts'
import type { Connection, Conversation, State } from './state.ts'
import { messagesOf, windowOf } from './timeline-view.ts'

const statusWords: Record<TimelineMessage['status'], SafeText> = {
  sending: safe`sending`,
  queued: safe`queued`,
  stored: safe`stored`,
  received: safe`received`,
  read: safe`read`,
  refused: safe`refused`,
  failed: safe`not sent`,
}
const noText = safe``

const stateOf = ({ isOwn, isDeleted, status, tally, problem }: TimelineMessage): SafeText => {
  if (!isOwn || isDeleted) return noText
  const count = tally && tally.read > 0 && status !== 'read' ? safe`, read by ${tally.read} of ${tally.of}` : noText
  return problem === undefined
    ? safe` (${statusWords[status]}${count})`
    : safe` (${statusWords[status]}${count}: ${problem})`
}

const answerOf = ({ reply }: TimelineMessage, messages: readonly TimelineMessage[]): SafeText => {
  if (reply === undefined) return noText
  const answered = messages[indexOfId(messages, reply)]
  return answered
    ? safe` to ${answered.from}, “${safeLine(answered.text, { maxLength: MAX_QUOTE })}”`
    : safe` to an older message`
}

/** `you: hello (read)`; without the state when nobody asked for it. */
const messageLine = (
  message: TimelineMessage,
  messages: readonly TimelineMessage[],
  { hasState = true }: { hasState?: boolean } = {},
): SafeText => {
  const { from, isOwn, isChange, text, isEdited, isDeleted, reactions = [] } = message
  if (isChange) return text
  const said = isDeleted ? safe`(deleted)` : text
  const edited = isEdited && !isDeleted ? safe` (edited)` : noText
  const liked = reactions.map(({ emoji, count }) => safe`, ${emoji} by ${count}`)
  return joinText([
    isOwn ? safe`you` : from,
    answerOf(message, messages),
    safe`: `,
    said,
    edited,
    hasState ? stateOf(message) : noText,
    ...liked,
  ])
}

type Speaker = (state: State, before: State | undefined) => readonly SafeText[]

const ofNotices: Speaker = (state, before) => (before ? [] : state.notices)

const connectionWords = ({ state, gateway, problem, isComplete, denied }: Connection): SafeText => {
  if (denied !== undefined) return safe`refused for good: ${denied}`
  const why = problem === undefined ? noText : safe`: ${problem}`
  if (state === 'online')
    return isComplete ? safe`online at ${gateway ?? noText}` : safe`incomplete: too few stores answer`
  return state === 'waiting'
    ? safe`offline${why}; trying again`
    : safe`${state === 'closed' ? safe`closed` : safe`connecting`}${why}`
}
const ofConnection: Speaker = ({ connection }, before) => {
  if (!connection || connection === before?.connection) return []
  const words = connectionWords(connection)
  return before?.connection && connectionWords(before.connection) === words ? [] : [words]
}

const unreadWords = ({ title, unread }: Conversation): SafeText => safe`${title} ${unread}`
const listWords = (parts: readonly SafeText[]): SafeText =>
  joinText(parts.flatMap((part, index) => (index === 0 ? [part] : [safe`, `, part])))

const ofInbox: Speaker = ({ inbox, current }, before) => {
  if (!inbox || inbox === before?.inbox) return []
  if (!before?.inbox) {
    const unread = inbox.filter((entry) => entry.unread > 0)
    if (inbox.length === 0)
      return [safe`There is no conversation yet. /msg NAME begins one, /help tells of everything else.`]
    return unread.length === 0 ? [safe`nothing is unread`] : [safe`unread: ${listWords(unread.map(unreadWords))}`]
  }
  const known = new Map(before.inbox.map(({ name, last }) => [name, last?.id]))
  return inbox.flatMap(({ name, title, last, level }) => {
    const isNew = last !== undefined && !last.isOwn && known.get(name) !== last.id
    if (!isNew || name === current || level === 'none') return []
    return [safe`in ${title}, ${last.from}: ${safeLine(last.text, { maxLength: MAX_QUOTE })}`]
  })
}

const ofConversation: Speaker = (state, before) => {
  const { current } = state
  if (current === undefined || current === before?.current) return []
  const topic = conversationNamed(state, current)?.topic
  return [safe`conversation ${safeLine(current)}`, ...(topic === undefined ? [] : [safe`about: ${topic}`])]
}

const whole = (state: State): SafeText[] => {
  const { first, last } = windowOf(state)
  const messages = messagesOf(state)
  return first < 0 ? [] : messages.slice(first, last + 1).map((message) => messageLine(message, messages))
}

/** What came behind what was there, and what has another line than before. */
const changed = (messages: readonly TimelineMessage[], old: readonly TimelineMessage[]): SafeText[] => {
  const known = new Map(old.map((message) => [message.id, message]))
  const lastKnown = messages.findLastIndex(({ id }) => known.has(id))
  return messages.flatMap((message, index) => {
    const was = known.get(message.id)
    if (was === message || message.status === 'sending' || (!was && index < lastKnown)) return []
    const wasSaid = was !== undefined && was.status !== 'sending'
    const line = messageLine(message, messages, { hasState: !isQuiet(message) })
    const isSame = wasSaid && messageLine(was, old, { hasState: !isQuiet(was) }) === line
    if (isSame) return []
    return [wasSaid && isReadOnly(message, was) ? safe`read: ${safeLine(message.text, { maxLength: MAX_READ })}` : line]
  })
}

/** So much of an own message says which one was read. */
const MAX_READ = 60
const quietStates: ReadonlySet<TimelineMessage['status']> = new Set(['queued', 'stored', 'received'])
/** Nothing went wrong and nobody has read it: what is selected, or read again, tells how it stands. */
const isQuiet = ({ isOwn, status }: TimelineMessage): boolean => isOwn && quietStates.has(status)
/** That it was read is all that is new. */
const isReadOnly = (message: TimelineMessage, was: TimelineMessage): boolean =>
  message.status === 'read' && messageLine({ ...was, status: 'read' }, []) === messageLine(message, [])

const ofMessages: Speaker = (state, before) => {
  const { timeline, anchor } = state
  if (!timeline || timeline.conversation !== state.current || !before) return []
  const isOpened = before.timeline?.conversation !== timeline.conversation
  const isMoved = anchor !== before.anchor && anchor !== undefined
  if (isOpened || isMoved) return whole(state)
  const [messages, old] = [messagesOf(state), messagesOf(before)]
  return messages === old ? [] : changed(messages, old)
}

const ofSelected: Speaker = (state, before) => {
  if (state.selected === undefined || state.selected === before?.selected) return []
  const messages = messagesOf(state)
  const message = messages[indexOfId(messages, state.selected)]
  return message ? [safe`selected, ${messageLine(message, messages)}`] : []
}

const ofOverlay: Speaker = (state, before) => {
  if (!state.overlay) return before?.overlay ? [safe`closed`] : []
  const old = before?.overlay && before.overlay.kind === state.overlay.kind ? overlayText(before) : undefined
  const text = overlayText(state)
  const heads = text.all.join('\n') === old?.all.join('\n') ? [] : text.all
  return [...heads, ...(text.chosen === undefined || text.chosen === old?.chosen ? [] : [text.chosen])]
}

const ofToast: Speaker = (state, before) => {
  const completions = completionText(state)
  return [
    ...(state.toast && state.toast !== before?.toast ? [state.toast.text] : []),
    ...(completions !== undefined && completions !== (before && completionText(before)) ? [completions] : []),
  ]
}

const ofStrangers: Speaker = ({ strangeDevices }, before) =>
  strangeDevices
    .filter((user) => !before?.strangeDevices.includes(user))
    .map((user) => safe`${user} has a new device that was not compared: /verify ${user}`)

const ofDisputes: Speaker = (state, before) =>
  conversationsOf(state).flatMap(({ name, title, disputedBy }) =>
    disputedBy === undefined || disputedBy === (before && conversationNamed(before, name)?.disputedBy)
      ? []
      : [safe`${disputedBy} has another history of ${title} than you: compare members, then /verified`],
  )

const speakers: readonly Speaker[] = [
  ofNotices,
  ofConnection,
  ofInbox,
  ofStrangers,
  ofDisputes,
  ofConversation,
  ofMessages,
  ofSelected,
  ofOverlay,
  clusterWords,
  ofToast,
]

export const spokenLines = (state: State, before: State | undefined): SafeText[] =>
  speakers.flatMap((speak) => speak(state, before))
