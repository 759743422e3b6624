// How many cells a terminal gives to text, and cutting text to that many. The one place that measures.
// It takes only SafeText: what moves the cursor has no width.
import { type SafeText, safeTemplate } from '../client/safe-text.ts'
import quickWidth from './quick-width.ts'

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const ASCII = /^[\x20-\x7e]*$/

/** A part of safe text is safe: cuts fall between graphemes. */
// The cast: nothing is added to what was safe.
const part = (text: string): SafeText => text as SafeText

/** Works on raw text too: the composer edits what will be sent, unchanged. */
export const graphemesOf = (text: string): string[] =>
  ASCII.test(text) ? text.split('') : Array.from(segmenter.segment(text), ({ segment }) => segment)

export const widthOf = (text: SafeText): number => quickWidth(text)

export const splitGraphemes = (text: SafeText): SafeText[] => graphemesOf(text).map(part)

export const sliceText = (text: SafeText, from: number, to?: number): SafeText => part(text.slice(from, to))

export const joinText = (parts: readonly SafeText[], separator: '' | ' ' | ', ' | '\n' = ''): SafeText =>
  part(parts.join(separator))

export const spaces = (count: number): SafeText => part(' '.repeat(Math.max(0, count)))

export const repeatText = (text: SafeText, count: number): SafeText => part(text.repeat(Math.max(0, count)))

/** The longest beginning that fits, with an ellipsis when something is left out. */
export const truncate = (text: SafeText, width: number): SafeText => {
  if (widthOf(text) <= width) return text
  if (width <= 0) return safeTemplate``
  let used = 1
  const kept: SafeText[] = []
  for (const grapheme of splitGraphemes(text)) {
    used += widthOf(grapheme)
    if (used > width) break
    kept.push(grapheme)
  }
  return part(`${kept.join('')}…`)
}
