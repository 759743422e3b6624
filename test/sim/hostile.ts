// Users who sign what a home that lies wants signed: versions of groups that they may not make. The signatures are true.
import type { SimCluster } from './cluster.ts'
import { versionsEverywhere } from './group-view.ts'
import { versionOf } from './intruder.ts'
import { EPOCH_MS } from './life.ts'
import type { Hostile } from './lying-home.ts'
import { plausibleId } from './plausible-id.ts'
import type { SeededRandom } from './random.ts'

/** `signed` gets the id of each. */
export const hostileUsers =
  (cluster: SimCluster, random: SeededRandom, signed: string[]): Hostile =>
  (group, version) => {
    const before = versionsEverywhere(cluster).find((seen) => seen.group === group && seen.version === version - 1)
    const by = [...cluster.devices.values()].find(({ user }) => before && before.roles[user] !== 'owner')
    if (!before || !by?.deviceId) return undefined
    const id = plausibleId(random, cluster.scheduler.now)
    signed.push(id)
    const at = EPOCH_MS + Math.floor(cluster.scheduler.now)
    const intruder = { name: by.name, user: by.user, id: by.deviceId }
    return versionOf({ by: intruder, newest: before, id, at, cluster: cluster.clusterId })
  }
