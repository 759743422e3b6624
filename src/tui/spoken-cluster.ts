// The operator's view for a screen reader: how all nodes are when it opens, then only what changes. Pure.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import type { ClusterReport } from './cluster.ts'
import type { State } from './state.ts'

const whole = ({ nodes }: ClusterReport): SafeText[] => {
  const up = nodes.filter(({ state }) => state === 'up').length
  return [
    safe`${up} of ${nodes.length} nodes up`,
    ...nodes.map(
      ({ name, roles, state }) => safe`${safeLine(name)}, ${safeLine(roles.join(', '))}: ${safeLine(state)}`,
    ),
  ]
}

export const clusterWords = (state: State, before: State | undefined): SafeText[] => {
  const { overlay, cluster } = state
  if (overlay?.kind !== 'cluster') return []
  const isNew = before?.overlay?.kind !== 'cluster'
  const old = isNew ? undefined : before?.cluster
  const opening = isNew ? [safe`the cluster`] : []
  const { problem, report, changes = [] } = cluster ?? {}
  const trouble = problem === undefined || problem === old?.problem ? [] : [safe`No answer: ${problem}`]
  if (!report || !old?.report) return [...opening, ...trouble, ...(report ? whole(report) : [])]
  const known = new Set(old.changes)
  const news = changes.filter((change) => !known.has(change)).map(({ name, state: now }) => safe`${name} is ${now}`)
  const homes =
    report.joint === old.report.joint
      ? []
      : [report.joint ? safe`the homes are changing` : safe`the homes have changed`]
  return [...opening, ...trouble, ...news, ...homes]
}
