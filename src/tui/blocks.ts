// The lines of one message in the timeline: day separator, gap, unread rule, sender, text, state.
// Pure. What was said itself is in body-lines.ts.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import { bodyLines, INDENT } from './body-lines.ts'
import { joinText, sliceText, spaces, truncate } from './cells.ts'
import { emptyLine, type Line, line, ruled, span } from './lines.ts'
import type { TimelineGap, TimelineMessage } from './messages.ts'
import type { Rule } from './state.ts'
import { clockText, dayText, isSameDay } from './times.ts'
import { wrap } from './wrap.ts'

/** A sender is named again after this long a silence. */
const GROUP_MS = 5 * 60_000
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
  /** Its picture, as lines. */
  thumbnail: readonly Line[]
}

const ruleWords: Record<Rule['words'], SafeText> = { unread: safe`unread`, found: safe`found` }

/** A sign in the indent, so that no line moves. */
const selectedLines = (lines: readonly Line[]): Line[] =>
  lines.map(([first, ...rest]) =>
    first ? [span(safe`▸ `, 'key'), span(sliceText(first.text, INDENT), 'selected'), ...rest] : [],
  )

const quoteLine = (quote: SafeText, width: number): Line =>
  line(joinText([spaces(INDENT), truncate(quote, width - INDENT)]), 'dim')

/** Nobody's words: they stand apart from those, and from the words of who changed it. */
const changeLines = ({ text, atMs }: TimelineMessage, width: number): Line[] =>
  wrap(safe`· ${clockText(atMs)} ${text}`, width - 2 * INDENT).map((row, index) => [
    span(spaces(index === 0 ? INDENT : 2 * INDENT)),
    span(row, 'dim'),
  ])

const isGrouped = (message: TimelineMessage, previous: TimelineMessage | undefined): boolean =>
  previous !== undefined &&
  previous.isChange === message.isChange &&
  previous.from === message.from &&
  message.atMs - previous.atMs < GROUP_MS &&
  isSameDay(previous.atMs, message.atMs)

export const gapLine = ({ count, device }: TimelineGap, width: number): Line => {
  const what = count === 1 ? safe`1 message` : safe`${count} messages`
  return ruled(safe`${what} of device ${device} missing here; shown when fetched`, { width, style: 'gap' })
}

const headLine = ({ from, isOwn, atMs }: TimelineMessage): Line => [
  span(from, isOwn ? 'ownName' : 'name'),
  span(safe` ${clockText(atMs)}`, 'dim'),
]

export const blockOf = (message: TimelineMessage, context: BlockContext): readonly Line[] => {
  const { width, user, previous, rule, gaps, nowMs, isSelected, quote, thumbnail } = context
  const above: Line[] = []
  const isNewDay = previous === undefined || !isSameDay(previous.atMs, message.atMs)
  if (isNewDay) above.push(ruled(dayText(message.atMs, nowMs), { width, style: 'dim' }))
  for (const gap of gaps) if (gap.before === message.id) above.push(gapLine(gap, width))
  const isRuled = rule?.before === message.id
  if (isRuled) above.push(ruled(ruleWords[rule.words], { width, style: 'rule' }))
  if (isRuled || above.length > 0 || !isGrouped(message, previous)) {
    if (above.length === 0) above.push(emptyLine)
    if (!message.isChange) above.push(headLine(message))
  }
  if (quote !== undefined) above.push(quoteLine(quote, width))
  const lines = message.isChange ? changeLines(message, width) : bodyLines(message, { width, user })
  const said = isSelected ? selectedLines(lines) : lines
  const body = thumbnail.length === 0 ? said : [...said, ...thumbnail]
  return above.length === 0 ? body : [...above, ...body]
}
