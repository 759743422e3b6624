// What happens in one run, made from its seed and nothing else: who is there, how bad the world is, and a list of steps in time.
// Plain data, so that a failing run can be made smaller by leaving steps out.
import { SeededRandom } from './random.ts'

export type HowToDie = 'process' | 'power'
export type Step = { at: number } & (
  | { do: 'send'; device: string; to: string; text: string }
  | { do: 'resend'; device: string }
  | { do: 'read'; device: string; conversation: string }
  | { do: 'settle'; device: string }
  | { do: 'status'; device: string }
  | { do: 'crash-node'; node: string; how: HowToDie; forMs: number }
  | { do: 'restart-node'; node: string; forMs: number }
  | { do: 'pause-node'; node: string; forMs: number }
  | { do: 'power-cut'; forMs: number }
  | { do: 'crash-device'; device: string; how: HowToDie; forMs: number }
  | { do: 'partition'; left: string[]; forMs: number }
  | { do: 'link-device'; device: string; approver: string }
  | { do: 'isolate'; node: string; from: string[]; forMs: number }
  | { do: 'cut'; from: string; to: string; forMs: number }
  | { do: 'reset'; a: string; b: string }
  | { do: 'break-socket'; device: string }
  | { do: 'cut-device'; device: string; gateway: string; forMs: number }
  | { do: 'jump-clock'; machine: string; byMs: number }
  | { do: 'slow-disk'; node: string; times: number; forMs: number }
  | { do: 'full-disk'; node: string; forMs: number }
  | { do: 'damage-disk'; node: string; how: 'bit' | 'log' | 'all' }
  | { do: 'add-store'; node: string }
  /** So long after the homes of the beginning have become three, the first of them loses its disk. */
  | { do: 'lose-after-growth'; node: string; afterMs: number }
  | { do: 'forge'; from: string; to: string }
)
export type StepKind = Step['do']
/** Kinds that do not come by chance among the faults. */
const UNDRAWN = [
  ...(['send', 'resend', 'read', 'settle', 'status'] as const),
  ...(['isolate', 'link-device', 'add-store', 'lose-after-growth', 'damage-disk'] as const),
] as const

export interface Scenario {
  seed: number
  gateways: number
  routers: number
  /** At the beginning; `add-store` steps make it more. */
  stores: number
  /** Devices of each user. */
  users: number[]
  /** By name of node or device: how wrong its clock is. */
  skewMs: Record<string, number>
  network: { delayMs: number; worstMs: number; keepaliveMs: number; notifyLoss: number; duplicates: number }
  disk: { readMs: number; writeMs: number; syncMs: number; worstMs: number }
  /** A member of the map that lies: as router about leases, as gateway with forged records. */
  hasLiar: boolean
  /** Devices whose user reads everything at once. */
  eager: string[]
  steps: Step[]
  /** From then on everything works again. */
  healAt: number
}

export const LIAR = 'liar'
/** A name that nobody has: what is sent there is refused for good. */
export const NOBODY = 'nobody'
export const nodeNames = (role: 'gateway' | 'router' | 'store', count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${role}-${i + 1}`)
export const deviceName = (user: number, device: number): string => `u${user}/${device}`

const MAX_SKEW_MS = 10 * 60_000

export const makeScenario = (seed: number): Scenario => {
  const random = new SeededRandom(`scenario ${seed}`)
  const stores = random.pick([1, 3, 3, 3])
  const grows = stores === 1 && random.chance(0.6)
  const scenario: Scenario = {
    seed,
    gateways: random.between(1, 2),
    routers: random.between(1, 3),
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
    eager: [],
    steps: [],
    healAt: random.between(20, 50) * 1000,
  }
  const world = new World(scenario, grows)
  for (const name of [...world.nodes, ...world.devices]) {
    scenario.skewMs[name] = random.chance(0.5) ? 0 : random.between(-MAX_SKEW_MS, MAX_SKEW_MS)
  }
  scenario.eager = world.devices.filter(() => random.chance(0.25))
  const moments = Array.from({ length: random.between(2, 6) }, () => random.float() * scenario.healAt)
  addWork(scenario, world, { random: random.fork('work'), moments })
  addFaults(scenario, world, { random: random.fork('faults'), moments })
  if (stores === 3 && random.chance(0.2)) addLonelyHome(scenario, world, random.fork('lonely'))
  if (random.chance(0.2)) addLateDevice(scenario, world, random.fork('late'))
  if (grows) addGrowth(scenario, world, random.fork('growth'))
  // What begins after the heal would never end.
  scenario.steps = scenario.steps.filter(({ at }) => at < scenario.healAt).sort((a, b) => a.at - b.at)
  return scenario
}

/** The names that steps can be about. */
class World {
  readonly gateways: string[]
  readonly stores: string[]
  readonly newStores: string[]
  readonly nodes: string[]
  readonly devices: string[]
  readonly users: string[]

  constructor({ gateways, routers, stores, users }: Scenario, grows: boolean) {
    this.gateways = nodeNames('gateway', gateways)
    this.stores = nodeNames('store', stores)
    this.newStores = grows ? ['store-2', 'store-3'] : []
    this.nodes = [...this.gateways, ...nodeNames('router', routers), ...this.stores, ...this.newStores]
    this.users = users.map((_, i) => `u${i}`)
    this.devices = users.flatMap((count, user) => Array.from({ length: count }, (_, i) => deviceName(user, i)))
  }
}

const userOf = (device: string): string => device.split('/')[0] ?? device

interface Chances {
  random: SeededRandom
  /** When much happens at once: messages, and the faults that hit them. */
  moments: number[]
}

const addWork = (scenario: Scenario, world: World, { random, moments }: Chances): void => {
  const { steps, healAt, seed } = scenario
  const time = (): number => random.float() * healAt
  const count = random.between(15, 45)
  for (let i = 0; i < count; i++) {
    const device = random.pick(world.devices)
    const to = random.chance(0.03) ? userOf(device) : random.chance(0.03) ? NOBODY : random.pick(world.users)
    const at = random.chance(0.5) ? random.pick(moments) + random.float() * 200 : time()
    steps.push({ at, do: 'send', device, to, text: `text ${seed}.${i}` })
  }
  const some = (most: number, make: (device: string) => Step): void => {
    for (let i = random.between(0, most); i > 0; i--) steps.push(make(random.pick(world.devices)))
  }
  some(5, (device) => ({ at: time(), do: 'resend', device }))
  some(12, (device) => ({ at: time(), do: 'read', device, conversation: random.pick(world.users) }))
  some(8, (device) => ({ at: time(), do: 'settle', device }))
  some(10, (device) => ({ at: time(), do: 'status', device }))
}

/** The other kinds are drawn by themselves. */
type FaultKind = Exclude<StepKind, (typeof UNDRAWN)[number]>
/** How often each is drawn; `make` gets what it may choose from. */
const FAULTS: Record<FaultKind, { weight: number; make: (r: SeededRandom, w: World, at: number) => Step }> = {
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

const addFaults = (scenario: Scenario, world: World, { random, moments }: Chances): void => {
  const { steps, healAt, hasLiar, stores } = scenario
  const time = (): number =>
    random.chance(0.5) ? random.pick(moments) + random.float() * 400 - 50 : random.float() * healAt
  for (let i = random.pick([0, 2, 4, 8, 14]); i > 0; i--) {
    steps.push(FAULTS[random.weighted(weights)].make(random, world, Math.max(0, time())))
  }
  if (hasLiar) for (let i = random.between(1, 4); i > 0; i--) steps.push(FAULTS.forge.make(random, world, time()))
  // One home's disk at a time, and only where others can give back what it held.
  if (stores >= 3 && random.chance(0.3)) {
    const how = random.pick(['bit', 'log', 'all'] as const)
    steps.push({ at: time(), do: 'damage-disk', node: random.pick(world.stores), how })
  }
}

/**
 * One home misses a while of which a device knows nothing either; then another loses its disk and the third goes away:
 * who counts the empty one tells the device that it has everything.
 */
const addLonelyHome = ({ steps, healAt, seed }: Scenario, world: World, random: SeededRandom): void => {
  const [late = '', empty = '', away = ''] = random.shuffle(world.stores)
  const [asleep = '', ...others] = random.shuffle(world.devices)
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

/** A new device of somebody, in the middle of everything: it has to get all there ever was. */
const addLateDevice = ({ steps, healAt, users }: Scenario, world: World, random: SeededRandom): void => {
  const approver = random.pick(world.devices)
  const user = Number(userOf(approver).slice(1))
  const device = deviceName(user, users[user] ?? 0)
  steps.push({ at: random.float() * healAt, do: 'link-device', device, approver })
}

/** One store becomes three, under load; and then the first may lose everything. */
const addGrowth = (scenario: Scenario, world: World, random: SeededRandom): void => {
  const { steps, seed, network } = scenario
  // Long enough, now and then, for a change that does not get there to be cancelled.
  const isSlow = random.chance(0.15)
  if (isSlow) scenario.healAt = 90_000
  const { healAt } = scenario
  const at = 1 + random.float() * Math.min(20_000, healAt * 0.5)
  if (random.chance(0.5)) {
    // A gateway that does not hear of the new map for a while goes on by the old one.
    network.notifyLoss = 0.4
    const from = world.nodes.filter((name) => name !== 'gateway-1' && name !== 'store-1')
    steps.push({ at: at - 0.5, do: 'isolate', node: 'gateway-1', from, forMs: 4_000 })
  }
  for (const node of world.newStores) steps.push({ at: at + random.float() * 500, do: 'add-store', node })
  for (let i = 0; i < 25; i++) {
    const device = random.pick(world.devices)
    const sent = at + random.float() * 3_000
    steps.push({ at: sent, do: 'send', device, to: random.pick(world.users), text: `text ${seed}.grow.${i}` })
  }
  if (random.chance(0.5)) return
  // The old home cannot tell the new ones what it has for a while; once they are said to have it, it may go.
  const forMs = isSlow ? 75_000 : random.between(2_000, 8_000)
  steps.push({ at: at - 1, do: 'isolate', node: 'store-1', from: world.newStores, forMs })
  steps.push({ at, do: 'lose-after-growth', node: 'store-1', afterMs: random.float() * 300 })
}
