// What one message says, broken into lines: its text, its state when it is one's own, its reactions.
// Pure; cached per message object and width, so that a frame costs only what is new on the screen.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import { joinText, spaces, truncate, widthOf } from './cells.ts'
import { fit, type Line, line, type Span, span } from './lines.ts'
import { mentionLine } from './mentions.ts'
import type { TimelineMessage } from './messages.ts'
import type { Style } from './theme.ts'
import { wrap } from './wrap.ts'

export const INDENT = 2

interface Mark {
  text: SafeText
  style: Style
}
const marks: Record<TimelineMessage['status'], Mark> = {
  sending: { text: safe`…`, style: 'dim' },
  queued: { text: safe`… queued`, style: 'dim' },
  stored: { text: safe`✓`, style: 'sent' },
  received: { text: safe`✓✓`, style: 'sent' },
  read: { text: safe`✓✓ read`, style: 'seen' },
  refused: { text: safe`! refused`, style: 'problem' },
  failed: { text: safe`! not sent`, style: 'problem' },
}
/** The room kept for any of them, so that a change of state moves no line. */
const MARK_CELLS = 2 + Math.max(...Object.values(marks).map(({ text }) => widthOf(text)))
/** `✓✓ read 999/1000` */
const TALLY_CELLS = 18

/** In a group the state is that of the slowest, and the numbers tell of the others. */
const markOf = ({ status, tally }: TimelineMessage): Mark => {
  const mark = marks[status]
  if (!tally || status === 'read') return mark
  if (tally.read > 0) return { text: safe`✓✓ read ${tally.read}/${tally.of}`, style: 'sent' }
  return tally.received > 0 ? { text: safe`✓✓ ${tally.received}/${tally.of}`, style: 'sent' } : mark
}

const isRefused = ({ status }: TimelineMessage): boolean => status === 'refused' || status === 'failed'

const problemLines = ({ problem, status }: TimelineMessage, width: number): Line[] => {
  const ways = status === 'failed' ? safe`Up: the text again · Esc: remove (newest first)` : safe`Up: the text again`
  const reason = problem === undefined ? [] : wrap(problem, width - INDENT)
  return [
    ...reason.map((text) => [span(spaces(INDENT)), span(text, 'problem')]),
    [span(spaces(INDENT)), span(truncate(ways, width - INDENT), 'dim')],
  ]
}

/** The state stands behind the last line, or below it where there is no room. */
const withMark = (message: TimelineMessage, lines: readonly Line[], width: number): Line[] => {
  const mark = markOf(message)
  const last = lines.at(-1) ?? []
  const cells = message.tally ? TALLY_CELLS : MARK_CELLS
  const used = last.reduce((sum, { text }) => sum + widthOf(text), 0)
  const markSpans: Span[] = [span(safe`  `), span(mark.text, mark.style)]
  return width - used >= cells ? [...lines.slice(0, -1), [...last, ...markSpans]] : [...lines, markSpans]
}

const textLines = (message: TimelineMessage, { width, user }: { width: number; user: string }): Line[] => {
  if (message.isDeleted) return [line(safe`  (deleted)`, 'dim')]
  const texts = wrap(message.text, width - INDENT).map((text) => joinText([spaces(INDENT), text]))
  const lines = texts.map((text) => (message.isOwn ? line(text) : mentionLine(text, user)))
  if (!message.isEdited) return lines
  const edited = span(safe` (edited)`, 'dim')
  const last = lines.at(-1) ?? []
  const fits = last.reduce((sum, { text }) => sum + widthOf(text), widthOf(edited.text)) <= width
  return fits ? [...lines.slice(0, -1), [...last, edited]] : [...lines, [span(safe` `), edited]]
}

const reactionLines = ({ reactions = [] }: TimelineMessage, width: number): Line[] => {
  if (reactions.length === 0) return []
  const spans = reactions.flatMap(({ emoji, count, isOwn }) => [
    span(safe`  `),
    span(count === 1 ? emoji : safe`${emoji} ${count}`, isOwn ? 'current' : 'plain'),
    span(isOwn ? safe` (you)` : safe``, 'dim'),
  ])
  return [fit(spans, width)]
}

const cache = new WeakMap<TimelineMessage, { width: number; lines: readonly Line[] }>()

export const bodyLines = (message: TimelineMessage, context: { width: number; user: string }): readonly Line[] => {
  const { width } = context
  const known = cache.get(message)
  if (known?.width === width) return known.lines
  const said = textLines(message, context)
  const marked = message.isOwn && !message.isDeleted ? withMark(message, said, width) : said
  const lines = [
    ...marked,
    ...(isRefused(message) ? problemLines(message, width) : []),
    ...reactionLines(message, width),
  ]
  cache.set(message, { width, lines })
  return lines
}
