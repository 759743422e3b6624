// Attachments in a part of the runs: files sent, forwarded and deleted, and uploads that come to nothing, so that homes have something to
// throw away.
import type { Chances } from './scenario-faults.ts'
import type { SeededRandom } from './random.ts'
import type { Scenario, ScenarioNames } from './scenario.ts'

export const addFiles = (scenario: Scenario, names: ScenarioNames, { random, moments }: Chances): void => {
  const { steps, groups, healAt, seed } = scenario
  const time = (): number =>
    random.chance(0.5) ? random.pick(moments) + random.float() * 400 : random.float() * healAt * 0.9
  const whom = (): string => random.pick([...names.users, ...groups])
  for (let i = random.between(2, 5); i > 0; i--) {
    steps.push({
      at: time(),
      do: 'send-file',
      device: random.pick(names.devices),
      to: whom(),
      text: `/file ${seed}.${i}`,
    })
  }
  for (let i = random.between(0, 2); i > 0; i--) {
    steps.push({ at: time(), do: 'forward', device: random.pick(names.devices), to: whom(), which: random.float() })
  }
  for (let i = random.between(1, 4); i > 0; i--) {
    steps.push({ at: time(), do: 'litter', device: random.pick(names.devices), text: `litter ${seed}.${i}` })
  }
  addDeletions(scenario, names, random.fork('deletions'))
  addLitterOfAge({ steps, seed }, names, random.fork('of age'))
  if (names.stores.length >= 2) addLaggards({ steps, healAt, seed }, names, random.fork('laggards'))
}

/** By their authors, most of them while a home is away that will not have heard of it; and in the name of others. */
const addDeletions = ({ steps, healAt, hasLiar }: Scenario, names: ScenarioNames, random: SeededRandom): void => {
  const add = (at: number): void => {
    steps.push({ at, do: 'delete-file', device: random.pick(names.devices), which: random.float() })
  }
  const time = (): number => (0.2 + 0.7 * random.float()) * healAt
  for (let i = random.between(0, 3); i > 0; i--) add(time())
  if (names.stores.length >= 2) {
    const at = time()
    steps.push({ at, do: 'crash-node', node: random.pick(names.stores), how: 'process', forMs: 3_000 })
    for (let i = 0; i < 3; i++) add(at + 100 + random.float() * 2_500)
  }
  for (let i = hasLiar ? random.between(2, 5) : 0; i > 0; i--) steps.push({ at: time(), do: 'forge-deletion' })
}

/** What nobody refers to becomes old enough to be thrown away one after the other while homes change. */
const addLitterOfAge = (
  { steps, seed }: Pick<Scenario, 'steps' | 'seed'>,
  names: ScenarioNames,
  random: SeededRandom,
): void => {
  const changes = steps.flatMap(({ at, do: what }) => (what === 'add-store' || what === 'remove-store' ? [at] : []))
  for (const [c, change] of changes.entries()) {
    for (let i = 0; i < 4; i++) {
      const at = Math.max(0, change - 5_500 + i * 700 + random.float() * 700)
      const text = `litter ${seed}.of-age.${c}.${i}`
      steps.push({ at, do: 'litter', device: random.pick(names.devices), text })
    }
  }
}

/** All homes but one are slow to sync an upload, or one is away while it is sent. */
const addLaggards = (
  { steps, healAt, seed }: Pick<Scenario, 'steps' | 'healAt' | 'seed'>,
  names: ScenarioNames,
  random: SeededRandom,
): void => {
  const sendAt = (at: number, text: string): void => {
    const [device, to] = [random.pick(names.devices), random.pick(names.users)]
    steps.push({ at, do: 'send-file', device, to, text: `/file ${seed}.${text}` })
  }
  const time = (): number => 1_000 + random.float() * (healAt - 6_000)
  const slowAt = time()
  for (const node of random.shuffle(names.stores).slice(1)) {
    steps.push({ at: slowAt, do: 'slow-disk', node, times: 50, forMs: 2_000 })
  }
  for (let i = 0; i < 2; i++) sendAt(slowAt + 50 + random.float() * 500, `slow.${i}`)
  const awayAt = time()
  steps.push({ at: awayAt, do: 'crash-node', node: random.pick(names.stores), how: 'process', forMs: 3_000 })
  for (let i = 0; i < 2; i++) sendAt(awayAt + 100 + random.float() * 1_500, `away.${i}`)
}
