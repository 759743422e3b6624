// What a device lists of all conversations that it can have.
import type { LocalChat } from '../../src/client/local-chat.ts'
import type { DeviceState } from './checker.ts'
import type { SimCluster } from './cluster.ts'
import { knowsGroup, nameOn } from './group-view.ts'
import { firstName } from './scenario.ts'

export const listedBy = async (cluster: SimCluster, proc: string, chat: LocalChat): Promise<DeviceState['listed']> => {
  const listed: DeviceState['listed'] = {}
  const groups = cluster.scenario.groups.filter((name) => knowsGroup(cluster, proc, name))
  for (const other of [...cluster.users(), ...groups]) {
    const messages = await chat.history(nameOn(cluster, proc, other), { limit: 10_000 })
    listed[other] = messages.map(({ id, from, to, text, status, deleted = false, reactions = [] }) => {
      const sorted = reactions.map(({ emoji, users }) => `${emoji} ${[...users].sort().join(' ')}`).sort()
      return { id, from, to: firstName(to), text, status, deleted, reactions: sorted.join(', ') }
    })
  }
  return listed
}
