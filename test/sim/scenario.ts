// What happens in one run, as plain data: who is there, how bad the world is, and a list of steps in time.
// A failing run can be made smaller by leaving steps out.
import type { GroupRole } from '../../src/protocol/group.ts'
import type { GroupChangeName } from '../../src/protocol/records.ts'

export type HowToDie = 'process' | 'power'
export type Step = { at: number } & (
  | { do: 'send'; device: string; to: string; text: string }
  /** The text is the path. */
  | { do: 'send-file'; device: string; to: string; text: string }
  /** One of the newest messages with a file that it lists. */
  | { do: 'forward'; device: string; to: string; which: number }
  /** Uploaded, and never sent. */
  | { do: 'litter'; device: string; text: string }
  | { do: 'resend'; device: string }
  | { do: 'read'; device: string; conversation: string }
  /** `which`: a part of 1, chooses among the newest messages of the conversation. */
  | { do: 'edit'; device: string; conversation: string; which: number; text: string }
  | { do: 'delete'; device: string; conversation: string; which: number }
  /** One of its user's own messages with a file. */
  | { do: 'delete-file'; device: string; which: number }
  | { do: 'react'; device: string; conversation: string; which: number; emoji: string }
  | ({ do: 'change-group' } & GroupStep)
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
  /** The operator takes it out of the map for good, however long that takes. */
  | { do: 'remove-store'; node: string }
  /** So long after the homes of the beginning have become three, the first of them loses its disk. */
  | { do: 'lose-after-growth'; node: string; afterMs: number }
  | { do: 'forge-deletion' }
  | { do: 'forge'; from: string; to: string }
  /** The user of the device and the member that lies go together against a group: with a message, a version, or one that adds somebody. */
  | { do: 'intrude'; device: string; group: string; with: IntrusionKind }
)
export type IntrusionKind = 'message' | 'version' | 'invitation'
export type StepKind = Step['do']
export interface GroupStep {
  device: string
  /** Some device whose user may do that does it instead; `device` when there is none. */
  isByRight?: boolean
  group: string
  change: GroupChangeName
  /** Whom it concerns; `role` makes them admins if it does not say otherwise. */
  users: string[]
  role?: GroupRole
  /** What it is called from then on: its first name, a dot and a number, so that every name tells which group it is of. */
  name?: string
  topic?: string
}
export interface Scenario {
  seed: number
  gateways: number
  routers: number
  /** Nodes of that role; none: nobody has groups. */
  groupNodes: number
  /** First names, `#g0`. */
  groups: string[]
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
  /** A store that lies about the ledger of groups: then only what holds all the same is checked. */
  lyingHome?: string
  /** People send files, and homes forget soon what nobody refers to. */
  hasFiles: boolean
  /** Devices whose user reads everything at once. */
  eager: string[]
  steps: Step[]
  /** From then on everything works again. */
  healAt: number
}

export const LIAR = 'liar'
/** A name that nobody has: what is sent there is refused for good. */
export const NOBODY = 'nobody'
export const nodeNames = (role: 'gateway' | 'router' | 'store' | 'group', count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${role}-${i + 1}`)
export const deviceName = (user: number, device: number): string => `u${user}/${device}`

/** The names that steps can be about. */
export class ScenarioNames {
  readonly gateways: string[]
  readonly stores: string[]
  readonly newStores: string[]
  readonly nodes: string[]
  readonly devices: string[]
  readonly users: string[]

  constructor({ gateways, routers, stores, groupNodes, users }: Scenario, newStores: string[]) {
    this.gateways = nodeNames('gateway', gateways)
    this.stores = nodeNames('store', stores)
    this.newStores = newStores
    const groups = nodeNames('group', groupNodes)
    this.nodes = [...this.gateways, ...nodeNames('router', routers), ...this.stores, ...this.newStores, ...groups]
    this.users = users.map((_, i) => `u${i}`)
    this.devices = users.flatMap((count, user) => Array.from({ length: count }, (_, i) => deviceName(user, i)))
  }
}

/** By which a run speaks of a group, whatever it is called at the moment; anything else as it is. */
export const firstName = (name: string): string => (name.startsWith('#') ? (name.split('.')[0] ?? name) : name)

export const userOf = (device: string): string => device.split('/')[0] ?? device
