// Invariants 3, 5 and 7 as far as edits, deletions and reactions go: everybody ends with the same text, deletions and reactions, and what
// was deleted is served by nobody.
import type { Check } from './checker.ts'
import type { History } from './history.ts'
import { Membership } from './membership.ts'

/** Messages that somebody deleted, or may have. */
export const deletedIds = (history: History): Set<string> =>
  new Set(
    history
      .of('refer')
      .filter(({ what }) => what === 'delete')
      .map(({ id }) => id),
  )

/** Deleted for everybody, and acknowledged. */
const goneForAll = (history: History): { id: string; user: string; to: string }[] =>
  history.of('refer').filter(({ what, type, user, from }) => what === 'delete' && type === 'ok' && user === from)

/** Whoever deletes what another wrote sees it differently from then on. */
const whoDiffers = (history: History): Set<string> =>
  new Set(
    history
      .of('refer')
      .filter(({ what, user, from }) => what === 'delete' && user !== from)
      .map(({ id, user }) => `${user} ${id}`),
  )

const differ: Check = {
  invariant: 5,
  name: 'devices differ in what became of a message',
  isEventual: true,
  find: ({ history, end }) => {
    const own = whoDiffers(history)
    const membership = new Membership({ history, end })
    const first = new Map<string, { name: string; shown: string }>()
    return end.devices.flatMap(({ name, user, listed }) =>
      Object.values(listed)
        .flat()
        .filter(({ id, from, to }) => membership.isThereSince(user, { id, user: from, to }))
        .flatMap(({ id, text, deleted, reactions }) => {
          const shown = deleted ? 'deleted' : JSON.stringify({ text, reactions })
          const key = own.has(`${user} ${id}`) ? `${user} ${id}` : id
          const other = first.get(key)
          if (!other) first.set(key, { name, shown })
          return !other || other.shown === shown
            ? []
            : [`${id} is ${shown} on ${name} and ${other.shown} on ${other.name}`]
        }),
    )
  },
}

const deletedButShown: Check = {
  invariant: 3,
  name: 'deleted but shown',
  isEventual: true,
  find: ({ history, end }) => {
    const gone = new Map(goneForAll(history).map((deletion) => [deletion.id, deletion]))
    const membership = new Membership({ history, end })
    return end.devices.flatMap(({ name, user, listed }) =>
      Object.values(listed)
        .flat()
        .filter(({ id, deleted }) => {
          const deletion = gone.get(id)
          return deletion && !deleted && membership.isThereSince(user, deletion)
        })
        .map(({ id }) => `${id} on ${name}`),
    )
  },
}

const deletedButServed: Check = {
  invariant: 7,
  name: 'deleted but served',
  isEventual: true,
  find: ({ history, end }) => {
    const gone = new Map(goneForAll(history).map((deletion) => [deletion.id, deletion]))
    const membership = new Membership({ history, end })
    return end.homes.flatMap(({ peer, entries }) =>
      entries
        // What is left of mailboxes that have other homes now is served to nobody.
        .filter(({ mailbox }) => end.homesOf[mailbox]?.includes(peer))
        .filter(({ id, text, mailbox, isServed }) => {
          const deletion = gone.get(id)
          const isHis = deletion && membership.isThereSince(mailbox.slice(2), deletion)
          return isServed && isHis && !end.forged.includes(text)
        })
        .map(({ id, mailbox, text }) => `${id} (${text}) in ${mailbox} on ${peer}`),
    )
  },
}

export const referenceChecks: Check[] = [differ, deletedButShown, deletedButServed]
