// Invariant 5: all devices end with the same order, nobody shows one device's messages out of its order unless it showed a gap,
// and no gap is left.
import type { Check, EndState } from './checker.ts'
import type { History, ShowEvent } from './history.ts'
import { isGroup, Membership } from './membership.ts'

/** The number of each message on its device in its conversation, of those that are on homes. */
const sequences = (end: EndState): Map<string, number> =>
  new Map(
    end.homes
      .flatMap((home) => home.entries)
      .flatMap(({ from, id, seq }) => (seq === undefined ? [] : [[`${from} ${id}`, seq]])),
  )

/**
 * First invocations in order: the sequence of each device in each conversation. In a group it is what was signed: who may not be a member
 * any more asks first, and what is sent meanwhile may be in the outbox before.
 */
const places = (history: History, end: EndState): Map<string, { lane: string; place: number }> => {
  const sequence = sequences(end)
  const counts = new Map<string, number>()
  const found = new Map<string, { lane: string; place: number }>()
  for (const { type, id, proc, to, user } of history.of('send')) {
    if (type !== 'invoke' || found.has(`${user} ${id}`)) continue
    const lane = `${proc} ${to}`
    const place = (counts.get(lane) ?? 0) + 1
    counts.set(lane, place)
    found.set(`${user} ${id}`, { lane, place: isGroup(to) ? (sequence.get(`${user} ${id}`) ?? NaN) : place })
  }
  return found
}

/** Had the device said that this one lacked when the first that overtook it was shown? What came in between, or is shown too, is no matter. */
const gapsSaid = (history: History, end: EndState): ((shown: ShowEvent, lane: string, until: number) => boolean) => {
  const sequence = sequences(end)
  const gaps = Map.groupBy(history.of('gap'), ({ proc, life, from, to }) => `${proc} ${life} ${from} ${to}`)
  return ({ proc, life, from, id }, lane, until) => {
    const seq = sequence.get(`${from} ${id}`)
    const said = (gaps.get(`${proc} ${life} ${lane}`) ?? []).filter(({ t }) => t <= until)
    return said.some(({ range: [first, last] }) => seq === undefined || (first <= seq && seq <= last))
  }
}

const shownOutOfOrder: Check = {
  invariant: 5,
  name: 'shown out of its order',
  isEventual: false,
  find: ({ history, end }) => {
    const sends = places(history, end)
    const membership = new Membership({ history, end })
    const named = new Map(end.homes.flatMap(({ entries }) => entries.map((entry) => [entry.id, entry.gv])))
    const isSaidToLack = gapsSaid(history, end)
    // Of each lane on each device: what was shown before all lower numbers had been, and when.
    const heights = new Map<string, { place: number; t: number }[]>()
    return history.of('show').flatMap((shown) => {
      const { proc, user, id, from, to, life, t } = shown
      const sent = sends.get(`${from} ${id}`)
      // What the device itself sent it shows when it is written.
      if (!sent || sent.lane.startsWith(`${proc} `)) return []
      const key = `${proc} ${life} ${sent.lane}`
      const known = heights.get(key) ?? []
      const overtook = known.find(({ place }) => place > sent.place)
      if (!overtook) heights.set(key, [...known, { place: sent.place, t }])
      // What may have been taken while one was out of the group is waited for a moment only, and is called no gap (decision 0009).
      const mayBeOfAbsence = (): boolean => membership.wasOutsideSince(user, { to, version: named.get(id) ?? 1 }, t)
      return !overtook || isSaidToLack(shown, sent.lane, overtook.t) || mayBeOfAbsence()
        ? []
        : [`${id} of ${sent.lane} on ${proc} at ${t} ms, number ${sent.place} after ${overtook.place}`]
    })
  },
}

const listedOutOfOrder: Check = {
  invariant: 5,
  name: 'listed out of its order',
  isEventual: true,
  find: ({ history, end }) => {
    const known = places(history, end)
    return end.devices.flatMap(({ name, listed }) =>
      Object.values(listed).flatMap((messages) => {
        const last = new Map<string, number>()
        return messages.flatMap(({ id, from }) => {
          const sent = known.get(`${from} ${id}`)
          if (!sent) return []
          const before = last.get(sent.lane) ?? 0
          last.set(sent.lane, sent.place)
          return sent.place < before ? [`${id} of ${sent.lane} on ${name}: number ${sent.place} after ${before}`] : []
        })
      }),
    )
  },
}

/** Messages still in an outbox are on one device only; the others are compared. */
const ordersDiffer: Check = {
  invariant: 5,
  name: 'devices differ in order',
  isEventual: true,
  find: ({ end }) => {
    const orders = new Map<string, { name: string; ids: string }>()
    return end.devices.flatMap(({ name, user, listed }) =>
      Object.entries(listed).flatMap(([other, messages]) => {
        if (isGroup(other)) return [] // members differ in what they have: check-groups.ts
        const conversation = [user, other].sort().join(':')
        const ids = messages
          .filter(({ status }) => status !== 'queued' && status !== 'refused')
          .map(({ id }) => id)
          .join(' ')
        const first = orders.get(conversation)
        if (!first) orders.set(conversation, { name, ids })
        return !first || first.ids === ids
          ? []
          : [`${conversation} on ${name} and on ${first.name}: [${ids}] and [${first.ids}]`]
      }),
    )
  },
}

const gapLeft: Check = {
  invariant: 5,
  name: 'a gap was not repaired',
  isEventual: true,
  find: ({ end }) => end.devices.flatMap(({ name, gaps }) => gaps.map((conversation) => `${conversation} on ${name}`)),
}

export const orderChecks: Check[] = [shownOutOfOrder, listedOutOfOrder, ordersDiffer, gapLeft]
