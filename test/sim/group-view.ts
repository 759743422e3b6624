// Groups seen from outside: every version that a home or a device keeps as decided, and who may change a group now.
import type { SeenVersion } from './checker.ts'
import type { SimCluster } from './cluster.ts'
import { versionsOn } from './homes.ts'
import { isGroup } from './membership.ts'
import { firstName, type GroupStep, userOf } from './scenario.ts'

export const versionsEverywhere = (cluster: SimCluster): SeenVersion[] => [
  ...[...cluster.nodes.values()].flatMap((node) => versionsOn(node.name, node.disk)),
  ...[...cluster.devices.values()].flatMap((device) => device.versions()),
]

const newestOf = (versions: SeenVersion[]): SeenVersion | undefined =>
  versions.reduce<SeenVersion | undefined>((a, b) => (a && a.version >= b.version ? a : b), undefined)

export const newestVersion = (cluster: SimCluster, group: string): SeenVersion | undefined =>
  newestOf(versionsEverywhere(cluster).filter(({ name }) => firstName(name) === group))

const newestOn = (cluster: SimCluster, device: string, group: string): SeenVersion | undefined => {
  const versions = isGroup(group) ? cluster.devices.get(device)?.versions() : undefined
  return newestOf((versions ?? []).filter(({ name }) => firstName(name) === group))
}
/** Has the device heard of the group of that first name? */
export const knowsGroup = (cluster: SimCluster, device: string, group: string): boolean =>
  newestOn(cluster, device, group) !== undefined
/** What the device calls whom or what the run calls so: a group by the newest name that it has heard of. */
export const nameOn = (cluster: SimCluster, device: string, other: string): string =>
  newestOn(cluster, device, other)?.name ?? other

/** The first device from the step's on, all in a circle, whose user may make this change as things are. */
export const deviceByRight = (cluster: SimCluster, { group, change, device }: GroupStep): string | undefined => {
  const roles = newestVersion(cluster, group)?.roles ?? {}
  const allowed = change === 'role' ? ['owner'] : ['owner', 'admin']
  const names = [...cluster.devices.keys()]
  const start = Math.max(0, names.indexOf(device))
  return [...names.slice(start), ...names.slice(0, start)].find((name) => allowed.includes(roles[userOf(name)] ?? ''))
}
