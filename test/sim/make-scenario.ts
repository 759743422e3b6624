// Draws a scenario from a seed and from nothing else: the topology, the world, the work of the people, then faults and plots.
import { SeededRandom } from './random.ts'
import { addFaults, type Chances } from './scenario-faults.ts'
import { addFiles } from './scenario-files.ts'
import { addGroups, groupsOf } from './scenario-groups.ts'
import {
  addFarMember,
  addGrowth,
  addInterruption,
  addLateDevice,
  addLonelyHome,
  addReplacement,
} from './scenario-plots.ts'
import { NOBODY, type Scenario, ScenarioNames, type Step, userOf } from './scenario.ts'

const MAX_SKEW_MS = 10 * 60_000
/** So many that all homes of one member may be away while those of a group and of others are not. */
const WIDE_STORES = 6
/** With no more each home has everything. */
export const LARGEST_NARROW = 3

export const makeScenario = (seed: number): Scenario => {
  const random = new SeededRandom(`scenario ${seed}`)
  const inGroups = groupsOf(random.fork('groups'))
  const isWide = inGroups.groupNodes > 0 && random.fork('wide').chance(0.25)
  const few = random.pick([1, 1, 2, 3, 3, 3, 4])
  const stores = isWide ? WIDE_STORES : few
  const grows = stores === 1 && random.chance(0.6)
  const isReplaced = stores >= 3 && !isWide && random.chance(0.25)
  const scenario: Scenario = {
    seed,
    gateways: random.between(1, 2),
    routers: random.between(1, 3),
    ...inGroups,
    stores,
    users: Array.from({ length: random.between(2, 4) }, () => random.between(1, 2)),
    skewMs: {},
    network: {
      delayMs: random.pick([0.3, 2, 10, 40]),
      worstMs: random.pick([5, 50, 500]),
      keepaliveMs: 3_000,
      notifyLoss: random.pick([0, 0, 0.02, 0.2]),
      duplicates: random.pick([0, 0, 0.02, 0.1]),
    },
    disk: { readMs: 0.1, writeMs: 0.1, syncMs: random.pick([0.5, 5, 20]), worstMs: random.pick([10, 300]) },
    hasLiar: random.chance(0.3),
    // Files are at stake above all where homes change.
    hasFiles: random.fork('files').chance(grows || isReplaced ? 0.35 : 0.12),
    eager: [],
    steps: [],
    healAt: random.between(20, 50) * 1000,
  }
  const names = new ScenarioNames(scenario, grows ? ['store-2', 'store-3'] : isReplaced ? [`store-${stores + 1}`] : [])
  for (const name of [...names.nodes, ...names.devices]) {
    scenario.skewMs[name] = random.chance(0.5) ? 0 : random.between(-MAX_SKEW_MS, MAX_SKEW_MS)
  }
  scenario.eager = names.devices.filter(() => random.chance(0.25))
  const moments = Array.from({ length: random.between(2, 6) }, () => random.float() * scenario.healAt)
  addWork(scenario, names, { random: random.fork('work'), moments })
  addFaults(scenario, names, { random: random.fork('faults'), moments })
  if (stores === 3 && random.chance(0.2)) addLonelyHome(scenario, names, random.fork('lonely'))
  if (random.chance(0.2)) addLateDevice(scenario, names, random.fork('late'))
  if (random.chance(0.2)) addInterruption(scenario, names, random.fork('interruption'))
  if (isReplaced) addReplacement(scenario, names, random.fork('replacement'))
  if (scenario.groupNodes > 0) addGroups(scenario, names, { random: random.fork('group work'), moments })
  if (isWide) addFarMember(scenario, names, random.fork('far member'))
  if (grows) addGrowth(scenario, names, random.fork('growth'))
  if (scenario.hasFiles) addFiles(scenario, names, { random: random.fork('file work'), moments })
  // What begins after the heal would never end.
  scenario.steps = scenario.steps.filter(({ at }) => at < scenario.healAt).sort((a, b) => a.at - b.at)
  return scenario
}

const addWork = (scenario: Scenario, names: ScenarioNames, { random, moments }: Chances): void => {
  const { steps, healAt, seed } = scenario
  const time = (): number => random.float() * healAt
  const count = random.between(15, 45)
  for (let i = 0; i < count; i++) {
    const device = random.pick(names.devices)
    const to = random.chance(0.03) ? userOf(device) : random.chance(0.03) ? NOBODY : random.pick(names.users)
    const at = random.chance(0.5) ? random.pick(moments) + random.float() * 200 : time()
    steps.push({ at, do: 'send', device, to, text: `text ${seed}.${i}` })
  }
  const some = (most: number, make: (device: string) => Step): void => {
    for (let i = random.between(0, most); i > 0; i--) steps.push(make(random.pick(names.devices)))
  }
  some(5, (device) => ({ at: time(), do: 'resend', device }))
  some(12, (device) => ({ at: time(), do: 'read', device, conversation: random.pick(names.users) }))
  some(8, (device) => ({ at: time(), do: 'settle', device }))
  some(10, (device) => ({ at: time(), do: 'status', device }))
  const about = (device: string) => ({
    at: time(),
    device,
    conversation: random.pick(names.users),
    which: random.float(),
  })
  some(5, (device) => ({ ...about(device), do: 'edit', text: `edit ${seed}.${random.between(0, 1_000_000)}` }))
  some(4, (device) => ({ ...about(device), do: 'delete' }))
  some(5, (device) => ({ ...about(device), do: 'react', emoji: random.pick(['👍', '🎉']) }))
}
