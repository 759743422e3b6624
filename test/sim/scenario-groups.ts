// Groups in a part of the runs: who makes them, who changes them, often several at once, and what is said in them meanwhile.
import type { SeededRandom } from './random.ts'
import type { Chances } from './scenario-faults.ts'
import { type GroupChange, type Scenario, type ScenarioNames, userOf } from './scenario.ts'

const CHANGES: Record<Exclude<GroupChange, 'create'>, number> = { add: 6, remove: 6, leave: 1, role: 3 }

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
        group,
        change,
        users: [random.pick(names.users)],
      })
    }
    for (let i = random.between(8, 20); i > 0; i--) {
      const at = isOne(0.7) ? random.pick(busy) + random.float() * 600 : time()
      steps.push({ at, do: 'send', device: random.pick(names.devices), to: group, text: `text ${seed}.${group}.${i}` })
    }
    for (let i = random.between(0, 3); i > 0; i--) {
      steps.push({ at: time(), do: 'read', device: random.pick(names.devices), conversation: group })
    }
  }
}
