// The two bars: what is open, and the truth about the connection. Pure.
import { safeTemplate as safe, type SafeText } from '../client/safe-text.ts'
import { joinText, widthOf } from './cells.ts'
import { labelOf } from './keymap.ts'
import { bar, fit, type Line, line, span } from './lines.ts'
import { conversationsOf } from './listing.ts'
import { type Connection, type Conversation, presenceOf, type State, typingIn } from './state.ts'
import { shortTime } from './times.ts'
import { countBelow, newBelow } from './timeline-view.ts'

const SECOND = 1_000

const stateTexts: Record<Connection['state'], (connection: Connection) => SafeText> = {
  online: ({ lagMs }) => (lagMs === undefined ? safe`online` : safe`online ${lagMs} ms`),
  connecting: () => safe`connecting …`,
  waiting: ({ retryInMs }) => safe`offline, reconnecting in ${Math.max(1, Math.ceil((retryInMs ?? 0) / SECOND))} s`,
  closed: () => safe`closed`,
}

const dotted = (parts: readonly SafeText[]): SafeText =>
  joinText(parts.flatMap((part, index) => (index === 0 ? [part] : [safe` · `, part])))

export const connectionText = (connection: Connection | undefined): SafeText => {
  if (!connection) return safe`starting …`
  const { denied } = connection
  const parts = [denied === undefined ? stateTexts[connection.state](connection) : safe`refused for good: ${denied}`]
  if (connection.queued > 0) parts.push(safe`queued ${connection.queued}`)
  if (connection.transfers !== undefined) parts.push(connection.transfers)
  if (connection.state === 'online' && !connection.isComplete) parts.push(safe`incomplete: too few stores answer`)
  if (connection.state !== 'online' && connection.problem !== undefined && denied === undefined)
    parts.push(connection.problem)
  return dotted(parts)
}

const isTroubled = (connection: Connection | undefined): boolean =>
  connection !== undefined && (connection.state !== 'online' || !connection.isComplete)

const gatewayText = (gateway: SafeText | undefined): SafeText =>
  // The cast: the end of safe text.
  gateway === undefined ? safe`` : (gateway.replace(/^wss?:\/\//, '') as SafeText)

export const statusLine = (state: State): Line => {
  const { connection, size, title } = state
  const style = isTroubled(connection) ? 'barProblem' : 'bar'
  const isOnline = connection?.state === 'online' && connection.gateway !== undefined
  const gateway = isOnline ? safe` at ${gatewayText(connection.gateway)}` : safe``
  const wide = size.columns >= 60
  const left = [
    span(safe` ${title}`, 'bar'),
    span(wide ? gateway : safe``, 'bar'),
    span(safe`  `, 'bar'),
    span(connectionText(connection), style),
  ]
  return bar(left, [span(wide ? safe`? help ` : safe`? `, 'bar')], { width: size.columns, style: 'bar' })
}

const MAX_TYPING = 2
/** What is known of the moment: who types, else whether the other is there. */
const aboutText = (state: State, { name, isBlocked }: Conversation): SafeText => {
  if (isBlocked) return safe`  blocked; /unblock undoes it`
  const typing = typingIn(state, name)
  if (typing.length > MAX_TYPING) return safe`  ${typing.length} are typing …`
  if (typing.length > 0) return name === typing[0] ? safe`  typing …` : safe`  ${joinText(typing, ' ')} typing …`
  const presence = presenceOf(state, name)
  if (!presence) return safe``
  if (presence.isOnline) return safe`  online`
  return presence.lastSeenMs === undefined ? safe`` : safe`  last seen ${shortTime(presence.lastSeenMs, state.nowMs)}`
}

/** Of the name in a narrow header. */
const MAX_NAME = 12

/** Of a part of the past only the unread ones are counted: how many others there are down to the newest is not known here. */
const belowText = (state: State, unread: number): SafeText => {
  if (state.timeline?.hasEnd === false) return unread > 0 ? safe`${unread} new below ↓` : safe`newer below ↓`
  const below = countBelow(state)
  if (below === 0) return safe``
  return newBelow(state) > 0 ? safe`${newBelow(state)} new below ↓` : safe`${below} below ↓`
}

export const headerLine = (state: State): Line => {
  const all = conversationsOf(state)
  const others = all.filter(({ name, unread, level }) => unread > 0 && name !== state.current && level !== 'none')
  const current = all.find(({ name }) => name === state.current)
  const isStrange = current !== undefined && state.strangeDevices.some((user) => user === current.name)
  const warning = isStrange
    ? safe`  ! new device, not compared: /verify`
    : current?.disputedBy &&
      safe`  ! ${current.disputedBy} has another history of the group: compare members, then /verified`
  const about = warning ?? (current ? aboutText(state, current) : safe``)
  const topic = current?.topic === undefined ? safe`` : safe`  ${current.topic}`
  const right: SafeText[] = state.showsNotices
    ? [safe`${labelOf(state.keymap, 'chat', 'escape')} hides the notice`]
    : []
  const below = belowText(state, current?.unread ?? 0)
  if (below !== '') right.push(below)
  if (others.length > 0) right.push(safe`${others.reduce((sum, { unread }) => sum + unread, 0)} unread elsewhere`)
  const title = safe` ${current?.title ?? safe`chat`}`
  // Where one is stays to be seen, however much there is elsewhere.
  const nameColumns = Math.min(MAX_NAME, widthOf(title) + 1)
  return bar(
    [span(title, 'bar'), span(about, warning ? 'barProblem' : 'bar'), span(topic, 'bar')],
    fit(line(safe`${dotted(right)} `, 'bar'), state.size.columns - nameColumns),
    {
      width: state.size.columns,
      style: 'bar',
    },
  )
}
