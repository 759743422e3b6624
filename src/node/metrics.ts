// The node's status as Prometheus metrics. A table: one row, one gauge.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { NodeStatus } from '../protocol/rpc.ts'

const rows: { name: string; help: string; value: (status: NodeStatus) => number | null }[] = [
  { name: 'chatd_gateway_sessions', help: 'Clients that are logged in', value: (s) => s.sessions },
  { name: 'chatd_router_leases', help: 'Leases kept by this router', value: (s) => s.leases },
  { name: 'chatd_store_records', help: 'Records held by this store', value: (s) => s.records },
  { name: 'chatd_media_blobs', help: 'Whole attachments held by this node', value: (s) => s.blobs },
  { name: 'chatd_media_blobs_bytes', help: 'Bytes of whole attachments held by this node', value: (s) => s.blobBytes },
  {
    name: 'chatd_store_up',
    help: '1 when this node is up, 0 while it is syncing, read-only or draining',
    value: (s) => Number(s.state === 'up'),
  },
  { name: 'chatd_node_queued', help: 'Writes and frames that wait in this node', value: (s) => s.queued },
  { name: 'chatd_node_epoch', help: 'Epoch of the newest cluster map known here', value: (s) => s.epoch },
  { name: 'chatd_node_uptime_seconds', help: 'Since the node began to serve', value: (s) => s.uptimeMs / 1_000 },
]

const registry = new Registry()
let gauges: Gauge[] | undefined

/** The text format of Prometheus. What this node's roles do not have is left out. */
export const renderMetrics = async (status: NodeStatus): Promise<string> => {
  if (!gauges) {
    collectDefaultMetrics({ register: registry })
    gauges = rows.map(({ name, help }) => new Gauge({ name, help, registers: [registry] }))
  }
  for (const [index, { value }] of rows.entries()) {
    const now = value(status)
    if (now === null) gauges[index]?.remove()
    else gauges[index]?.set(now)
  }
  return registry.metrics()
}
