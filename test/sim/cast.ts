// Who is in a run: nodes with their roles and devices of users, those too that come only in its course.
import type { Role } from '../../src/protocol/cluster-map.ts'
import { deviceName, nodeNames, type Scenario } from './scenario.ts'

/** Stores that join later. */
export const lateStores = ({ steps }: Scenario): string[] =>
  steps.flatMap((step) => (step.do === 'add-store' ? [step.node] : []))

export const rolesOf = (scenario: Scenario): [node: string, roles: Role[]][] => {
  const { gateways, routers, groupNodes, stores } = scenario
  const are = (role: Role, names: string[]): [string, Role[]][] => names.map((name) => [name, [role]])
  return [
    ...are('gateway', nodeNames('gateway', gateways)),
    ...are('router', nodeNames('router', routers)),
    ...are('group', nodeNames('group', groupNodes)),
    ...are('store', [...nodeNames('store', stores), ...lateStores(scenario)]),
  ]
}

export const devicesIn = ({ users, steps }: Scenario): string[] =>
  users.flatMap((count, user) => [
    ...Array.from({ length: count }, (_, device) => deviceName(user, device)),
    ...steps.flatMap((step) => (step.do === 'link-device' && step.device.startsWith(`u${user}/`) ? [step.device] : [])),
  ])
