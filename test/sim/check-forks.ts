// Invariant 11 as far as each device goes by itself, which holds whatever homes say: it believes no version that nobody with the right to it
// signed, and says so when it was shown another history than a member whose message it shows.
import type { Check, DeviceState, EndState, SeenVersion } from './checker.ts'
import { isGroup } from './membership.ts'
import { firstName, userOf } from './scenario.ts'

/** By group and number, what a device believes. */
const versionsOf = (end: EndState, device: string): Map<string, SeenVersion> =>
  new Map(end.versions.filter(({ where }) => where === device).map((seen) => [`${seen.group} ${seen.version}`, seen]))

const believedWrongly: Check = {
  invariant: 11,
  name: 'a device believes what nobody might change',
  isEventual: false,
  find: ({ history, end }) => {
    const asked = new Map(history.of('group').map((event) => [event.id, event]))
    return end.devices.flatMap(({ name, user }) => {
      const known = versionsOf(end, name)
      return [...known.values()].flatMap(({ group, version, by, change, users, id }) => {
        const before = known.get(`${group} ${version - 1}`)
        // Whoever is added believes what the cluster gives him: nothing known to him speaks for or against it, or did when it came.
        const isInvitation = change === 'add' && users.includes(user) && !before?.roles[user]
        if (version > 1 && (!before || isInvitation)) return []
        const own = before?.roles[by]
        const isAllowed =
          !before || (own && (change === 'leave' || own === 'owner' || (own === 'admin' && change !== 'role')))
        const isSigned = asked.get(id)?.user === by && asked.get(id)?.change === change
        return isAllowed && isSigned ? [] : [`${change} ${id} of ${by} as version ${version} of ${group} on ${name}`]
      })
    })
  },
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
  find: ({ end }) =>
    end.devices.flatMap(({ name, disputed }) =>
      Object.entries(disputed).flatMap(([group, users]) =>
        users
          .filter((user) => !devicesOf(end, user).some((other) => forkOf(end, name, other.name, group) !== undefined))
          .map((user) => `${group} with ${user} on ${name}`),
      ),
    ),
}
const devicesOf = ({ devices }: EndState, user: string): DeviceState[] =>
  devices.filter((device) => device.user === user)

const forkUnseen: Check = {
  invariant: 11,
  name: 'a fork was not noticed',
  isEventual: false,
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
