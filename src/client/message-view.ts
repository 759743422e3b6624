// Messages as programs see them: the shapes of `--json`. Times are those of the cluster, clamped to stored <= received <= read.
import { decodeContent } from '../protocol/content.ts'
import type { HistoryMessage, MessageStatus, SendResult, ShownMessage, Timestamp } from './api.ts'
import { bodyOf, type HeldMessage } from './held-records.ts'
import type { OutboxEntry } from './outbox-entry.ts'
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

const contentOf = (body: Uint8Array): Pick<ShownMessage, 'text' | 'attachments' | 'reply' | 'mentions'> => {
  try {
    const { text, reply, attachments, mentions } = decodeContent(body)
    return {
      text,
      attachments: Array.isArray(attachments)
        ? attachments.map(({ id, name, size, type }) => ({ id, name, size, type }))
        : [],
      ...(typeof reply === 'string' ? { reply } : {}),
      ...(Array.isArray(mentions) && mentions.length > 0 ? { mentions } : {}),
    }
  } catch {
    return { text: '', attachments: [] } // signed by its author like this; there is nothing else to show
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
    ...contentOf(bodyOf(message)),
  }
}

/** A message that has not left yet. */
export const showDraft = (entry: OutboxEntry, me: string, nameOf: NameOf): HistoryMessage => ({
  type: 'message',
  id: entry.id,
  conversation: nameOf(entry.lane),
  from: me,
  to: nameOf(entry.lane),
  at: timestamp(entry.writtenAt),
  ...contentOf(entry.bytes),
  status: 'queued',
})

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
