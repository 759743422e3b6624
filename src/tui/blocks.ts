// The lines of one message in the timeline: day separator, gap, unread rule, sender, text, state.
// Pure; wrapped text is cached per message object and width, so that a frame costs only what is new on the screen.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import { joinText, sliceText, spaces, truncate, widthOf } from './cells.ts'
import { emptyLine, type Line, line, ruled, type Span, span } from './lines.ts'
import { mentionLine } from './mentions.ts'
import type { TimelineGap, TimelineMessage } from './messages.ts'
import type { Rule } from './state.ts'
import type { Style } from './theme.ts'
import { clockText, dayText, isSameDay } from './times.ts'
import { wrap } from './wrap.ts'

/** A sender is named again after this long a silence. */
const GROUP_MS = 5 * 60_000
const INDENT = 2

const marks: Record<TimelineMessage['status'], { text: SafeText; style: Style }> = {
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

export interface BlockContext {
  width: number
  previous: TimelineMessage | undefined
  rule: Rule | undefined
  gaps: readonly TimelineGap[]
  nowMs: number
  /** Whose name stands out. */
  user: string
  isSelected: boolean
  /** What the message answers, as a line, when it answers one. */
  quote: SafeText | undefined
}

const ruleWords: Record<Rule['words'], SafeText> = { unread: safe`unread`, found: safe`found` }

const wrapped = new WeakMap<TimelineMessage, { width: number; lines: readonly Line[] }>()

const ownLines = (message: TimelineMessage, texts: SafeText[], width: number): Line[] => {
  const mark = marks[message.status]
  const last = texts.at(-1) ?? safe``
  const room = width - INDENT - widthOf(last) >= MARK_CELLS
  const markSpans: Span[] = [span(safe`  `), span(mark.text, mark.style)]
  const lines = texts.slice(0, -1).map((text) => line(joinText([spaces(INDENT), text])))
  const lastText = span(joinText([spaces(INDENT), last]))
  if (room) lines.push([lastText, ...markSpans])
  else lines.push([lastText], markSpans)
  if (message.problem !== undefined && (message.status === 'refused' || message.status === 'failed')) {
    for (const text of wrap(message.problem, width - INDENT)) lines.push([span(spaces(INDENT)), span(text, 'problem')])
    const ways = message.status === 'failed' ? safe`Up: the text again · Esc: remove this` : safe`Up: the text again`
    lines.push([span(spaces(INDENT)), span(truncate(ways, width - INDENT), 'dim')])
  }
  return lines
}

const bodyLines = (message: TimelineMessage, { width, user }: BlockContext): readonly Line[] => {
  const known = wrapped.get(message)
  if (known?.width === width) return known.lines
  const texts = wrap(message.text, width - INDENT)
  const lines = message.isOwn
    ? ownLines(message, texts, width)
    : texts.map((text) => mentionLine(joinText([spaces(INDENT), text]), user))
  wrapped.set(message, { width, lines })
  return lines
}

/** A sign in the indent, so that no line moves. */
const selectedLines = (lines: readonly Line[]): Line[] =>
  lines.map(([first, ...rest]) =>
    first ? [span(safe`▸ `, 'key'), span(sliceText(first.text, INDENT), 'selected'), ...rest] : [],
  )

const quoteLine = (quote: SafeText, width: number): Line =>
  line(joinText([spaces(INDENT), truncate(quote, width - INDENT)]), 'dim')

const isGrouped = (message: TimelineMessage, previous: TimelineMessage | undefined): boolean =>
  previous !== undefined &&
  previous.from === message.from &&
  message.atMs - previous.atMs < GROUP_MS &&
  isSameDay(previous.atMs, message.atMs)

export const gapLine = ({ count, device }: TimelineGap, width: number): Line => {
  const what = count === 1 ? safe`1 message` : safe`${count} messages`
  return ruled(safe`${what} of device ${device} missing here; shown when fetched`, { width, style: 'gap' })
}

export const blockOf = (message: TimelineMessage, context: BlockContext): readonly Line[] => {
  const { width, previous, rule, gaps, nowMs, isSelected, quote } = context
  const above: Line[] = []
  const isNewDay = previous === undefined || !isSameDay(previous.atMs, message.atMs)
  if (isNewDay) above.push(ruled(dayText(message.atMs, nowMs), { width, style: 'dim' }))
  for (const gap of gaps) if (gap.before === message.id) above.push(gapLine(gap, width))
  const isRuled = rule?.before === message.id
  if (isRuled) above.push(ruled(ruleWords[rule.words], { width, style: 'rule' }))
  if (isRuled || above.length > 0 || !isGrouped(message, previous)) {
    if (above.length === 0) above.push(emptyLine)
    above.push([span(message.from, message.isOwn ? 'ownName' : 'name'), span(safe` ${clockText(message.atMs)}`, 'dim')])
  }
  if (quote !== undefined) above.push(quoteLine(quote, width))
  const lines = bodyLines(message, context)
  const body = isSelected ? selectedLines(lines) : lines
  return above.length === 0 ? body : [...above, ...body]
}
