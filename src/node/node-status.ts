// What a node says of itself (node.status) and what it sees of the cluster: the answer to `chatd status`.
// It asks every member once and waits a second at most; who does not answer is shown as down.
import type { Clock } from '../platform/ports.ts'
import { type ClusterMap, type MapNode, nodeOf } from '../protocol/cluster-map.ts'
import { nodeStatus, type NodeStatus } from '../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from './core/ports.ts'
import type { NodeServices } from './roles.ts'

const ASK_MS = 1_000

export interface StatusPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  built: NodeServices
  /** Bytes that wait for each connected peer. */
  queueDepths: () => Record<string, number>
}

export interface NodeRow {
  name: string
  peer: string
  roles: string[]
  authority: boolean
  state: NodeStatus['state'] | 'down'
  /** Round trip from the node that was asked; null when down. */
  lagMs: number | null
  /** Epochs behind the newest map seen here. */
  epochLag: number | null
  /** Stores: records fewer than the fullest home has; null where homes hold different shards. */
  recordLag: number | null
  sessions: number | null
  leases: number | null
  records: number | null
  /** Bytes that wait for it here, and requests that wait in it. */
  queuedBytes: number
  queued: number | null
  rssBytes: number | null
  uptimeMs: number | null
}

export interface HomesReport {
  n: number
  w: number
  r: number
  homes: { name: string; readable: boolean; writable: boolean }[]
}

export interface ClusterStatus {
  cluster: string
  node: string
  peer: string
  epoch: number
  /** A change of the homes is under way. */
  joint: boolean
  nodes: NodeRow[]
  /** Who keeps messages now, and in a joint epoch who will. */
  current: HomesReport
  next: HomesReport | null
  revocations: number
}

export class NodeStatusReporter {
  readonly #ports: StatusPorts
  readonly #startedAt: number
  #draining = false

  constructor(ports: StatusPorts) {
    this.#ports = ports
    this.#startedAt = ports.clock.monotonic()
  }

  start(): void {
    this.#ports.transport.handle(nodeStatus, () => this.own())
  }

  drain(): void {
    this.#draining = true
  }

  /** This node alone. */
  own(): NodeStatus {
    const { clock, view, built } = this.#ports
    const store = built.store?.status()
    const media = built.media?.status()
    const gateway = built.gateway?.status()
    return {
      state: this.#draining ? 'draining' : (store?.state ?? media?.state ?? 'up'),
      epoch: view.current().map.epoch,
      uptimeMs: Math.round(clock.monotonic() - this.#startedAt),
      sessions: gateway?.sessions ?? null,
      leases: built.router?.status().leases ?? null,
      records: store?.records ?? null,
      blobs: media?.blobs ?? null,
      blobBytes: media?.bytes ?? null,
      queued:
        (gateway
          ? gateway.queued.pushes + gateway.queued.leases + gateway.queued.writes
          : built.mailboxes.status().queued) + (built.groups?.status().queued ?? 0),
      rssBytes: process.memoryUsage.rss(),
    }
  }

  /** The cluster as this node sees it. */
  async cluster(): Promise<ClusterStatus> {
    const { transport, view } = this.#ports
    const { map } = view.current()
    const rows = await Promise.all(map.nodes.map((node) => this.#row(node, map)))
    const recordCounts = rows.filter((row) => map.homes.current.peers.includes(row.peer)).map((row) => row.records ?? 0)
    const most = Math.max(0, ...recordCounts)
    const isWhole = map.homes.current.peers.length <= map.homes.current.n
    for (const row of rows) if (isWhole && row.records !== null) row.recordLag = Math.max(0, most - row.records)
    return {
      cluster: map.cluster,
      node: nodeOf(map, transport.self)?.name ?? '',
      peer: transport.self,
      epoch: map.epoch,
      joint: map.homes.next !== undefined,
      nodes: rows.sort((a, b) => a.name.localeCompare(b.name)),
      current: homesReport(map.homes.current, rows),
      next: map.homes.next ? homesReport(map.homes.next, rows) : null,
      revocations: map.revocations.length,
    }
  }

  async #row(node: MapNode, map: ClusterMap): Promise<NodeRow> {
    const { transport, clock, queueDepths } = this.#ports
    const askedAt = clock.monotonic()
    const status = await transport.call(node.peer, nodeStatus, {}, { timeoutMs: ASK_MS }).catch(() => undefined)
    const { name, peer, roles, authority } = node
    return {
      name,
      peer,
      roles,
      authority: authority === true,
      state: status?.state ?? 'down',
      lagMs: status ? Math.round((clock.monotonic() - askedAt) * 10) / 10 : null,
      epochLag: status ? Math.max(0, map.epoch - status.epoch) : null,
      recordLag: null,
      sessions: status?.sessions ?? null,
      leases: status?.leases ?? null,
      records: status?.records ?? null,
      queuedBytes: queueDepths()[peer] ?? 0,
      queued: status?.queued ?? null,
      rssBytes: status?.rssBytes ?? null,
      uptimeMs: status?.uptimeMs ?? null,
    }
  }
}

/** Readable counts for R and for feeds, writable for W. */
const homesReport = ({ n, w, r, peers }: ClusterMap['homes']['current'], rows: NodeRow[]): HomesReport => ({
  n,
  w,
  r,
  homes: peers.map((peer) => {
    const row = rows.find((candidate) => candidate.peer === peer)
    const state = row?.state ?? 'down'
    const isThere = state !== 'down'
    return {
      name: row?.name ?? peer,
      readable: isThere && state !== 'syncing',
      writable: isThere && state !== 'read-only',
    }
  }),
})
