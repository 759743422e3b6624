// Messages as the timeline holds them: safe to draw, with times as numbers; and how a fresh page joins what is loaded.
// An object that did not change keeps its identity, so that wrapped lines cached for it stay valid.
import type { Preview } from '../protocol/content.ts'
import type { Gap, HistoryChange, HistoryMessage, MessageStatus, ShownReaction } from '../client/api.ts'
import { type SafeText, safeLine, safeTemplate as safe, safeText } from '../client/safe-text.ts'
import { joinText } from './cells.ts'
import { changeText } from './group-news.ts'

export interface TimelineMessage {
  readonly id: string
  readonly from: SafeText
  readonly isOwn: boolean
  readonly atMs: number
  readonly text: SafeText
  /** `sending` until it is in the outbox on disk; `failed` when it never got there. */
  readonly status: MessageStatus | 'sending' | 'failed'
  /** Nobody said it: the text tells what was changed in the group. */
  readonly isChange?: true
  readonly problem?: SafeText
  /** The id of the message that it answers. */
  readonly reply?: string
  readonly isEdited?: true
  /** Only its place is left. */
  readonly isDeleted?: true
  readonly reactions?: readonly Reaction[]
  /** As it was written; absent when there are no files whose names stand with it. */
  readonly said?: SafeText
  /** The pictures among its files. */
  readonly pictures?: readonly PictureFile[]
  /** How far an own message got in a group. */
  readonly tally?: Tally
}
export interface PictureFile {
  /** Its place among the files of the message. */
  readonly index: number
  readonly name: SafeText
  /** In bytes. */
  readonly size: number
  readonly preview?: Preview
}
export interface Reaction {
  readonly emoji: SafeText
  readonly count: number
  /** The user of this client is among them. */
  readonly isOwn: boolean
}
/** Of so many recipients. */
export interface Tally {
  readonly received: number
  readonly read: number
  readonly of: number
}
export interface TimelineGap {
  /** The message that it is drawn before; undefined = at the end. */
  readonly before: string | undefined
  readonly device: SafeText
  readonly count: number
}

/** What one reaction may take; anything can be sent as one. */
const MAX_EMOJI = 16
const KIB = 1024
export const sizeText = (bytes: number): SafeText => {
  if (bytes < KIB) return safe`${bytes} B`
  return bytes < KIB * KIB ? safe`${Math.round(bytes / KIB)} KiB` : safe`${Math.round(bytes / KIB / KIB)} MiB`
}

const bodyOf = (message: HistoryMessage): SafeText => {
  const files = message.attachments.map(({ name, size }) => safe`[file ${safeLine(name)}, ${sizeText(size)}]`)
  const text = safeText(message.text)
  return joinText(text === '' ? files : [text, ...files], '\n')
}

const reactionOf = ({ emoji, users }: ShownReaction, user: string): Reaction => ({
  emoji: safeLine(emoji, { maxLength: MAX_EMOJI }),
  count: users.length,
  isOwn: users.includes(user),
})

const filesOf = ({ attachments, text }: HistoryMessage): Pick<TimelineMessage, 'said' | 'pictures'> => {
  if (attachments.length === 0) return {}
  const pictures = attachments.flatMap(({ name, size, type, preview }, index) =>
    preview || type.startsWith('image/')
      ? [{ index, name: safeLine(name, { maxLength: 80 }), size, ...(preview ? { preview } : {}) }]
      : [],
  )
  return { said: safeText(text), ...(pictures.length > 0 ? { pictures } : {}) }
}

export const timelineMessage = (message: HistoryMessage, user: string): TimelineMessage => ({
  id: message.id,
  from: safeLine(message.from),
  isOwn: message.from === user,
  atMs: Date.parse(message.at),
  text: bodyOf(message),
  status: message.status,
  ...(message.problem === undefined ? {} : { problem: safeLine(message.problem) }),
  ...(message.reply === undefined ? {} : { reply: message.reply }),
  ...filesOf(message),
  ...(message.edited ? { isEdited: true } : {}),
  ...(message.deleted ? { isDeleted: true } : {}),
  ...(message.reactions ? { reactions: message.reactions.map((reaction) => reactionOf(reaction, user)) } : {}),
})

export const timelineChange = (change: HistoryChange, user: string): TimelineMessage => ({
  id: change.id,
  from: safe``,
  isOwn: false,
  atMs: Date.parse(change.at),
  text: changeText(change, user),
  status: 'read',
  isChange: true,
})

export const timelineGap = ({ device, from, to, before }: Gap): TimelineGap => ({
  before,
  device: safeLine(device, { maxLength: 12 }),
  count: to - from + 1,
})

const isSame = (a: TimelineMessage, b: TimelineMessage): boolean =>
  a.status === b.status &&
  a.text === b.text &&
  a.atMs === b.atMs &&
  a.problem === b.problem &&
  a.isEdited === b.isEdited &&
  a.isDeleted === b.isDeleted &&
  JSON.stringify([a.reactions, a.tally]) === JSON.stringify([b.reactions, b.tally])

/** From the end: what is asked for is nearly always near it. */
export const indexOfId = (messages: readonly TimelineMessage[], id: string | undefined): number =>
  id === undefined ? -1 : messages.findLastIndex((message) => message.id === id)

/** The newest page replaces the end of what is loaded from its first message on; undefined when the two do not meet. */
export const mergeTail = (
  loaded: readonly TimelineMessage[],
  page: readonly TimelineMessage[],
): readonly TimelineMessage[] | undefined => {
  if (loaded.length === 0) return page
  const start = indexOfId(loaded, page[0]?.id)
  if (start < 0) return undefined
  const known = new Map(loaded.slice(start).map((message) => [message.id, message]))
  return [
    ...loaded.slice(0, start),
    ...page.map((message) => {
      const old = known.get(message.id)
      return old && isSame(old, message) ? old : message
    }),
  ]
}

/** So many are held at once: who reads further back lets go of the other end, so that 100,000 cost what these do. */
export const MAX_LOADED = 2_000

export interface Joined {
  readonly messages: readonly TimelineMessage[]
  /** Something at the other end was let go. */
  readonly isCut: boolean
}

/** An older page goes before; what is there already is not doubled. */
export const prepend = (loaded: readonly TimelineMessage[], page: readonly TimelineMessage[]): Joined => {
  const first = page.findIndex(({ id }) => id === loaded[0]?.id)
  const all = [...(first < 0 ? page : page.slice(0, first)), ...loaded]
  return { messages: all.slice(0, MAX_LOADED), isCut: all.length > MAX_LOADED }
}

/** A newer page goes behind. */
export const append = (loaded: readonly TimelineMessage[], page: readonly TimelineMessage[]): Joined => {
  const all = [...loaded, ...page.slice(page.findIndex(({ id }) => id === loaded.at(-1)?.id) + 1)]
  return { messages: all.slice(-MAX_LOADED), isCut: all.length > MAX_LOADED }
}

/** What was read again takes the place of what is loaded; the same array when nothing differs. */
export const renewed = (
  loaded: readonly TimelineMessage[],
  page: readonly TimelineMessage[],
): readonly TimelineMessage[] => {
  const fresh = new Map(page.map((message) => [message.id, message]))
  const differs = (old: TimelineMessage): boolean => {
    const message = fresh.get(old.id)
    return message !== undefined && !isSame(old, message)
  }
  return loaded.some(differs) ? loaded.map((old) => (differs(old) ? (fresh.get(old.id) ?? old) : old)) : loaded
}

export const previewsOf = ({ pictures = [] }: TimelineMessage): Preview[] =>
  pictures.flatMap(({ preview }) => preview ?? [])

/** Somebody else said it. */
export const isOfOthers = ({ isOwn, isChange }: TimelineMessage): boolean => !isOwn && !isChange

/** So much of a message is shown where it is answered. */
export const MAX_QUOTE = 200

/** What a message answers, as one line; undefined when the answered message is not loaded. */
export const quoteText = (answered: TimelineMessage | undefined): SafeText =>
  answered
    ? safe`↳ ${answered.from}: ${safeLine(answered.text, { maxLength: MAX_QUOTE })}`
    : safe`↳ a message further up`
