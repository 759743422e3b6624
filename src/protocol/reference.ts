// Messages that are about another one: edits and reactions. They are ordinary messages with a place and a number in their
// conversation, but no lines of their own. Which message: its id, and its author, for an id alone may be somebody else's too.
import type { Content } from './content.ts'
import { isUserName } from './names.ts'
import { isRecordId } from './records.ts'

/** The longest emoji of Unicode, a family with skin tones, has 41 bytes. */
const MAX_EMOJI_BYTES = 64

export type Reference =
  | { kind: 'edit'; id: string; text: string }
  | { kind: 'reaction'; id: string; author: string; emoji: string; isActive: boolean }
  /** Malformed, or of a later version: it takes its number and does nothing. */
  | { kind: 'none' }

/** What people would call one sign: not empty, short, without spaces and controls. */
const isEmoji = (text: string): boolean =>
  text !== '' &&
  Buffer.byteLength(text, 'utf8') <= MAX_EMOJI_BYTES &&
  !/[\p{C}\p{Z}]/u.test(text.replaceAll('\u200d', ''))

/** undefined for a message that stands for itself. */
export const referenceOf = ({ edit, react, author, off, text }: Content): Reference | undefined => {
  if (edit === undefined && react === undefined) return undefined
  if (isRecordId(edit)) return { kind: 'edit', id: edit, text }
  if (!isRecordId(react) || !isUserName(author) || !isEmoji(text)) return { kind: 'none' }
  return { kind: 'reaction', id: react, author, emoji: text, isActive: off !== true }
}
