// Invariants 4, 5, 11 and 12 as far as groups go: one winner for each version, nothing from or for whoever is no member, one order.
import { groupMailbox } from '../../src/protocol/names.ts'
import type { Check, DeviceState } from './checker.ts'
import { storedSends } from './check-homes.ts'
import { isGroup, Membership } from './membership.ts'
import { firstName } from './scenario.ts'

const twoWinners: Check = {
  invariant: 11,
  name: 'two winners of one version',
  isEventual: false,
  find: ({ end }) => {
    const first = new Map<string, { where: string; digest: string }>()
    return end.versions.flatMap(({ where, group, version, digest }) => {
      const known = first.get(`${group} ${version}`)
      if (!known) first.set(`${group} ${version}`, { where, digest })
      return !known || known.digest === digest
        ? []
        : [`version ${version} of ${group} on ${where} and on ${known.where}`]
    })
  },
}

const twoGroups: Check = {
  invariant: 11,
  name: 'two groups of one name',
  isEventual: false,
  find: ({ end }) => {
    const first = new Map<string, string>()
    return end.versions.flatMap(({ where, name, group }) => {
      const known = first.get(name) ?? group
      first.set(name, known)
      return known === group ? [] : [`${name} is ${group} on ${where} and ${known}`]
    })
  },
}

const changeLost: Check = {
  invariant: 11,
  name: 'an acknowledged change is lost',
  isEventual: false,
  find: ({ history, end }) => {
    const decided = new Set(end.versions.map(({ id }) => id))
    return history
      .of('group')
      .filter(({ type, id }) => type === 'ok' && !decided.has(id))
      .map(({ id, change, group, user, t }) => `${change} of ${group} by ${user}, ${id}, acknowledged at ${t} ms`)
  },
}

const changeInvented: Check = {
  invariant: 11,
  name: 'a change that nobody made',
  isEventual: false,
  find: ({ history, end }) => {
    const asked = new Map(history.of('group').map((event) => [event.id, event]))
    return end.versions
      .filter(({ id, by, change, name }) => {
        const event = asked.get(id)
        const isAsAsked = event?.user === by && event.change === change && event.group === firstName(name)
        return !isAsAsked || (change === 'rename' && event.name !== name)
      })
      .map(({ id, where, version, group, change }) => `${change} ${id}, version ${version} of ${group}, on ${where}`)
  },
}

/** Whoever made a version had the right to, by the one before it. */
const changeUnallowed: Check = {
  invariant: 11,
  name: 'a change that its author might not make',
  isEventual: false,
  find: ({ end }) => {
    const roles = new Map(end.versions.map((v) => [`${v.group} ${v.version}`, v.roles]))
    return end.versions.flatMap(({ group, version, by, change, where }) => {
      const before = roles.get(`${group} ${version - 1}`)
      const own = before?.[by]
      const isAllowed =
        own !== undefined && (change === 'leave' || own === 'owner' || (own === 'admin' && change !== 'role'))
      return !before || isAllowed
        ? []
        : [`${change} of ${by}, ${own ?? 'no member'}, is version ${version} on ${where}`]
    })
  },
}

const intruded: Check = {
  invariant: 11,
  name: 'shown though its author was no member',
  isEventual: false,
  find: ({ history, end }) => [
    ...history
      .of('show')
      .filter(({ id }) => end.intruded.includes(id))
      .map(({ id, from, proc }) => `${id} of ${from} on ${proc}`),
    ...end.devices.flatMap(({ name, listed }) =>
      Object.values(listed)
        .flat()
        .filter(({ id }) => end.intruded.includes(id))
        .map(({ id, from }) => `${id} of ${from} is listed on ${name}`),
    ),
  ],
}

const changeRefused: Check = {
  invariant: 12,
  name: 'refused, but changed',
  isEventual: false,
  find: ({ history, end }) => {
    const decided = new Set(end.versions.map(({ id }) => id))
    return history
      .of('group')
      .filter(({ type, id }) => type === 'fail' && decided.has(id))
      .map(({ id, change, group, user, code, t }) => `${change} of ${group} by ${user}, ${id}, with ${code} at ${t} ms`)
  },
}

const fromOutside: Check = {
  invariant: 11,
  name: 'stored though its author was no member',
  isEventual: false,
  find: ({ history, end }) => {
    const membership = new Membership({ history, end })
    return storedSends(history)
      .filter((send) => isGroup(send.to) && membership.takenAt(send).length === 0)
      .map(({ id, text, user, to }) => `${id} (${text}) of ${user} to ${to}`)
  },
}

const reachedOutside: Check = {
  invariant: 11,
  name: 'reached somebody who was no member',
  isEventual: false,
  find: ({ history, end }) => {
    const membership = new Membership({ history, end })
    const sends = new Map(
      history
        .of('send')
        .filter(({ to }) => isGroup(to))
        .map((send) => [send.id, send]),
    )
    const isOutside = (user: string, id: string): boolean => {
      const send = sends.get(id)
      return send !== undefined && !membership.may(user, send)
    }
    return [
      ...history
        .of('show')
        .filter(({ user, id }) => isOutside(user, id))
        .map(({ id, text, proc }) => `${id} (${text}) on ${proc}`),
      ...end.devices.flatMap(({ name, user, listed }) =>
        Object.values(listed)
          .flat()
          // What was deleted before he came leaves its place to him, and nothing else.
          .filter(({ id, deleted }) => !deleted && isOutside(user, id))
          .map(({ id }) => `${id} is listed on ${name}`),
      ),
      ...end.homes.flatMap(({ peer, entries }) =>
        entries
          .filter(({ mailbox, id }) => mailbox.startsWith('u:') && isOutside(mailbox.slice(2), id))
          .map(({ mailbox, id, text }) => `${id} (${text}) in ${mailbox} on ${peer}`),
      ),
    ]
  },
}

const decidedDiffer: Check = {
  invariant: 7,
  name: 'homes differ in what is decided',
  isEventual: true,
  find: ({ end }) => {
    const known = new Set(end.versions.map(({ where, group, version }) => `${where} ${group} ${version}`))
    const decided = new Map(end.versions.map(({ group, version }) => [`${group} ${version}`, groupMailbox(group)]))
    return [...decided].flatMap(([version, mailbox]) =>
      (end.homesOf[mailbox] ?? [])
        .filter((home) => !known.has(`${home} ${version}`))
        .map((home) => `${home} does not know ${version}`),
    )
  },
}

/** What both have of a group, in the order of each. */
const differIn = (a: DeviceState, b: DeviceState, group: string): boolean => {
  const ids = (device: DeviceState): string[] =>
    (device.listed[group] ?? []).filter(({ status }) => status !== 'queued' && status !== 'refused').map(({ id }) => id)
  const [ofA, ofB] = [ids(a), ids(b)]
  const common = (list: string[], other: string[]): string => list.filter((id) => other.includes(id)).join(' ')
  return common(ofA, ofB) !== common(ofB, ofA)
}

const groupOrdersDiffer: Check = {
  invariant: 5,
  name: 'members differ in order',
  isEventual: true,
  find: ({ end: { devices } }) =>
    devices.flatMap((a, i) =>
      devices.slice(i + 1).flatMap((b) =>
        Object.keys(a.listed)
          .filter((name) => isGroup(name) && differIn(a, b, name))
          .map((name) => `${name} on ${a.name} and on ${b.name}`),
      ),
    ),
}

export const groupChecks: Check[] = [
  twoWinners,
  twoGroups,
  changeLost,
  changeInvented,
  changeUnallowed,
  intruded,
  changeRefused,
  fromOutside,
  reachedOutside,
  decidedDiffer,
  groupOrdersDiffer,
]
