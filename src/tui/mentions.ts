// Messages that name the user: finding the name in a text, and making it stand out in a line. Pure.
import type { SafeText } from '../client/safe-text.ts'
import { sliceText } from './cells.ts'
import { type Line, span } from './lines.ts'
import { isOfOthers, type TimelineMessage } from './messages.ts'

/** A dot or dash that ends a sentence is no part of the name. */
const NAMED = /(?<![\w@.])@([a-z][a-z0-9._-]{0,31})/g
const EVERYBODY = 'all'

const isOf = (name: string, user: string): boolean => {
  const bare = name.replace(/[._-]+$/, '')
  return name === user || bare === user || bare === EVERYBODY
}

export const isMention = (text: string, user: string): boolean => {
  for (const [, name = ''] of text.matchAll(NAMED)) if (isOf(name, user)) return true
  return false
}

/** Somebody else names the user. */
export const isMentioning = (message: TimelineMessage, user: string): boolean =>
  isOfOthers(message) && isMention(message.text, user)

/** The line with the user's name standing out in it. */
export const mentionLine = (text: SafeText, user: string): Line => {
  if (!text.includes('@')) return [span(text)]
  const spans = []
  let from = 0
  for (const { 0: whole, 1: name = '', index } of text.matchAll(NAMED)) {
    if (!isOf(name, user)) continue
    const end = index + whole.replace(/[._-]+$/, '').length
    if (index > from) spans.push(span(sliceText(text, from, index)))
    spans.push(span(sliceText(text, index, end), 'mention'))
    from = end
  }
  if (from < text.length || spans.length === 0) spans.push(span(sliceText(text, from)))
  return spans
}
