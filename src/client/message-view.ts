// Messages as programs see them: the shapes of `--json`. Times are those of the cluster, clamped to stored <= received <= read.
import { decodeContent } from '../protocol/content.ts'
import { conversationName } from '../protocol/names.ts'
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

const contentOf = (body: Uint8Array): Pick<ShownMessage, 'text' | 'attachments' | 'reply'> => {
  try {
    const { text, reply, attachments } = decodeContent(body)
    return {
      text,
      attachments: Array.isArray(attachments)
        ? attachments.map(({ id, name, size, type }) => ({ id, name, size, type }))
        : [],
      ...(typeof reply === 'string' ? { reply } : {}),
    }
  } catch {
    return { text: '', attachments: [] } // signed by its author like this; there is nothing else to show
  }
}

export const showMessage = (message: HeldMessage, me: string): ShownMessage => {
  const { header, acceptedAt } = message
  return {
    type: 'message',
    id: header.id,
    conversation: conversationName(header.conv, me),
    from: header.from,
    to: header.to,
    at: timestamp(acceptedAt || header.at),
    ...contentOf(bodyOf(message)),
  }
}

/** A message that has not left yet. */
export const showDraft = (entry: OutboxEntry, me: string): HistoryMessage => ({
  type: 'message',
  id: entry.id,
  conversation: conversationName(entry.lane, me),
  from: me,
  to: entry.to,
  at: timestamp(entry.writtenAt),
  ...contentOf(entry.bytes),
  status: 'queued',
})

export const queuedResult = (entry: Pick<OutboxEntry, 'id' | 'to'>): SendResult => ({
  id: entry.id,
  to: entry.to,
  conversation: entry.to,
  status: 'queued',
  storedAt: null,
  receivedAt: null,
  readAt: null,
})
