// The boundary between what strangers wrote and a terminal. A component that takes SafeText cannot be handed a raw string.
// Controls and direction overrides become a visible mark, invisible characters go, combining marks are bounded.
// It knows nothing of cells: who draws cuts to width. `--json` never passes here: it is exact.

declare const safe: unique symbol
/** Text that moves no cursor, sets no title, asks the terminal nothing and hides no character. May hold \n and \t. */
export type SafeText = string & { readonly [safe]: true }

export interface SafeTextOptions {
  /** UTF-16 units; what is longer ends in an ellipsis. A message has 64 KiB at most. */
  maxLength?: number
  maxLines?: number
}

const DEFAULT_LENGTH = 64 * 1024
const DEFAULT_LINES = 4_096
/** Vietnamese and Hebrew need up to three marks on a letter; towers of them paint over other lines. */
const MARKS_OVER_LIMIT = /(\p{M}{4})\p{M}+/gu
/** The longest emoji in use join four pictures; a terminal that does not know a sequence draws every picture in a row. */
const MAX_JOINED = 8

const PLAIN = /^[\x20-\x7e\n\t]*$/
const EMOJI_SEQUENCE =
  /\p{Extended_Pictographic}[\p{EMod}\ufe0f]*(?:\u200d\p{Extended_Pictographic}[\p{EMod}\ufe0f]*)+/gu
/** Soft hyphens, zero-width spaces and joiners, direction marks, fillers, tags: nothing that is there to be seen. */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\u2800]/gu
const OVERRIDES = /[\u202a-\u202e\u2066-\u2069]/gu
/** Controls but \n and \t; separators that some terminals break lines at; code points without a known width. Joiners left by then are inside emoji. */
const CONTROLS = /[^\P{C}\n\t\u200d]|[\p{Zl}\p{Zp}]/gu
const MARK = '\ufffd'
/** Stand-ins while invisible characters are removed; noncharacters, so the text itself cannot hold them by then. */
const [JOINER, EMOJI_STYLE, TEXT_STYLE] = ['\ufdd0', '\ufdd1', '\ufdd2'] as const

const keepJoiners = (sequence: string): string => {
  const parts = sequence.split('\u200d')
  return parts.slice(0, MAX_JOINED).join(JOINER) + parts.slice(MAX_JOINED).join('')
}

const clean = (text: string): string =>
  text
    .toWellFormed()
    .normalize('NFC')
    .replace(/\r\n/g, '\n')
    .replace(/[\ufdd0-\ufdef]/g, MARK)
    .replace(EMOJI_SEQUENCE, keepJoiners)
    .replace(/(?<=[\p{Emoji}])\ufe0f/gu, EMOJI_STYLE)
    .replace(/(?<=[\p{Emoji}])\ufe0e/gu, TEXT_STYLE)
    .replace(OVERRIDES, MARK)
    .replace(INVISIBLE, '')
    .replaceAll(JOINER, '\u200d')
    .replaceAll(EMOJI_STYLE, '\ufe0f')
    .replaceAll(TEXT_STYLE, '\ufe0e')
    .replace(MARKS_OVER_LIMIT, '$1')

const bounded = (text: string, { maxLength = DEFAULT_LENGTH, maxLines = DEFAULT_LINES }: SafeTextOptions): string => {
  const short = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  const lines = short.split('\n')
  return lines.length > maxLines ? `${lines.slice(0, maxLines).join('\n')}\n…` : short
}

/** Text of several lines, fit for a terminal. */
export const safeText = (text: string, options: SafeTextOptions = {}): SafeText => {
  const short = bounded(text, options)
  // The casts: this function is where text becomes safe.
  if (PLAIN.test(short)) return short as SafeText
  return clean(short).replace(CONTROLS, MARK) as SafeText
}

/** The same on one line: breaks and tabs become spaces. */
export const safeLine = (text: string, options: SafeTextOptions = {}): SafeText =>
  // The cast: replacing a break by a space makes nothing unsafe.
  safeText(text, options).replace(/[\n\t]+/g, ' ') as SafeText

/** A template of our own whose values are safe: safe`queued ${count}`. */
export const safeTemplate = (literals: TemplateStringsArray, ...values: (SafeText | number)[]): SafeText =>
  // The cast: the literals are in our source, the values are safe already.
  String.raw({ raw: literals }, ...values) as SafeText
