// Invariants 2, 3, 4, 9 and 12 as far as devices show them: everything stored is shown, once, to whom it was sent, as it was written.
import { storedSends } from './check-homes.ts'
import { deletedIds } from './check-references.ts'
import type { Check, EndState } from './checker.ts'
import type { History, SendEvent, ShowEvent } from './history.ts'
import { isGroup, Membership } from './membership.ts'

const sent = (history: History): Map<string, SendEvent> =>
  new Map(history.of('send').map((event) => [`${event.user} ${event.id}`, event]))
/** It is in this user's mailbox once it is stored; those of the other members of a group have it later. */
const isFor = (user: string, message: { user: string; to: string }): boolean =>
  message.user === user || message.to === user

const unseen: Check = {
  invariant: 2,
  name: 'not visible though complete',
  isEventual: false,
  find: ({ history }) => {
    const acknowledged = storedSends(history)
    const begun = new Map(
      history
        .of('settle')
        .filter((e) => e.type === 'invoke')
        .map((e) => [`${e.proc} ${e.id}`, e.t]),
    )
    return history
      .of('settle')
      .filter(({ type, complete }) => type === 'ok' && complete)
      .flatMap(({ proc, user, id, t, seen }) => {
        const from = begun.get(`${proc} ${id}`) ?? 0
        return acknowledged
          .filter((send) => send.t < from && isFor(user, send) && !seen.includes(send.id))
          .map(
            (send) =>
              `${send.id} (${send.text}), stored at ${send.t} ms, lacked on ${proc} that settled from ${from} to ${t} ms`,
          )
      })
  },
}

/** Acknowledged, or found on a home at the end: a write of unknown outcome that did happen. */
const storedForUser = (history: History, end: EndState, user: string): SendEvent[] => {
  const onHomes = new Set(end.homes.flatMap(({ entries }) => entries.map(({ id, text }) => `${id} ${text}`)))
  const ids = new Set(storedSends(history).map(({ id }) => id))
  const membership = new Membership({ history, end })
  return [...sent(history).values()].filter(
    (send) => membership.must(user, send) && (ids.has(send.id) || onHomes.has(`${send.id} ${send.text}`)),
  )
}

const undelivered: Check = {
  invariant: 3,
  name: 'stored but not delivered',
  isEventual: true,
  find: ({ history, end }) => {
    const membership = new Membership({ history, end })
    return end.devices.flatMap(({ name, user, listed }) => {
      const ids = new Set(Object.values(listed).flatMap((messages) => messages.map(({ id }) => id)))
      const shown = new Set(
        history
          .of('show')
          .filter(({ proc }) => proc === name)
          .map(({ id }) => id),
      )
      // What was deleted before it could be shown is not shown any more; whoever had left the group by then is not told of its place either.
      const deleted = deletedIds(history)
      const isGone = (id: string, to: string): boolean => deleted.has(id) && isGroup(to) && membership.hasLeft(user, to)
      return storedForUser(history, end, user).flatMap(({ id, to, text, proc }) => [
        ...(ids.has(id) || isGone(id, to) ? [] : [`${id} (${text}) is not in the history of ${name}`]),
        // What a device sends it shows as it is written; its listeners hear only of others.
        ...(shown.has(id) || proc === name || deleted.has(id) ? [] : [`${id} (${text}) was never shown on ${name}`]),
      ])
    })
  },
}

const shownTwice: Check = {
  invariant: 3,
  name: 'shown twice',
  isEventual: false,
  find: ({ history, end }) => {
    const seen = new Set<string>()
    const again = history.of('show').filter(({ proc, id, life }) => {
      const key = `${proc} ${id} ${life}`
      return seen.has(key) || !seen.add(key)
    })
    const listedTwice = end.devices.flatMap(({ name, listed }) => {
      const ids = Object.values(listed).flatMap((messages) => messages.map(({ id }) => id))
      return ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `${id} is listed twice on ${name}`)
    })
    return [...again.map(({ id, proc, t }) => `${id} on ${proc}, again at ${t} ms`), ...listedTwice]
  },
}

type Shown = Pick<ShowEvent, 'id' | 'from' | 'to' | 'text'> & { deleted?: boolean }
/** As it was sent, or as its author edited it; without a text only when somebody deleted it. */
const genuine = (history: History): ((shown: Shown) => boolean) => {
  const known = sent(history)
  const edits = new Set(
    history
      .of('refer')
      .filter(({ what, user, from }) => what === 'edit' && user === from)
      .map(({ from, id, text }) => `${from} ${id} ${text}`),
  )
  const deleted = deletedIds(history)
  return ({ id, from, to, text, deleted: isDeleted }) => {
    const send = known.get(`${from} ${id}`)
    if (!send || send.to !== to) return false
    return isDeleted ? text === '' && deleted.has(id) : send.text === text || edits.has(`${from} ${id} ${text}`)
  }
}

const forged: Check = {
  invariant: 4,
  name: 'shown but never sent so',
  isEventual: false,
  find: ({ history, end }) => {
    const isGenuine = genuine(history)
    const shown = history.of('show').filter((show) => !isGenuine(show))
    const listed = end.devices.flatMap(({ name, listed: by }) =>
      Object.values(by)
        .flat()
        .filter((message) => !isGenuine(message))
        .map(({ id, from, text }) => `${id} from ${from} (${text}) is listed on ${name}`),
    )
    return [...shown.map(({ id, from, text, proc }) => `${id} from ${from} (${text}) on ${proc}`), ...listed]
  },
}

const leaked: Check = {
  invariant: 4,
  name: 'shown to somebody else',
  isEventual: false,
  find: ({ history, end }) => [
    ...history
      .of('show')
      .filter(({ user, from, to }) => user !== from && user !== to && !isGroup(to))
      .map(({ id, from, to, proc }) => `${id} from ${from} to ${to} on ${proc}`),
    ...end.devices.flatMap(({ name, user, listed }) =>
      Object.values(listed)
        .flat()
        .filter(({ from, to }) => user !== from && user !== to && !isGroup(to))
        .map(({ id }) => `${id} is listed on ${name}`),
    ),
  ],
}

const fetchedAgain: Check = {
  invariant: 9,
  name: 'fetched a body it had',
  isEventual: false,
  find: ({ history }) =>
    history.of('fetch').flatMap(({ proc, known, t }) => known.map((key) => `${key} by ${proc} at ${t} ms`)),
}

const refusedButShown: Check = {
  invariant: 12,
  name: 'refused, but shown',
  isEventual: false,
  find: ({ history }) => {
    const refused = new Map(
      history
        .of('send')
        .filter(({ type }) => type === 'fail')
        .map((e) => [e.id, e.proc]),
    )
    return history
      .of('show')
      .filter(({ id, proc }) => refused.has(id) && refused.get(id) !== proc)
      .map(({ id, proc }) => `${id} on ${proc}`)
  },
}

export const shownChecks: Check[] = [unseen, undelivered, shownTwice, forged, leaked, fetchedAgain, refusedButShown]
