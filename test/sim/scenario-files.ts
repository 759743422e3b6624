// Attachments in a part of the runs: files sent and forwarded, and uploads that come to nothing, so that homes have something to throw away.
import type { Chances } from './scenario-faults.ts'
import type { Scenario, ScenarioNames } from './scenario.ts'

export const addFiles = (
  { steps, groups, healAt, seed }: Scenario,
  names: ScenarioNames,
  { random, moments }: Chances,
): void => {
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
  // Old enough, some of them, when homes change.
  const changes = steps.flatMap(({ at, do: what }) => (what === 'add-store' || what === 'remove-store' ? [at] : []))
  for (let i = random.between(1, 4); i > 0; i--) {
    const at = changes.length > 0 ? random.pick(changes) - 6_000 + random.float() * 4_000 : time()
    steps.push({ at: Math.max(0, at), do: 'litter', device: random.pick(names.devices), text: `litter ${seed}.${i}` })
  }
}
