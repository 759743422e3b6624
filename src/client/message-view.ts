// Messages as programs see them: the shapes of `--json`. Times are those of the cluster, clamped to stored <= received <= read.
import { type Attachment, attachmentsOf, type Content, decodeContent } from '../protocol/content.ts'
import { isUserName } from '../protocol/names.ts'
import type { Reference } from '../protocol/reference.ts'
import type {
  HistoryMessage,
  MessageStatus,
  SendResult,
  ShownAttachment,
  ShownMessage,
  ShownReaction,
  Timestamp,
} from './api.ts'
import { contentOf, type HeldMessage } from './held-records.ts'
import { EVERYONE } from './mentions.ts'
import { blobsOf, type OutboxEntry, withFiles } from './outbox-entry.ts'
import type { OutgoingFile } from './outgoing-file.ts'
import type { Times } from './statuses.ts'

export const timestamp = (ms: number): Timestamp => new Date(ms).toISOString()
const orNull = (ms: number): Timestamp | null => (ms > 0 ? timestamp(ms) : null)

export interface ShownTimes {
  storedAt: Timestamp | null
  receivedAt: Timestamp | null
  readAt: Timestamp | null
}
/** 0 = not yet. A receipt proves that the message was stored, even before this device was told. */
export const clampTimes = (storedAt: number, { receivedAt, readAt }: Times): ShownTimes => {
  const stored = storedAt || receivedAt || readAt
  const received = receivedAt && Math.max(receivedAt, stored)
  return {
    storedAt: orNull(stored),
    receivedAt: orNull(received),
    readAt: orNull(readAt && Math.max(readAt, received)),
  }
}
export const statusOf = ({ storedAt, receivedAt, readAt }: ShownTimes): MessageStatus =>
  readAt ? 'read' : receivedAt ? 'received' : storedAt ? 'stored' : 'queued'

/** What people call a conversation: the other user, or `#group`. */
export type NameOf = (conversation: string) => string

const showAttachment = ({ id, name, size, type, sha256, preview }: Attachment): ShownAttachment => ({
  id,
  name,
  size,
  type,
  sha256,
  ...(preview ? { preview } : {}),
})

/** Whatever its author put there: names only. */
const mentionsOf = ({ mentions }: Content): string[] =>
  Array.isArray(mentions) ? mentions.filter((name: unknown) => isUserName(name) || name === EVERYONE) : []

/** `blobs`: what the header announces. */
const showContent = (
  content: Content,
  blobs: [string, number][] | undefined,
): Pick<ShownMessage, 'text' | 'attachments' | 'reply' | 'mentions'> => {
  const { text, reply, attachments } = content
  const mentions = mentionsOf(content)
  return {
    text,
    attachments: attachmentsOf(attachments, blobs).map(showAttachment),
    ...(typeof reply === 'string' ? { reply } : {}),
    ...(mentions.length > 0 ? { mentions } : {}),
  }
}

export const showMessage = (message: HeldMessage, nameOf: NameOf): ShownMessage => {
  const { header, acceptedAt } = message
  const conversation = nameOf(header.conv)
  return {
    type: 'message',
    id: header.id,
    conversation,
    from: header.from,
    to: header.to === header.conv ? conversation : header.to,
    at: timestamp(acceptedAt || header.at),
    ...showContent(contentOf(message), header.blobs),
  }
}

/** What is known of a file before it was read. */
const showUnread = ({ name, size, type }: OutgoingFile): ShownAttachment => ({ id: '', name, size, type, sha256: '' })

/** A message that has not left yet, with its files, which are read in their order. */
export const showDraft = (entry: OutboxEntry, { me, nameOf }: { me: string; nameOf: NameOf }): HistoryMessage => {
  const content = decodeContent(withFiles(entry))
  const { attachments, ...said } = showContent(content, blobsOf(content))
  const unread = (entry.files ?? []).filter(({ prepared }) => !prepared)
  return {
    type: 'message',
    id: entry.id,
    conversation: nameOf(entry.lane),
    from: me,
    to: nameOf(entry.lane),
    at: timestamp(entry.writtenAt),
    ...said,
    attachments: [...attachments, ...unread.map(showUnread)],
    status: 'queued',
  }
}

const reactionsWith = (
  before: ShownReaction[],
  { emoji, isActive }: { emoji: string; isActive: boolean },
  me: string,
): ShownReaction[] => {
  const without = before
    .map((reaction) =>
      reaction.emoji === emoji ? { emoji, users: reaction.users.filter((user) => user !== me) } : reaction,
    )
    .filter(({ users }) => users.length > 0)
  if (!isActive) return without
  const known = without.find((reaction) => reaction.emoji === emoji)
  if (!known) return [...without, { emoji, users: [me] }]
  return without.map((reaction) => (reaction === known ? { emoji, users: [...known.users, me] } : reaction))
}

/** A message as it will be once what this user has said about it has left. */
export const withQueued = (shown: HistoryMessage, queued: readonly Reference[], me: string): HistoryMessage => {
  if (shown.deleted) return shown
  let { reactions = [] } = shown
  let changed = shown
  for (const reference of queued) {
    if (reference.kind === 'none' || reference.id !== shown.id) continue
    if (reference.kind === 'reaction' && reference.author === shown.from) {
      reactions = reactionsWith(reactions, reference, me)
    }
    if (reference.kind === 'edit' && shown.from === me) changed = { ...changed, text: reference.text, edited: true }
  }
  const { reactions: _before, ...rest } = changed
  return reactions.length > 0 ? { ...rest, reactions } : rest
}

/** `to`: the user or `#group`. */
export const queuedResult = ({ id, to }: { id: string; to: string }): SendResult => ({
  id,
  to,
  conversation: to,
  status: 'queued',
  storedAt: null,
  receivedAt: null,
  readAt: null,
})
