// What all nodes ask each other: the cluster map, leases, pushes between gateways, a node's status.
// Numbers are append-only: they are on the wire.
import { limits } from './limits.ts'
import { declare } from './rpc-method.ts'

export const mapPush = declare<{ sealed: Uint8Array }, void>({
  name: 'map.push',
  number: 1,
  stream: 'control',
  timeoutMs: undefined,
  request: { sealed: 'bytes' },
  doc: 'A newer signed cluster map. The receiver verifies, keeps and adopts it, or ignores it.',
})
export const mapGet = declare<{ epoch: number }, { sealed?: Uint8Array; epoch: number }>({
  name: 'map.get',
  number: 2,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count' },
  answer: { sealed: ['optional', 'bytes'], epoch: 'count' },
  doc: 'The receiver’s newest map if it is above `epoch`; its epoch always.',
})

// ---- router: who is at which gateway
export interface LeaseEntry {
  user: string
  session: string
  capability: Uint8Array
  /** Of the gateway, rising with each change: an older one never replaces a newer one. */
  sequence: number
  /** Others may be told that the user is there. */
  shown?: boolean
}
export const routeBind = declare<{ gatewayEpoch: number; leases: LeaseEntry[] }, { kept: number }>({
  name: 'route.bind',
  number: 40,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: {
    gatewayEpoch: 'count',
    leases: [
      'list',
      { user: 'text', session: 'text', capability: 'bytes', sequence: 'count', shown: ['optional', 'flag'] },
    ],
  },
  answer: { kept: 'count' },
  doc: 'Leases of the calling gateway’s sessions, up to 1,000 a call.',
})
export const routeUnbind = declare<
  { gatewayEpoch: number; sessions: { user: string; session: string; sequence: number }[] },
  void
>({
  name: 'route.unbind',
  number: 41,
  stream: 'control',
  timeoutMs: undefined,
  request: { gatewayEpoch: 'count', sessions: ['list', { user: 'text', session: 'text', sequence: 'count' }] },
  doc: 'These sessions have ended.',
})
export interface Lease {
  gateway: string
  session: string
  capability: Uint8Array
  shown?: boolean
}
export const routeLookup = declare<{ user: string }, { leases: Lease[] }>({
  name: 'route.lookup',
  number: 42,
  stream: 'control',
  timeoutMs: 1_000,
  request: { user: 'text' },
  answer: { leases: ['list', { gateway: 'text', session: 'text', capability: 'bytes', shown: ['optional', 'flag'] }] },
  doc: 'The leases of a user; empty when this router knows none.',
})

export const routePresence = declare<
  { users: string[] },
  { users: [user: string, online: boolean, lastSeen?: number][] }
>({
  name: 'route.presence',
  number: 43,
  stream: 'control',
  timeoutMs: 1_000,
  request: { users: ['list', 'text'] },
  answer: { users: ['list', ['tuple', ['text', 'flag', ['optional', 'count']]]] },
  doc: 'Which of at most 1,000 users have a lease that may be shown, and when (ms) the others last had one, as far as this router remembers.',
})

// ---- gateway to gateway
export const gatePush = declare<{ items: { users: string[]; sealed: Uint8Array; acceptedAt: number }[] }, void>({
  name: 'gate.push',
  number: 50,
  stream: 'data',
  timeoutMs: undefined,
  request: { items: ['list', { users: ['list', 'text'], sealed: 'bytes', acceptedAt: 'count' }] },
  doc: 'Records (known to be on W homes) for users that are, by their leases, at the receiving gateway.',
})
export const gateAbsent = declare<{ users: string[] }, void>({
  name: 'gate.absent',
  number: 51,
  stream: 'control',
  timeoutMs: undefined,
  request: { users: ['list', 'text'] },
  doc: 'The answer to a push: these users are not here; drop the cached lease.',
})
export const gateUrl = declare<{ url: string; draining: boolean }, void>({
  name: 'gate.url',
  number: 52,
  stream: 'control',
  timeoutMs: undefined,
  request: { url: 'text', draining: 'flag' },
  doc: 'Where clients reach the calling gateway; sent on connection and on change.',
})

export interface TypingItem {
  from: string
  /** A user, or the id of a group. */
  to: string
  active: boolean
}
export const gateTyping = declare<{ items: TypingItem[] }, void>({
  name: 'gate.typing',
  number: 53,
  stream: 'control',
  timeoutMs: undefined,
  request: { items: ['list', { from: 'text', to: 'text', active: 'flag' }] },
  doc: 'Who is typing, at most 200 a call: to users that are, by their leases, at the receiving gateway, or to a group. May be lost.',
})

// ---- every node
export interface NodeStatus {
  state: 'up' | 'syncing' | 'read-only' | 'draining'
  epoch: number
  uptimeMs: number
  /** Clients that are logged in; null on a node that is no gateway. */
  sessions: number | null
  /** null on a node that is no router. */
  leases: number | null
  /** null on a node that is no store. */
  records: number | null
  /** Whole attachments and their bytes; null on a node that keeps none. */
  blobs: number | null
  blobBytes: number | null
  /** Writes and frames that wait in this node. */
  queued: number
  rssBytes: number
}
export const nodeStatus = declare<object, NodeStatus>({
  name: 'node.status',
  number: 70,
  stream: 'control',
  timeoutMs: 1_000,
  request: {},
  answer: {
    state: 'text',
    epoch: 'count',
    uptimeMs: 'count',
    sessions: ['nullable', 'count'],
    leases: ['nullable', 'count'],
    records: ['nullable', 'count'],
    blobs: ['nullable', 'count'],
    blobBytes: ['nullable', 'count'],
    queued: 'count',
    rssBytes: 'count',
  },
  doc: 'How the receiver is, for the status that operators read.',
})
