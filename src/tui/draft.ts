// What is being typed: raw text (it is sent exactly so) and a cursor that stands between graphemes. Pure editing, readline's habits.
// It draws nothing; composer-view.ts does.
import type { SafeText } from '../client/safe-text.ts'
import { graphemesOf } from './cells.ts'

/** The message that a draft answers, as it is shown above the input. */
export interface Reply {
  readonly id: string
  readonly from: SafeText
  readonly text: SafeText
}
export interface Draft {
  readonly text: string
  /** An offset in UTF-16 units, always between two graphemes. */
  readonly cursor: number
  readonly reply?: Reply
  /** The id of the own message whose text it is to replace. */
  readonly edits?: string
}
export const emptyDraft: Draft = { text: '', cursor: 0 }
/** Another text in its place, which answers the same. */
export const withText = (draft: Draft, text: string): Draft => ({ ...draft, text, cursor: text.length })
export const draftOf = (text: string): Draft => ({ text, cursor: text.length })

/** How a text is typed, so that one that begins with a slash is no command; an edit takes it as it is. */
export const escapeSlash = (text: string): string => (text.startsWith('/') ? `/${text}` : text)
export const unescapeSlash = (typed: string): string => (typed.startsWith('//') ? typed.slice(1) : typed)

const lengthOfLast = (text: string): number => graphemesOf(text.slice(-64)).at(-1)?.length ?? 0
const lengthOfFirst = (text: string): number => graphemesOf(text.slice(0, 64))[0]?.length ?? 0
const before = ({ text, cursor }: Draft): string => text.slice(0, cursor)
const after = ({ text, cursor }: Draft): string => text.slice(cursor)
const at = (draft: Draft, cursor: number): Draft => ({
  ...draft,
  cursor: Math.max(0, Math.min(draft.text.length, cursor)),
})
const cut = (draft: Draft, from: number, to: number): Draft => ({
  ...draft,
  text: draft.text.slice(0, from) + draft.text.slice(to),
  cursor: from,
})

export const insert = (draft: Draft, text: string): Draft => ({
  ...draft,
  text: before(draft) + text + after(draft),
  cursor: draft.cursor + text.length,
})

const lineStart = ({ text, cursor }: Draft): number => text.lastIndexOf('\n', cursor - 1) + 1
const lineEnd = ({ text, cursor }: Draft): number => {
  const end = text.indexOf('\n', cursor)
  return end < 0 ? text.length : end
}
const wordStart = (draft: Draft): number => before(draft).replace(/\S*\s*$/u, '').length
const wordEnd = (draft: Draft): number => draft.cursor + (/^\s*\S*/u.exec(after(draft))?.[0].length ?? 0)
const killLineEnd = (draft: Draft): Draft => {
  const end = lineEnd(draft)
  // At the end of a line its break goes, as in Emacs.
  return cut(draft, draft.cursor, end === draft.cursor ? Math.min(draft.text.length, end + 1) : end)
}

export const edits = {
  left: (draft) => at(draft, draft.cursor - lengthOfLast(before(draft))),
  right: (draft) => at(draft, draft.cursor + lengthOfFirst(after(draft))),
  wordLeft: (draft) => at(draft, wordStart(draft)),
  wordRight: (draft) => at(draft, wordEnd(draft)),
  lineStart: (draft) => at(draft, lineStart(draft)),
  lineEnd: (draft) => at(draft, lineEnd(draft)),
  backspace: (draft) => cut(draft, draft.cursor - lengthOfLast(before(draft)), draft.cursor),
  delete: (draft) => cut(draft, draft.cursor, draft.cursor + lengthOfFirst(after(draft))),
  killWord: (draft) => cut(draft, wordStart(draft), draft.cursor),
  killWordRight: (draft) => cut(draft, draft.cursor, wordEnd(draft)),
  killLineStart: (draft) => cut(draft, lineStart(draft), draft.cursor),
  killLineEnd,
  newline: (draft) => insert(draft, '\n'),
} satisfies Record<string, (draft: Draft) => Draft>
export type Edit = keyof typeof edits

/** The same column one line up or down; undefined when there is no such line (then the key means the history). */
export const moveLine = (draft: Draft, direction: -1 | 1): Draft | undefined => {
  const start = lineStart(draft)
  const column = graphemesOf(draft.text.slice(start, draft.cursor)).length
  const edge = direction < 0 ? start - 1 : lineEnd(draft) + 1
  if (edge < 0 || edge > draft.text.length) return undefined
  const target = { text: draft.text, cursor: edge }
  const from = lineStart(target)
  const graphemes = graphemesOf(draft.text.slice(from, lineEnd(target)))
  return at(draft, from + graphemes.slice(0, column).join('').length)
}
