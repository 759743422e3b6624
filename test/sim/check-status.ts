// Invariants 4, 6 and 8 as far as receipts go: a status never goes back, read => received => stored, it says only what is so,
// and it gets there.
import type { MessageStatus } from '../../src/client/api.ts'
import { storedSends } from './check-homes.ts'
import { deletedIds } from './check-references.ts'
import type { Check } from './checker.ts'
import { isGroup } from './membership.ts'

const RANK: Record<MessageStatus, number> = { queued: 0, refused: 0, stored: 1, received: 2, read: 3 }

const wentBack: Check = {
  invariant: 6,
  name: 'a status went back',
  isEventual: false,
  find: ({ history }) => {
    const best = new Map<string, MessageStatus>()
    return history.of('status').flatMap(({ proc, id, status, life, t }) => {
      const key = `${proc} ${life} ${id}`
      const before = best.get(key) ?? 'queued'
      if (RANK[status] >= RANK[before]) best.set(key, status)
      return RANK[status] < RANK[before] ? [`${id} on ${proc} was ${before} and is ${status} at ${t} ms`] : []
    })
  },
}

const incoherent: Check = {
  invariant: 6,
  name: 'read without received, or received without stored',
  isEventual: false,
  find: ({ history }) =>
    history
      .of('status')
      .filter(({ storedAt, receivedAt, readAt }) => {
        const isHoley = (readAt !== null && receivedAt === null) || (receivedAt !== null && storedAt === null)
        const [stored, received, read] = [storedAt ?? 0, receivedAt ?? Infinity, readAt ?? Infinity]
        return isHoley || stored > received || received > read
      })
      .map((e) => `${e.id} on ${e.proc}: stored ${e.storedAt}, received ${e.receivedAt}, read ${e.readAt}`),
}

const neverReceived: Check = {
  invariant: 6,
  name: 'received, but the sender never heard',
  isEventual: true,
  find: ({ history, end }) => {
    const stored = new Map(storedSends(history).map((send) => [send.id, send]))
    const touched = deletedIds(history)
    return end.devices.flatMap(({ name, user, listed }) =>
      Object.values(listed)
        .flat()
        // Nobody is told of what is deleted.
        .filter(({ id, status, deleted }) => {
          const send = stored.get(id)
          // Of many members one may delete it for himself before he has told anybody.
          if (deleted || (touched.has(id) && isGroup(send?.to ?? ''))) return false
          return send?.user === user && send.to !== user && RANK[status] < RANK.received
        })
        .map(({ id, status }) => `${id} is ${status} on ${name}`),
    )
  },
}

const neverRead: Check = {
  invariant: 6,
  name: 'read, but the sender never heard',
  isEventual: true,
  find: ({ history, end }) => {
    const deleted = deletedIds(history)
    const shown = history.of('show')
    const readIds = new Set(
      history
        .of('read')
        .filter(({ type }) => type === 'ok')
        .flatMap(({ proc, conversation, t, user, life }) => {
          const begun = history
            .of('read')
            .findLast((e) => e.proc === proc && e.type === 'invoke' && e.conversation === conversation && e.t <= t)
          return shown
            .filter((s) => s.proc === proc && s.life === life && s.from === conversation && s.to === user)
            .filter((s) => s.t < (begun?.t ?? 0))
            .map((s) => s.id)
        }),
    )
    return end.devices.flatMap(({ name, user, listed }) =>
      Object.values(listed)
        .flat()
        // What the reader deleted for itself before it read the rest it never read.
        .filter(({ id, from, to }) => from === user && to !== user && !deleted.has(id))
        .filter(({ id, status }) => readIds.has(id) && status !== 'read')
        .map(({ id, status }) => `${id} is ${status} on ${name}`),
    )
  },
}

/** Of a message that was received: longer than it waits for one before it. */
const SHOWN_WITHIN_MS = 2_500

const invented: Check = {
  invariant: 4,
  name: 'a receipt for what did not happen',
  isEventual: false,
  find: ({ history }) => {
    const shown = new Set(history.of('show').map(({ user, id }) => `${user} ${id}`))
    const deleted = deletedIds(history)
    const began = new Map<string, number>()
    for (const e of history.of('read')) {
      if (e.type === 'invoke' && !began.has(`${e.user} ${e.conversation}`))
        began.set(`${e.user} ${e.conversation}`, e.t)
    }
    /** What the recipient calls the conversation. */
    const conversations = new Map(history.of('send').map(({ id, user, to }) => [id, isGroup(to) ? to : user]))
    const now = history.events.at(-1)?.t ?? 0
    return history.of('receipt').flatMap(({ id, user, status, proc, t }) => {
      // Received is what a device has persisted: it may wait there for the one before it, and is shown then.
      const isWaiting = status === 'received' && now - t < SHOWN_WITHIN_MS
      if (!shown.has(`${user} ${id}`) && !deleted.has(id) && !isWaiting)
        return [`${status} of ${id} by ${user} on ${proc}, who never showed it`]
      const readAt = began.get(`${user} ${conversations.get(id)}`)
      return status === 'read' && (readAt === undefined || readAt > t)
        ? [`read of ${id} by ${user} on ${proc}, who did not read`]
        : []
    })
  },
}

export const statusChecks: Check[] = [wentBack, incoherent, neverReceived, neverRead, invented]
