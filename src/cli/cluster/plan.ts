// Which nodes a local cluster has, what they are called and which ports they get. Pure but for the look whether a port is free.
import type { Role } from '../../protocol/cluster-map.ts'
import { pickPorts } from './ports.ts'
import type { NodeEntry } from './state.ts'

export type Counts = Record<'router' | 'store' | 'gateway' | 'group', number>
export const AUTHORITY = 'router-1'

/** `store-1`, `store-2`, …: the lowest number that is free. */
export const nextName = (role: string, taken: Iterable<string>): string => {
  const names = new Set(taken)
  for (let number = 1; ; number++) if (!names.has(`${role}-${number}`)) return `${role}-${number}`
}

interface Wanted {
  name: string
  roles: string[]
}

/** Routers first: router-1 makes the cluster and holds the authority key. */
export const planNames = (counts: Counts): Wanted[] =>
  (['router', 'store', 'gateway', 'group'] as const).flatMap((role) =>
    Array.from({ length: counts[role] }, (_, i) => ({ name: `${role}-${i + 1}`, roles: [role satisfies Role] })),
  )

const portsOf = ({ name, roles }: Wanted): (keyof NodeEntry['ports'])[] => [
  'listen',
  'admin',
  ...(roles.includes('gateway') ? (['ws'] as const) : []),
  ...(name === AUTHORITY ? (['join'] as const) : []),
]

/** Gives each node its ports; `present` keeps those it has. */
export const giveAddresses = async (wanted: Wanted[], present: NodeEntry[] = []): Promise<NodeEntry[]> => {
  const needs = wanted.map(portsOf)
  const taken = present.flatMap(({ ports }) => Object.values(ports))
  const picked = await pickPorts(needs.flat().length, taken)
  return wanted.map((node, i) => {
    const ports = Object.fromEntries((needs[i] ?? []).map((kind) => [kind, picked.pop() ?? 0]))
    return { ...node, ports: ports as NodeEntry['ports'] } // listen and admin are among the kinds of every node
  })
}
