// Plots: steps that belong together, aimed at what chance alone would hardly ever hit.
import { homesOf } from '../../src/node/replication/placement.ts'
import { userMailbox } from '../../src/protocol/names.ts'
import { firstMap } from './first-map.ts'
import type { SeededRandom } from './random.ts'
import { deviceName, type Scenario, type ScenarioNames, userOf } from './scenario.ts'

/**
 * One home misses a while of which a device knows nothing either; then another loses its disk and the third goes away:
 * who counts the empty one tells the device that it has everything.
 */
export const addLonelyHome = ({ steps, healAt, seed }: Scenario, names: ScenarioNames, random: SeededRandom): void => {
  const [late = '', empty = '', away = ''] = random.shuffle(names.stores)
  const [asleep = '', ...others] = random.shuffle(names.devices)
  const at = random.float() * healAt * 0.4
  steps.push({ at, do: 'crash-node', node: late, how: 'process', forMs: 6_000 })
  steps.push({ at, do: 'crash-device', device: asleep, how: 'process', forMs: 6_500 })
  for (let i = 0; i < 5; i++) {
    const sent = at + 500 + random.float() * 3_000
    const device = random.pick(others)
    steps.push({ at: sent, do: 'send', device, to: userOf(asleep), text: `text ${seed}.lonely.${i}` })
  }
  const lost = at + 4_500 + random.float() * 1_500
  steps.push({ at: lost, do: 'damage-disk', node: empty, how: 'all' })
  steps.push({ at: lost + random.float() * 450, do: 'crash-node', node: away, how: 'process', forMs: 6_000 })
  for (let i = 0; i < 4; i++) steps.push({ at: at + 7_000 + i * 500, do: 'settle', device: asleep })
}

/** A device comes back to a backlog while more arrives, and loses its connection again before it has read it. */
export const addInterruption = (
  { steps, healAt, seed }: Scenario,
  names: ScenarioNames,
  random: SeededRandom,
): void => {
  const [device = '', ...others] = random.shuffle(names.devices)
  const at = random.float() * healAt * 0.6
  const back = at + 2_000
  steps.push({ at, do: 'crash-device', device, how: 'process', forMs: 2_000 })
  for (let i = 0; i < 16; i++) {
    const sent = i < 6 ? at + random.float() * 2_000 : back + random.float() * 400
    const text = `text ${seed}.interrupted.${i}`
    steps.push({ at: sent, do: 'send', device: random.pick(others), to: userOf(device), text })
  }
  for (let i = 0; i < 3; i++) steps.push({ at: back + random.float() * 500, do: 'break-socket', device })
}

/** A new store comes and an old one goes, under load. */
export const addReplacement = ({ steps, healAt, seed }: Scenario, names: ScenarioNames, random: SeededRandom): void => {
  const at = random.float() * healAt * 0.5
  for (const node of names.newStores) steps.push({ at, do: 'add-store', node })
  steps.push({ at: at + random.float() * 4_000, do: 'remove-store', node: random.pick(names.stores) })
  for (let i = 0; i < 15; i++) {
    const [device, to] = [random.pick(names.devices), random.pick(names.users)]
    steps.push({ at: at + random.float() * 6_000, do: 'send', device, to, text: `text ${seed}.replace.${i}` })
  }
}

/** A new device of somebody, in the middle of everything: it has to get all there ever was. */
export const addLateDevice = ({ steps, healAt, users }: Scenario, names: ScenarioNames, random: SeededRandom): void => {
  const approver = random.pick(names.devices)
  const user = Number(userOf(approver).slice(1))
  const device = deviceName(user, users[user] ?? 0)
  steps.push({ at: random.float() * healAt, do: 'link-device', device, approver })
}

/** One store becomes three, under load; and then the first may lose everything. */
export const addGrowth = (scenario: Scenario, names: ScenarioNames, random: SeededRandom): void => {
  const { steps, seed, network } = scenario
  // Long enough, now and then, for a change that does not get there to be cancelled.
  const isSlow = random.chance(0.15)
  if (isSlow) scenario.healAt = 90_000
  const { healAt } = scenario
  const at = 1 + random.float() * Math.min(20_000, healAt * 0.5)
  if (random.chance(0.5)) {
    // A gateway that does not hear of the new map for a while goes on by the old one.
    network.notifyLoss = 0.4
    const from = names.nodes.filter((name) => name !== 'gateway-1' && name !== 'store-1')
    steps.push({ at: at - 0.5, do: 'isolate', node: 'gateway-1', from, forMs: 4_000 })
  }
  for (const node of names.newStores) steps.push({ at: at + random.float() * 500, do: 'add-store', node })
  for (let i = 0; i < 25; i++) {
    const device = random.pick(names.devices)
    const sent = at + random.float() * 3_000
    steps.push({ at: sent, do: 'send', device, to: random.pick(names.users), text: `text ${seed}.grow.${i}` })
  }
  if (random.chance(0.5)) return
  // The old home cannot tell the new ones what it has for a while; once they are said to have it, it may go.
  const forMs = isSlow ? 75_000 : random.between(2_000, 8_000)
  steps.push({ at: at - 1, do: 'isolate', node: 'store-1', from: names.newStores, forMs })
  steps.push({ at, do: 'lose-after-growth', node: 'store-1', afterMs: random.float() * 300 })
}

/**
 * Group nodes do not reach the homes of one member, and die before they do: what they have taken and told its author is stored is on
 * its way to him all the same, and another one has to bring it.
 */
export const addFarMember = (scenario: Scenario, names: ScenarioNames, random: SeededRandom): void => {
  const { steps, seed, groups, groupNodes, healAt } = scenario
  const stores = names.stores.map((name): [string, ['store']] => [name, ['store']])
  const { map } = firstMap(stores, stores.length)
  const homes = (user: string): readonly string[] => homesOf(map, userMailbox(user)).current.peers
  for (const group of groups) {
    for (let i = 0; i < 3; i++) {
      const far = random.pick(names.users)
      const from = [...homes(far)]
      const isNear = (user: string): boolean => homes(user).filter((home) => !from.includes(home)).length >= 2
      const near = names.devices.filter((device) => isNear(userOf(device)))
      if (near.length === 0) continue
      const at = 4_000 + random.float() * (healAt - 8_000)
      for (let n = 1; n <= groupNodes; n++) {
        const node = `group-${n}`
        steps.push({ at, do: 'isolate', node, from, forMs: 3_000 })
        steps.push({ at: at + 2_000, do: 'crash-node', node, how: 'process', forMs: 500 + random.float() * 1_000 })
      }
      for (let n = 0; n < 4; n++) {
        const text = `text ${seed}.${group}.far.${i}.${n}`
        steps.push({ at: at + 50 + random.float() * 1_000, do: 'send', device: random.pick(near), to: group, text })
      }
    }
  }
}
