// From a seed, a scenario: everything is drawn from the seed alone.
import { SeededRandom } from '../sim/random.ts'
import { plots } from './plots.ts'
import { BEGIN_MS, type Cast, RUN_MS, type Scenario, type Step } from './scenario.ts'

/** A second disk is not lost before the first one's home had time to read back what was on it. */
const BETWEEN_LOSSES_MS = 7_000

const idOf = (n: number, random: SeededRandom): string => {
  const tail = Buffer.from(random.bytes(10)).toString('hex')
  return `019b76da-a8${n.toString(16).padStart(2, '0')}-7${tail.slice(0, 3)}-8${tail.slice(3, 6)}-${tail.slice(6, 18)}`
}

export const makeScenario = (seed: number): Scenario => {
  const random = new SeededRandom(`register scenario ${seed}`)
  const count = random.pick([1, 2, 3, 3, 3, 3])
  const homes = Array.from({ length: count }, (_, i) => `h${i + 1}`)
  const spares = random.chance(0.5) ? [`h${count + 1}`, `h${count + 2}`] : []
  const coordinators = Array.from({ length: random.between(2, 3) }, (_, i) => `c${i + 1}`)
  const groups = Array.from({ length: random.between(1, 2) }, (_, i) => `#${idOf(i, random)}`)
  const names = ['#ops']
  const weather = {
    latencyMs: random.pick([0.5, 2, 20]),
    worstMs: random.pick([10, 200, 2_000]),
    loss: random.pick([0, 0, 0.02, 0.1]),
    doubled: random.pick([0, 0.05, 0.3]),
  }
  const base = { seed, homes, spares, coordinators, groups, names, weather, healAt: BEGIN_MS + RUN_MS }
  const plot = random.weighted({ none: 3, 'late-acceptance': 2, 'forgotten-version': 1, 'change-in-between': 1 })
  const steps = plot === 'none' ? [...work(base, random), ...faults(base, random)] : [...plots[plot](base, random)]
  return { ...base, steps: [...first(base, random), ...steps].sort((a, b) => a.at - b.at) }
}

const when = (random: SeededRandom): number => BEGIN_MS + random.float() * RUN_MS

/** Every group and every name is there before anything else happens. */
const first = ({ coordinators, groups, names }: Cast, random: SeededRandom): Step[] =>
  groups.flatMap((group, i) => {
    const by = random.pick(coordinators)
    const at = BEGIN_MS - 500 + i
    const claims = names.map((name): Step => ({ at, by, do: 'claim', name, group }))
    return [{ at, by, do: 'change', group, value: `first of ${group}` }, ...claims]
  })

const work = ({ coordinators, groups, names }: Cast, random: SeededRandom): Step[] => {
  const steps: Step[] = []
  const add = (step: Step): void => void steps.push(step)
  const by = (): string => random.pick(coordinators)
  // Changes come in pairs: proposers that meet.
  for (let i = 0; i < random.between(3, 8); i++) {
    const group = random.pick(groups)
    const at = when(random)
    for (let n = 0; n < random.pick([1, 2, 2, 3]); n++) {
      add({ at: at + random.float() * 20, by: by(), do: 'change', group, value: `change ${i}.${n}` })
    }
    for (let n = 0; n < random.between(0, 3); n++) {
      add({ at: at + random.float() * 60 - 20, by: by(), do: 'send', group, message: idOf(100 + steps.length, random) })
    }
  }
  for (let i = 0; i < random.between(2, 8); i++) {
    add({
      at: when(random),
      by: by(),
      do: 'send',
      group: random.pick(groups),
      message: idOf(100 + steps.length, random),
    })
  }
  for (let i = 0; i < random.between(1, 5); i++)
    add({ at: when(random), by: by(), do: 'look-up', name: random.pick(names) })
  for (let i = 0; i < random.between(1, 5); i++) {
    add({ at: when(random), by: by(), do: 'read-at', group: random.pick(groups), version: random.between(1, 6) })
  }
  return steps
}

const faults = ({ homes, spares, coordinators }: Cast, random: SeededRandom): Step[] => {
  const steps: Step[] = []
  const everybody = [...homes, ...spares, ...coordinators]
  for (let i = 0; i < random.between(0, 6); i++) {
    const by = random.pick(everybody)
    const at = when(random)
    steps.push({ at, by, do: 'kill' }, { at: at + random.float() * 2_000, by, do: 'start' })
  }
  for (let i = 0; i < random.between(0, 3); i++) {
    steps.push({ at: when(random), by: random.pick(everybody), do: 'pause', ms: random.float() * 3_000 })
  }
  for (let i = 0; i < random.between(0, 3); i++) {
    const at = when(random)
    const [from = '', to = ''] = random.shuffle(everybody)
    steps.push({ at, by: 'world', do: 'cut', from, to, isBothWays: random.chance(0.7) })
    steps.push({ at: at + random.float() * 3_000, by: 'world', do: 'mend' })
  }
  if (spares.length > 0) {
    const next = random
      .shuffle([...homes, ...spares])
      .slice(0, Math.min(3, random.between(homes.length, homes.length + 1)))
    steps.push({ at: when(random) - RUN_MS / 4, by: 'world', do: 'replace', homes: next })
    if (random.chance(0.3)) steps.push({ at: when(random), by: 'world', do: 'replace', homes })
  }
  if (homes.length > 1 && random.chance(0.6)) {
    for (let at = when(random); at < BEGIN_MS + RUN_MS; at += BETWEEN_LOSSES_MS) {
      steps.push({ at, by: random.pick(homes), do: 'wipe' })
    }
  }
  return steps
}
