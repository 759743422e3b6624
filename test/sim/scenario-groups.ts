// Groups in a part of the runs: who makes them, who changes them, often several at once, and what is said in them meanwhile.
import type { GroupRole } from '../../src/protocol/group.ts'
import type { SeededRandom } from './random.ts'
import type { Chances } from './scenario-faults.ts'
import { type Scenario, type ScenarioNames, userOf } from './scenario.ts'

/** Names are changed apart: addRenames. */
const CHANGES = { add: 6, remove: 6, leave: 1, role: 3 } as const

const ROLES: readonly GroupRole[] = ['owner', 'admin', 'admin', 'member', 'member']

/** Nodes and names; drawn apart, so that the runs without groups are what they would be anyway. */
export const groupsOf = (random: SeededRandom): Pick<Scenario, 'groupNodes' | 'groups'> => {
  if (!random.chance(0.33)) return { groupNodes: 0, groups: [] }
  return { groupNodes: random.between(1, 2), groups: random.chance(0.3) ? ['#g0', '#g1'] : ['#g0'] }
}

export const addGroups = (scenario: Scenario, names: ScenarioNames, { random, moments }: Chances): void => {
  const { steps, groups, healAt, seed } = scenario
  const isOne = (p: number): boolean => random.chance(p)
  for (const group of groups) {
    const made = random.float() * 3_000
    const time = (): number => made + random.float() * (healAt - made)
    // Now and then two want the same name at once.
    for (const device of random.shuffle(names.devices).slice(0, isOne(0.2) ? 2 : 1)) {
      const users = names.users.filter((user) => user !== userOf(device) && isOne(0.7))
      steps.push({ at: made, do: 'change-group', device, group, change: 'create', users })
    }
    const busy = [...moments, time(), time()]
    for (let i = random.between(2, 9); i > 0; i--) {
      const at = isOne(0.7) ? random.pick(busy) + random.float() * 300 : time()
      const change = random.weighted(CHANGES)
      steps.push({
        at,
        do: 'change-group',
        device: random.pick(names.devices),
        isByRight: isOne(0.8),
        group,
        change,
        users: [random.pick(names.users)],
        ...(change === 'role' ? { role: random.pick(ROLES) } : {}),
      })
    }
    for (let i = random.between(8, 20); i > 0; i--) {
      const at = isOne(0.7) ? random.pick(busy) + random.float() * 600 : time()
      steps.push({ at, do: 'send', device: random.pick(names.devices), to: group, text: `text ${seed}.${group}.${i}` })
    }
    for (let i = random.between(0, 3); i > 0; i--) {
      steps.push({ at: time(), do: 'read', device: random.pick(names.devices), conversation: group })
    }
    addDyingNodes(scenario, names, { group, random: random.fork(`dying ${group}`), time })
    addReferences(scenario, names, { group, random: random.fork(`references ${group}`), time })
    addRenames(scenario, names, { group, random: random.fork(`renames ${group}`), time })
    if (isOne(0.5)) addRemoval(scenario, names, { group, random: random.fork(`removal ${group}`), from: made + 1_000 })
    for (let i = scenario.hasLiar ? random.between(1, 4) : 0; i > 0; i--) {
      steps.push({
        at: time(),
        do: 'intrude',
        device: random.pick(names.devices),
        group,
        with: random.pick(['message', 'version', 'invitation']),
      })
    }
  }
}

/** Group nodes die while what was just sent is on its way to the members. */
const addDyingNodes = (
  { steps, seed, groupNodes, network }: Scenario,
  names: ScenarioNames,
  { group, random, time }: { group: string; random: SeededRandom; time: () => number },
): void => {
  for (let i = random.between(0, 3); i > 0; i--) {
    const at = time()
    for (let n = 0; n < 3; n++) {
      const text = `text ${seed}.${group}.dying.${i}.${n}`
      steps.push({ at: at + random.float() * 100, do: 'send', device: random.pick(names.devices), to: group, text })
    }
    const died = at + network.delayMs * 2 + random.float() * 150
    for (let n = 1; n <= groupNodes; n++) {
      steps.push({ at: died, do: 'crash-node', node: `group-${n}`, how: 'process', forMs: random.between(500, 3_000) })
    }
  }
}

/** Often two at once, to the same name or another, or back to one that it had. */
const addRenames = (
  { steps }: Scenario,
  names: ScenarioNames,
  { group, random, time }: { group: string; random: SeededRandom; time: () => number },
): void => {
  const name = (): string => (random.chance(0.2) ? group : `${group}.${random.between(1, 3)}`)
  for (let i = random.between(0, 2); i > 0; i--) {
    const at = time()
    for (const device of random.shuffle(names.devices).slice(0, random.between(1, 2))) {
      const by = { do: 'change-group', device, isByRight: random.chance(0.8) } as const
      const change = random.chance(0.7)
        ? ({ change: 'rename', name: name() } as const)
        : ({ change: 'topic', topic: `topic ${i}` } as const)
      steps.push({ at: at + random.float() * 50, ...by, group, users: [], ...change })
    }
  }
}

const addReferences = (
  { steps, seed }: Scenario,
  names: ScenarioNames,
  { group, random, time }: { group: string; random: SeededRandom; time: () => number },
): void => {
  const about = () => ({
    at: time(),
    device: random.pick(names.devices),
    conversation: group,
    which: random.float(),
  })
  for (let i = random.between(0, 4); i > 0; i--) {
    steps.push({ ...about(), do: 'edit', text: `edit ${seed}.${group}.${i}` })
  }
  for (let i = random.between(0, 2); i > 0; i--) steps.push({ ...about(), do: 'delete' })
  for (let i = random.between(0, 4); i > 0; i--) {
    steps.push({ ...about(), do: 'react', emoji: random.pick(['👍', '🎉']) })
  }
}

/**
 * Somebody is removed, or is an admin no more, while his device hears nothing; it goes on as if nothing had happened, also after it is
 * back. Others write meanwhile, and perhaps he is let in again.
 */
const addRemoval = (
  { steps, healAt, seed }: Scenario,
  names: ScenarioNames,
  { group, random, from }: { group: string; random: SeededRandom; from: number },
): void => {
  const at = from + random.float() * Math.max(0, healAt - from - 12_000)
  const device = random.pick(names.devices)
  const users = [userOf(device)]
  const isDemoted = random.chance(0.3)
  const by = { do: 'change-group', device: random.pick(names.devices), isByRight: true, group } as const
  steps.push({ at, ...by, change: 'add', users })
  if (isDemoted) steps.push({ at: at + 500, ...by, change: 'role', role: 'admin', users })
  const how = random.pick(['cut', 'crash', 'none'] as const)
  const forMs = random.between(2_000, 5_000)
  const away = at + 1_200
  if (how === 'crash') steps.push({ at: away, do: 'crash-device', device, how: 'process', forMs })
  for (const gateway of how === 'cut' ? names.gateways : []) {
    steps.push({ at: away, do: 'cut-device', device, gateway, forMs })
  }
  const gone = away + 100 + random.float() * 1_000
  steps.push({
    at: gone,
    ...by,
    ...(isDemoted ? { change: 'role', role: 'member', users } : { change: 'remove', users }),
  })
  const say = (who: string, after: number, i: number): void => {
    steps.push({ at: gone + after, do: 'send', device: who, to: group, text: `text ${seed}.${group}.removal.${i}` })
  }
  for (let i = 0; i < 5; i++) say(device, random.float() * (i < 3 ? 800 : forMs), i)
  for (let i = 5; i < 9; i++) say(random.pick(names.devices), random.float() * 3_000, i)
  // On its return, before it may have heard.
  const back = away + forMs + random.float() * 30
  steps.push({ at: back, do: 'change-group', device, group, change: 'add', users: [random.pick(names.users)] })
  steps.push({ at: back, do: 'send', device, to: group, text: `text ${seed}.${group}.removal.back` })
  if (random.chance(0.5)) steps.push({ at: away + 7_000, ...by, change: 'add', users })
  for (let i = 9; i < 12; i++) say(device, 7_000 + random.float() * 2_000, i)
}
