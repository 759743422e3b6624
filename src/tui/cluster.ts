// The cluster as its operators see it: what is asked of whoever may read the operator's token, kept safe to draw, and what changed since.
// Pure but for the port; the shape is that of `chatd status --json`, as far as it is shown.
import { type SafeText, safeLine } from '../client/safe-text.ts'

export interface ClusterNode {
  name: string
  roles: string[]
  authority: boolean
  state: string
  lagMs: number | null
  epochLag: number | null
  recordLag: number | null
  sessions: number | null
  leases: number | null
  records: number | null
  queuedBytes: number
  queued: number | null
  rssBytes: number | null
  uptimeMs: number | null
}
export interface ClusterHomes {
  n: number
  w: number
  r: number
  homes: { name: string; readable: boolean; writable: boolean }[]
}
export interface ClusterReport {
  cluster: string
  node: string
  epoch: number
  joint: boolean
  nodes: ClusterNode[]
  current: ClusterHomes
  next: ClusterHomes | null
}
export interface ClusterPort {
  /** NET_UNAVAILABLE when no node answers, AUTH_DENIED without the operator's token. */
  status(): Promise<ClusterReport>
}

/** A node came, went, or changed its state. */
export interface ClusterChange {
  readonly atMs: number
  readonly name: SafeText
  readonly state: SafeText
}
export interface ClusterState {
  readonly report: ClusterReport | undefined
  readonly changes: readonly ClusterChange[]
  /** Why the last question was not answered; the report is older then. */
  readonly problem: SafeText | undefined
}
const MAX_CHANGES = 50

const changesOf = (before: ClusterReport | undefined, now: ClusterReport, atMs: number): ClusterChange[] => {
  if (!before) return []
  const states = new Map(before.nodes.map(({ name, state }) => [name, state]))
  const gone = [...states.keys()].filter((name) => !now.nodes.some((node) => node.name === name))
  const changed = now.nodes.filter(({ name, state }) => states.get(name) !== state)
  return [
    ...changed.map(({ name, state }) => ({ atMs, name: safeLine(name), state: safeLine(state) })),
    ...gone.map((name) => ({ atMs, name: safeLine(name), state: safeLine('removed') })),
  ]
}

export const withReport = (old: ClusterState | undefined, report: ClusterReport, atMs: number): ClusterState => ({
  report,
  changes: [...(old?.changes ?? []), ...changesOf(old?.report, report, atMs)].slice(-MAX_CHANGES),
  problem: undefined,
})
