// The scenarios of runs in which a home lies about groups: those with groups, on homes that each have all of them, and more of what a lie
// needs to do harm: several who may change a group and do so at once, and everybody talking right after.
import { LARGEST_NARROW, makeScenario } from './make-scenario.ts'
import { SeededRandom } from './random.ts'
import { type Scenario, ScenarioNames, type Step } from './scenario.ts'

const ROUNDS = 5

/** undefined for seeds without such groups. */
export const makeLyingScenario = (seed: number): Scenario | undefined => {
  const scenario = makeScenario(seed)
  const { groupNodes, stores, groups, steps } = scenario
  if (groupNodes === 0 || stores < 3 || stores > LARGEST_NARROW) return undefined
  const random = new SeededRandom(`lying ${seed}`)
  const added = groups.flatMap((group) => quarrels(scenario, group, random))
  const all = [...steps, ...added].filter(({ at }) => at < scenario.healAt).sort((a, b) => a.at - b.at)
  return { ...scenario, lyingHome: random.pick(new ScenarioNames(scenario, []).stores), steps: all }
}

/** Everybody is made an admin, and changes the group at the same time as another; then all write. */
const quarrels = (scenario: Scenario, group: string, random: SeededRandom): Step[] => {
  const { seed, healAt } = scenario
  const { devices, users } = new ScenarioNames(scenario, [])
  const by = { do: 'change-group', isByRight: true, group } as const
  const steps: Step[] = []
  for (const [i, user] of users.entries()) {
    const at = 4_000 + i * 300
    const device = random.pick(devices)
    steps.push({ at, ...by, device, change: 'add', users: [user] })
    steps.push({ at: at + 150, ...by, device, change: 'role', role: 'owner', users: [user] })
  }
  for (let round = 0; round < ROUNDS; round++) {
    const at = 6_000 + random.float() * Math.max(0, healAt - 10_000)
    for (const device of random.shuffle(devices).slice(0, 2)) {
      const topic = `topic ${round} of ${device}`
      steps.push({ at: at + random.float() * 10, ...by, device, change: 'topic', topic, users: [] })
    }
    for (const [i, device] of devices.entries()) {
      const text = `text ${seed}.${group}.argument.${round}.${i}`
      steps.push({ at: at + 500 + random.float() * 2_500, do: 'send', device, to: group, text })
    }
  }
  return steps
}
