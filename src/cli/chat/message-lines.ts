// Messages as lines for people. Everything that others wrote passes safeText; `--json` never comes here.
import type {
  LiveEvent,
  ChatEvent,
  GroupEvent,
  HistoryChange,
  HistoryLine,
  HistoryMessage,
  MessageStatus,
  ShownMessage,
  StatusReport,
} from '../../client/api.ts'
import { type SafeText, safeLine, safeText } from '../../client/safe-text.ts'

import { formatSize } from './progress.ts'

const INDENT = '    '

/** `2026-11-23 14:05:09`, in this machine's time zone. */
export const localTime = (at: string): string => {
  const time = new Date(at)
  const two = (value: number): string => String(value).padStart(2, '0')
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
}

/** Later lines of a text are indented, so that nobody can write something that looks like a line of ours. */
const indented = (text: SafeText): string => text.replaceAll('\n', `\n${INDENT}`)

const messageLine = (message: ShownMessage): string => {
  const files = message.attachments.map(({ name, size }) => ` [${safeLine(name)}, ${formatSize(size)}]`).join('')
  return `${headOf(message)}: ${indented(safeText(message.text))}${files}`
}
const headOf = ({ at, from, to }: ShownMessage): string => `${localTime(at)} ${safeLine(from)} > ${safeLine(to)}`

const marks: Record<MessageStatus, string> = {
  queued: '…',
  stored: '✓',
  received: '✓✓',
  read: '✓✓ read',
  refused: '! refused',
}
/** `ids`: the message's id stands first, for commands that take one. */
export const historyLine = (line: HistoryLine, me: string, ids = false): string =>
  line.type === 'group' ? changeLine(line) : `${ids ? `${line.id} ` : ''}${shownLine(line, me)}`

const shownLine = (message: HistoryMessage, me: string): string => {
  if (message.deleted) return `${headOf(message)} (deleted)`
  const edited = message.edited ? ' (edited)' : ''
  const reactions = (message.reactions ?? []).map(({ emoji, users }) => `  ${safeLine(emoji)} ${users.length}`).join('')
  const reason = message.problem === undefined ? '' : `: ${safeLine(message.problem)}`
  const status = message.from === me ? `  ${marks[message.status]}${reason}` : ''
  return `${messageLine(message)}${edited}${reactions}${status}`
}

const lines: { [Type in ChatEvent['type']]: (event: Extract<ChatEvent, { type: Type }>) => string } = {
  message: messageLine,
  receipt: ({ at, user, status, id }) => `${localTime(at)} ${safeLine(user)} ${status} ${id}`,
  edit: ({ at, from, id, text }) => `${localTime(at)} ${safeLine(from)} edited ${id}: ${indented(safeText(text))}`,
  delete: ({ at, by, id }) => `${localTime(at)} ${safeLine(by)} deleted ${id}`,
  reaction: ({ at, from, emoji, active, id }) =>
    `${localTime(at)} ${safeLine(from)} ${active ? 'reacted' : 'took back'} ${safeLine(emoji)} ${active ? 'to' : 'from'} ${id}`,
  group: (event) => `${localTime(event.at)} ${safeLine(event.group)}: ${safeLine(event.by)} ${groupChangeText(event)}`,
}
export const eventLine = <Type extends ChatEvent['type']>(event: Extract<ChatEvent, { type: Type }>): string =>
  lines[event.type](event)

const changeLine = ({ at, conversation, by, change, users, role, name, topic }: HistoryChange): string => {
  const event = { change, user: users.join(', '), ...(role ? { role } : {}), ...(topic ? { topic } : {}) }
  return `${localTime(at)} ${safeLine(name ?? conversation)}: ${safeLine(by)} ${groupChangeText(event)}`
}

interface Changed {
  user: string
  role: string
  topic: string
}
const changeTexts: Record<GroupEvent['change'], (changed: Changed) => string> = {
  create: () => 'made the group',
  add: ({ user }) => `added ${user}`,
  remove: ({ user }) => `removed ${user}`,
  leave: () => 'left',
  role: ({ user, role }) => `made ${user} ${role}`,
  topic: ({ topic }) => (topic === '' ? 'took the topic away' : `set the topic: ${topic}`),
  rename: () => 'gave the group its name',
}
/** What somebody did to a group, without who. */
const groupChangeText = ({
  change,
  user = '',
  role = 'member',
  topic = '',
}: Pick<GroupEvent, 'change' | 'user' | 'role' | 'topic'>): string =>
  changeTexts[change]({ user: safeLine(user), role, topic: safeLine(topic) })

export const liveLine = (event: LiveEvent): string => {
  if (event.type === 'presence') return `${safeLine(event.user)} is ${event.state}`
  return `${safeLine(event.from)} ${event.active ? 'is typing' : 'stopped typing'} (${safeLine(event.conversation)})`
}

/** Whose doing an event is. */
export const authorOf = (event: ChatEvent): string =>
  event.type === 'receipt' ? event.user : event.type === 'delete' || event.type === 'group' ? event.by : event.from

export const statusLines = ({ id, storedAt, recipients, refused }: StatusReport): string => {
  if (refused) return `${id}: refused; it was not sent, and never will be`
  const time = (at: string | null): string => (at === null ? 'not yet' : localTime(at))
  const rows = recipients.map(
    ({ user, receivedAt, readAt }) => `  ${safeLine(user)}: received ${time(receivedAt)}, read ${time(readAt)}`,
  )
  return [`${id}: stored ${time(storedAt)}`, ...rows].join('\n')
}
