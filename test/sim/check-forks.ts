// Invariant 11 as far as each device goes by itself, which holds whatever homes say: it believes no version that nobody with the right to it
// signed, and says so when it was shown another history than a member whose message it shows.
import type { Check, DeviceState, EndState, SeenVersion } from './checker.ts'
import type { History } from './history.ts'
import { isGroup } from './membership.ts'
import { firstName, userOf } from './scenario.ts'

/** By group and number, what a device believes. */
const versionsOf = (end: EndState, device: string): Map<string, SeenVersion> =>
  new Map(end.versions.filter(({ where }) => where === device).map((seen) => [`${seen.group} ${seen.version}`, seen]))

/**
 * Whoever made a version had the right to and could, by the one before it, and signed it (as users do who are on the side of a liar); undefined where
 * the one before is not here to judge it by.
 */
const isRightful = (
  seen: SeenVersion,
  before: SeenVersion | undefined,
  { history, end }: { history: History; end: EndState },
): boolean | undefined => {
  const { version, by, change, id, users } = seen
  if (!before && version > 1) return undefined
  const own = before?.roles[by]
  const isAllowed =
    !before || (own && (change === 'leave' || own === 'owner' || (own === 'admin' && change !== 'role')))
  // Nobody is added twice, and only who is in is put out or has a role.
  const isPossible = !before || users.every((user) => (before.roles[user] === undefined) === (change === 'add'))
  const isSigned = end.forged.includes(id) || history.of('group').some((asked) => asked.id === id && asked.user === by)
  return Boolean(isAllowed) && isPossible && isSigned
}

/** What a device believes of a group and should not. */
const wrongOn = (end: EndState, history: History, device: string): SeenVersion[] => {
  const known = versionsOf(end, device)
  return [...known.values()].filter(
    (seen) => isRightful(seen, known.get(`${seen.group} ${seen.version - 1}`), { history, end }) === false,
  )
}

/** The first that a member knows it believes because the cluster gave it; what comes later may speak against it, and then it says so. */
const believedWrongly: Check = {
  invariant: 11,
  name: 'a device believes what nobody might change',
  isEventual: false,
  find: ({ history, end }) =>
    end.devices.flatMap(({ name, disputed }) =>
      wrongOn(end, history, name)
        .filter(({ name: group, by }) => !disputed[firstName(group)]?.includes(by))
        .map(
          ({ change, id, by, version, group }) =>
            `${change} ${id} of ${by} as version ${version} of ${group} on ${name}`,
        ),
    ),
}

/** The first version of which both have another. */
const forkOf = (end: EndState, a: string, b: string, group: string): number | undefined => {
  const other = versionsOf(end, b)
  return [...versionsOf(end, a).values()].find(
    ({ name, group: id, version, digest }) =>
      firstName(name) === group && (other.get(`${id} ${version}`)?.digest ?? digest) !== digest,
  )?.version
}

const forkInvented: Check = {
  invariant: 11,
  name: 'a fork is told of that is none',
  isEventual: false,
  find: ({ history, end }) =>
    end.devices.flatMap(({ name, disputed }) =>
      Object.entries(disputed).flatMap(([group, users]) =>
        users
          .filter((user) => !devicesOf(end, user).some((other) => forkOf(end, name, other.name, group) !== undefined))
          .filter((user) => !wrongOn(end, history, name).some(({ by }) => by === user))
          .map((user) => `${group} with ${user} on ${name}`),
      ),
    ),
}
const devicesOf = ({ devices }: EndState, user: string): DeviceState[] =>
  devices.filter((device) => device.user === user)

const forkUnseen: Check = {
  invariant: 11,
  name: 'a fork was not noticed',
  isEventual: true, // what a device says of forks was asked before what is shown while others were
  find: ({ history, end }) => {
    const named = new Map(end.homes.flatMap(({ entries }) => entries.map((entry) => [entry.id, entry.gv])))
    const author = new Map(history.of('send').map(({ id, proc }) => [id, proc]))
    const known = new Map(end.devices.map(({ name }) => [name, versionsOf(end, name)]))
    const disputed = new Map(end.devices.map((device) => [device.name, device.disputed]))
    return history.of('show').flatMap(({ proc, id, from, to }) => {
      const [version, device] = [named.get(id), author.get(id)]
      const [own, theirs] = [proc, device ?? ''].map((each) =>
        [...(known.get(each)?.values() ?? [])].find((seen) => firstName(seen.name) === to && seen.version === version),
      )
      const isForked = own && theirs && own.group === theirs.group && own.digest !== theirs.digest
      return !isForked || disputed.get(proc)?.[to]?.includes(userOf(from))
        ? []
        : [`version ${version} of ${to} on ${proc}, by ${id} of ${device}`]
    })
  },
}

/** Nobody's message is at fault for what homes say: it waits until they say something else. */
const refusedByLie: Check = {
  invariant: 12,
  name: 'refused for what a home said',
  isEventual: false,
  find: ({ history }) =>
    history
      .of('send')
      .filter(
        ({ to, type, code }) =>
          isGroup(to) && type === 'fail' && (code === 'MESSAGE_INVALID' || code === 'RPC_INVALID'),
      )
      .map(({ id, to, code }) => `${id} to ${to} with ${code}`),
}

export const forkChecks: Check[] = [believedWrongly, forkInvented, forkUnseen, refusedByLie]
