// What is drawn: lines of styled spans of safe text. Everything that decides what is on the screen makes these; components only draw them.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import { joinText, repeatText, spaces, truncate, widthOf } from './cells.ts'
import type { Style } from './theme.ts'

/** Colours of a picture, as `#rrggbb`. */
export interface Paint {
  color: string
  backgroundColor: string
}
export interface Span {
  text: SafeText
  style: Style
  paint?: Paint
}
export type Line = readonly Span[]

export const span = (text: SafeText, style: Style = 'plain'): Span => ({ text, style })
export const line = (text: SafeText, style: Style = 'plain'): Line => [span(text, style)]
export const emptyLine: Line = []

export const lineWidth = (spans: Line): number => spans.reduce((cells, { text }) => cells + widthOf(text), 0)
export const lineText = (spans: Line): SafeText => joinText(spans.map(({ text }) => text))

/** Never wider than `width`. */
export const fit = (spans: Line, width: number): Line => {
  if (lineWidth(spans) <= width) return spans
  const kept: Span[] = []
  let left = width
  for (const cut of spans) {
    const { text } = cut
    if (left <= 0) break
    kept.push({ ...cut, text: truncate(text, left) })
    left -= widthOf(text)
  }
  return kept
}

/** A bar: the left spans, the right ones at the end of the row, exactly `width` wide. The left yields. */
export const bar = (left: Line, right: Line, { width, style }: { width: number; style: Style }): Line => {
  const end = fit(right, width)
  const begin = fit(left, Math.max(0, width - lineWidth(end) - 1))
  return [...begin, span(spaces(width - lineWidth(begin) - lineWidth(end)), style), ...end]
}

/** A rule across the timeline with words in it. */
export const ruled = (words: SafeText, { width, style }: { width: number; style: Style }): Line => {
  const text = truncate(safe`── ${words} `, width)
  return line(joinText([text, repeatText(safe`─`, width - widthOf(text))]), style)
}
