// Invariants 1, 7, 8 and 12 as far as they can be seen on the homes: nothing acknowledged lacks, all hold the same,
// nothing is there twice, nothing refused is there.
import type { Check, EndState, HomeEntry } from './checker.ts'
import type { History, SendEvent } from './history.ts'
import { Membership } from './membership.ts'

/** Acknowledged at least once. */
export const storedSends = (history: History): SendEvent[] => {
  const ids = new Set<string>()
  return history.of('send').filter(({ type, id }) => type === 'ok' && !ids.has(id) && ids.add(id))
}
/** Refused for good, as the client said. */
const refusedSends = (history: History): SendEvent[] => history.of('send').filter(({ type }) => type === 'fail')

const entriesOf = (end: EndState, peer: string, mailbox: string): HomeEntry[] =>
  end.homes.find((home) => home.peer === peer)?.entries.filter((entry) => entry.mailbox === mailbox) ?? []

const lost: Check = {
  invariant: 1,
  name: 'acknowledged but lost',
  isEventual: true,
  find: ({ history, end }) => {
    const membership = new Membership({ history, end })
    const users = Object.keys(end.homesOf).flatMap((mailbox) => (mailbox.startsWith('u:') ? [mailbox.slice(2)] : []))
    return storedSends(history).flatMap((send) =>
      users
        .filter((user) => membership.must(user, send))
        .map((user) => `u:${user}`)
        .flatMap((mailbox) =>
          (end.homesOf[mailbox] ?? [])
            .filter((peer) => !entriesOf(end, peer, mailbox).some(({ id }) => id === send.id))
            .map((peer) => `${send.id} (${send.text}) is not in ${mailbox} on ${peer}`),
        ),
    )
  },
}

const notDurable: Check = {
  invariant: 1,
  name: 'too few durable copies',
  isEventual: false,
  find: ({ history }) =>
    history
      .of('durable')
      .filter(({ found, needed }) => found < needed)
      .map(
        (e) =>
          `${e.id} was ${e.because} at ${e.t} ms with ${e.found} durable copies in a mailbox instead of ${e.needed}`,
      ),
}

const diverged: Check = {
  invariant: 7,
  name: 'homes differ',
  isEventual: true,
  find: ({ end }) =>
    Object.entries(end.homesOf).flatMap(([mailbox, peers]) => {
      const held = peers.map((peer) => new Set(entriesOf(end, peer, mailbox).map(({ key }) => key)))
      const all = new Set(held.flatMap((keys) => [...keys]))
      return peers
        .filter((_, i) => held[i]?.size !== all.size)
        .map((peer) => `${peer} holds ${entriesOf(end, peer, mailbox).length} of ${all.size} records of ${mailbox}`)
    }),
}

const repeated = (values: string[]): string[] => {
  const seen = new Set<string>()
  return values.filter((value) => seen.has(value) || !seen.add(value))
}

const twice: Check = {
  invariant: 8,
  name: 'stored twice',
  isEventual: false,
  find: ({ end }) =>
    end.homes.flatMap(({ peer, entries, repeated: numbered }) => {
      const honest = entries.filter(({ text, id }) => !end.forged.includes(text) && !end.forged.includes(id))
      const byKey = repeated(entries.map(({ mailbox, key }) => `${mailbox} key ${key}`))
      const byId = repeated(honest.map(({ mailbox, from, id }) => `${mailbox} ${from} id ${id}`))
      // Every text of a run is another one: two records of it are one message that was sent under two ids.
      const texts = honest
        .filter(({ text }) => text.startsWith('text '))
        .map(({ mailbox, text }) => `${mailbox} ${text}`)
      return [...byKey, ...byId, ...repeated(texts), ...numbered.map((what) => `${what} in the feed`)].map(
        (what) => `${what} on ${peer}`,
      )
    }),
}

const refusedButThere: Check = {
  invariant: 12,
  name: 'refused, but stored',
  isEventual: false,
  find: ({ history, end }) =>
    refusedSends(history).flatMap(({ id, text }) =>
      end.homes
        .filter(({ entries }) => entries.some((entry) => entry.id === id && entry.text === text))
        .map(({ peer }) => `${id} (${text}) on ${peer}`),
    ),
}

const refusedButWritten: Check = {
  invariant: 12,
  name: 'a gateway refused what was written',
  isEventual: false,
  find: ({ history }) =>
    history
      .of('put')
      .filter(({ isPresent }) => isPresent)
      .map(({ digest, proc, t }) => `record ${digest} of ${proc} at ${t} ms`),
}

const refusedAndStored: Check = {
  invariant: 12,
  name: 'both refused and acknowledged',
  isEventual: false,
  find: ({ history }) => {
    const stored = new Set(storedSends(history).map(({ id }) => id))
    return refusedSends(history)
      .filter(({ id }) => stored.has(id))
      .map(({ id }) => id)
  },
}

export const homeChecks: Check[] = [
  lost,
  notDurable,
  diverged,
  twice,
  refusedButThere,
  refusedButWritten,
  refusedAndStored,
]
