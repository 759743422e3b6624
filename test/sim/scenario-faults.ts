// The faults that come by chance: how often each, and what it may choose from.
import type { SeededRandom } from './random.ts'
import type { Scenario, ScenarioNames, Step, StepKind } from './scenario.ts'

/** Kinds that do not come by chance among the faults. */
const UNDRAWN = [
  ...([
    'send',
    'resend',
    'read',
    'edit',
    'delete',
    'react',
    'settle',
    'send-file',
    'forward',
    'litter',
    'delete-file',
    'forge-deletion',
    'status',
    'change-group',
  ] as const),
  ...(['isolate', 'link-device', 'add-store', 'remove-store', 'lose-after-growth', 'damage-disk', 'intrude'] as const),
] as const

export interface Chances {
  random: SeededRandom
  /** When much happens at once: messages, and the faults that hit them. */
  moments: number[]
}

/** The other kinds are drawn by themselves. */
type FaultKind = Exclude<StepKind, (typeof UNDRAWN)[number]>
/** How often each is drawn; `make` gets what it may choose from. */
const FAULTS: Record<FaultKind, { weight: number; make: (r: SeededRandom, w: ScenarioNames, at: number) => Step }> = {
  'crash-node': {
    weight: 6,
    make: (r, w, at) => ({
      at,
      do: 'crash-node',
      node: r.pick(w.nodes),
      how: r.pick(['process', 'power']),
      forMs: r.between(50, 12_000),
    }),
  },
  'restart-node': {
    weight: 2,
    make: (r, w, at) => ({ at, do: 'restart-node', node: r.pick(w.nodes), forMs: r.between(50, 3_000) }),
  },
  'pause-node': {
    weight: 4,
    make: (r, w, at) => ({ at, do: 'pause-node', node: r.pick(w.nodes), forMs: r.between(20, 12_000) }),
  },
  'power-cut': { weight: 2, make: (r, _, at) => ({ at, do: 'power-cut', forMs: r.between(10, 4_000) }) },
  'crash-device': {
    weight: 4,
    make: (r, w, at) => ({
      at,
      do: 'crash-device',
      device: r.pick(w.devices),
      how: r.pick(['process', 'power']),
      forMs: r.between(10, 8_000),
    }),
  },
  partition: {
    weight: 4,
    make: (r, w, at) => ({
      at,
      do: 'partition',
      left: r.shuffle(w.nodes).slice(0, r.between(1, Math.max(1, w.nodes.length - 1))),
      forMs: r.between(100, 15_000),
    }),
  },
  cut: {
    weight: 3,
    make: (r, w, at) => {
      const [from = '', to = ''] = r.shuffle(w.nodes)
      return { at, do: 'cut', from, to, forMs: r.between(100, 10_000) }
    },
  },
  reset: {
    weight: 4,
    make: (r, w, at) => {
      const [a = '', b = ''] = r.shuffle(w.nodes)
      return { at, do: 'reset', a, b }
    },
  },
  'break-socket': { weight: 6, make: (r, w, at) => ({ at, do: 'break-socket', device: r.pick(w.devices) }) },
  'cut-device': {
    weight: 3,
    make: (r, w, at) => ({
      at,
      do: 'cut-device',
      device: r.pick(w.devices),
      gateway: r.pick(w.gateways),
      forMs: r.between(100, 15_000),
    }),
  },
  'jump-clock': {
    weight: 1,
    make: (r, w, at) => ({
      at,
      do: 'jump-clock',
      machine: r.pick([...w.nodes, ...w.devices]),
      byMs: r.between(-120_000, 120_000),
    }),
  },
  'slow-disk': {
    weight: 2,
    make: (r, w, at) => ({
      at,
      do: 'slow-disk',
      node: r.pick(w.stores),
      times: r.pick([10, 100]),
      forMs: r.between(500, 8_000),
    }),
  },
  'full-disk': {
    weight: 2,
    make: (r, w, at) => ({ at, do: 'full-disk', node: r.pick(w.stores), forMs: r.between(500, 8_000) }),
  },
  forge: {
    weight: 0,
    make: (r, w, at) => ({ at, do: 'forge', from: r.pick(w.users), to: r.pick(w.users) }),
  },
}
const weights = Object.fromEntries(Object.entries(FAULTS).map(([kind, { weight }]) => [kind, weight])) as Record<
  FaultKind,
  number
> // same keys

export const addFaults = (scenario: Scenario, names: ScenarioNames, { random, moments }: Chances): void => {
  const { steps, healAt, hasLiar, stores } = scenario
  const time = (): number =>
    random.chance(0.5) ? random.pick(moments) + random.float() * 400 - 50 : random.float() * healAt
  for (let i = random.pick([0, 2, 4, 8, 14]); i > 0; i--) {
    steps.push(FAULTS[random.weighted(weights)].make(random, names, Math.max(0, time())))
  }
  if (hasLiar) for (let i = random.between(1, 4); i > 0; i--) steps.push(FAULTS.forge.make(random, names, time()))
  // One home's disk at a time, and only where others can give back what it held.
  if (stores >= 2 && random.chance(0.3)) {
    const how = random.pick(['bit', 'log', 'all'] as const)
    steps.push({ at: time(), do: 'damage-disk', node: random.pick(names.stores), how })
  }
}
