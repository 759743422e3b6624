// What nodes say to each other: every method declared once, used by caller, handler, transport and docs/protocol.md.
// Payloads are plain objects, encoded with msgpack by the transport (and not at all inside one process); bytes are Uint8Array.
// Numbers are append-only: they are on the wire.
import { limits } from './limits.ts'

export type RpcStream = 'control' | 'data'
export interface RpcMethod<Request, Response> {
  name: string
  /** On the wire; never reused. */
  number: number
  /** data = bulk (appends, records); control = small and urgent. One libp2p stream each, so that bulk does not block the rest. */
  stream: RpcStream
  /** undefined: one way, no answer, may be lost. */
  timeoutMs: number | undefined
  doc: string
  /** Never there at run time: carries the types. */
  readonly types?: (request: Request) => Response
}
export type AnyRpcMethod = RpcMethod<never, unknown>

const methods = new Map<number, AnyRpcMethod>()
const declare = <Request, Response>(m: RpcMethod<Request, Response>): RpcMethod<Request, Response> => {
  if (methods.has(m.number)) throw new Error(`RPC number ${m.number} is taken`)
  methods.set(m.number, m)
  return m
}
export const rpcMethods = (): AnyRpcMethod[] => [...methods.values()]
export const rpcMethodByNumber = (number: number): AnyRpcMethod | undefined => methods.get(number)

// ---- cluster map --------------------------------------------------------------------------------------------------
export const mapPush = declare<{ sealed: Uint8Array }, void>({
  name: 'map.push',
  number: 1,
  stream: 'control',
  timeoutMs: undefined,
  doc: 'A newer signed cluster map. The receiver verifies, keeps and adopts it, or ignores it.',
})
export const mapGet = declare<{ epoch: number }, { sealed?: Uint8Array; epoch: number }>({
  name: 'map.get',
  number: 2,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  doc: 'The receiver’s newest map if it is above `epoch`; its epoch always.',
})

// ---- messages: mailboxes on their homes -----------------------------------------------------------------------------
/** One record for one or more mailboxes of the same home; the body travels and is kept once. */
export interface StoreWrite {
  mailboxes: string[]
  sealed: Uint8Array
  /** Milliseconds since 1970 by the clock of the node that first accepted it. */
  acceptedAt: number
}
export interface StoreMark {
  feed: string
  batch: number
}
export const storeAppend = declare<{ epoch: number; writes: StoreWrite[] }, StoreMark>({
  name: 'store.append',
  number: 10,
  stream: 'data',
  timeoutMs: limits.appendTimeoutMs,
  doc: 'Keeps every write, all or none; answers after fsync with feed id and batch number. Known records change nothing. EPOCH_STALE, EPOCH_AHEAD, STORE_READ_ONLY, RPC_INVALID.',
})
export const storeHas = declare<
  { epoch: number; items: { mailbox: string; keys: Uint8Array }[] },
  { has: Uint8Array[] }
>({
  name: 'store.has',
  number: 11,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  doc: 'For each item and key one byte: 1 when this home has that record durably in that mailbox. STORE_SYNCING does not apply: having is having.',
})
/** A record as homes hand it out. */
export interface StoredRecord {
  sealed: Uint8Array
  acceptedAt: number
}
export const storeCertificates = declare<{ epoch: number; user: string }, { records: StoredRecord[] }>({
  name: 'store.certificates',
  number: 12,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  doc: 'All certificates of a user. STORE_SYNCING when this home may not answer reads.',
})
export interface FeedPage {
  home: string
  feed: string
  /** The page covers the numbers above `from` up to and including `to`; keys of this mailbox only. */
  from: number
  to: number
  /** The home’s newest number of this mailbox when the page was made: `to < head` means there is more. */
  head: number
  /** Concatenated record keys of 32 bytes, in feed order. */
  keys: Uint8Array
  /** In the same order as keys, when records were asked for (absent = ids only). */
  records?: StoredRecord[]
}
export const storeSubscribe = declare<
  { epoch: number; sub: number; mailbox: string; capability: Uint8Array; cursor?: { feed: string; number: number } },
  FeedPage
>({
  name: 'store.subscribe',
  number: 13,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  doc: 'Registers a subscription (number chosen by the gateway) and reads the first page after `cursor` in one turn; a cursor of another feed id counts as none: the page then starts from 0. Live notices begin after this page. STORE_SYNCING, AUTH_*.',
})
export const storeUnsubscribe = declare<{ subs: number[] }, void>({
  name: 'store.unsubscribe',
  number: 14,
  stream: 'control',
  timeoutMs: undefined,
  doc: 'Ends subscriptions.',
})
export const storePage = declare<
  { epoch: number; sub: number; after: number; limit: number; records: boolean },
  FeedPage
>({
  name: 'store.page',
  number: 15,
  stream: 'data',
  timeoutMs: limits.rpcTimeoutMs,
  doc: 'The next page of a subscribed mailbox’s feed. STORE_NO_SUBSCRIPTION.',
})
export const storeFetch = declare<
  { epoch: number; sub: number; keys: Uint8Array },
  { records: (StoredRecord | null)[] }
>({
  name: 'store.fetch',
  number: 16,
  stream: 'data',
  timeoutMs: limits.rpcTimeoutMs,
  doc: 'Records of a subscribed mailbox by key, null where this home has none; may answer fewer than asked when they pass 512 KiB.',
})
export const storeRenew = declare<{ sub: number; capability: Uint8Array }, void>({
  name: 'store.renew',
  number: 17,
  stream: 'control',
  timeoutMs: undefined,
  doc: 'A fresh capability for a subscription.',
})
export const storeHeads = declare<{ subs: number[]; heads: number[] }, { unknown: number[] }>({
  name: 'store.heads',
  number: 18,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  doc: 'The safety net, every 5 s: for each subscription the last feed number the gateway saw. The home sends notices again from there where it has more, and names the subscriptions it does not know.',
})
export const storeNotice = declare<{ pages: (FeedPage & { sub: number })[] }, void>({
  name: 'store.notice',
  number: 19,
  stream: 'control',
  timeoutMs: undefined,
  doc: 'Home to gateway: live feed pages of ids, batched over 50 ms.',
})
export const storeSeen = declare<StoreMark, void>({
  name: 'store.seen',
  number: 20,
  stream: 'control',
  timeoutMs: undefined,
  doc: 'The highest batch number a peer saw of this home and feed id, sent when they connect: a number above what the home has proves loss.',
})
export interface StoreState {
  state: 'up' | 'syncing' | 'read-only'
  feed: string
  batch: number
  epoch: number
  /** Epochs whose joint reconciliation is complete on this home. */
  reconciled: number
  records: number
}
export const storeState = declare<{ epoch: number }, StoreState>({
  name: 'store.state',
  number: 21,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  doc: 'State of a home.',
})
export interface StoreAudit {
  /** Pairs of mailbox and record that this home holds. */
  entries: number
  /** What does not fit together, in words, at most 100; a whole home has none. */
  problems: string[]
}
export const storeAudit = declare<{ epoch: number }, StoreAudit>({
  name: 'store.audit',
  number: 22,
  stream: 'control',
  timeoutMs: 60_000,
  doc: 'Reads everything the home holds and names what does not fit together: numbers without entries, entries without numbers or bodies, damaged bytes, entries that were once counted and are gone. Answered to the node itself only.',
})

// ---- repair between homes -------------------------------------------------------------------------------------------
export const repairDigests = declare<
  { epoch: number; cutoff?: number },
  { digests: Uint8Array; readable: boolean; mark: StoreMark }
>({
  name: 'repair.digests',
  number: 30,
  stream: 'data',
  timeoutMs: limits.rpcTimeoutMs,
  doc: 'One digest of 16 bytes for each shard, in order (XOR of truncated hashes of its entries). Hours below the caller’s `cutoff` or the home’s own have expired and do not count.',
})
export const repairHours = declare<
  { epoch: number; shard: number; cutoff?: number },
  { hours: number[]; digests: Uint8Array }
>({
  name: 'repair.hours',
  number: 31,
  stream: 'data',
  timeoutMs: limits.rpcTimeoutMs,
  doc: 'The hours of a shard with a digest of 16 bytes each.',
})
export const repairEntries = declare<
  { epoch: number; shard: number; hour: number; after?: Uint8Array },
  { mailboxes: string[]; keys: Uint8Array; more: boolean; next?: Uint8Array }
>({
  name: 'repair.entries',
  number: 32,
  stream: 'data',
  timeoutMs: limits.rpcTimeoutMs,
  doc: 'The entries of one hour of a shard: mailbox and record key, page by page.',
})
export const repairRecords = declare<
  { epoch: number; hour: number; keys: Uint8Array },
  { records: (StoredRecord | null)[] }
>({
  name: 'repair.records',
  number: 33,
  stream: 'data',
  timeoutMs: limits.rpcTimeoutMs,
  doc: 'Bodies by key; fewer than asked when they pass 512 KiB.',
})

// ---- router: who is at which gateway --------------------------------------------------------------------------------
export interface LeaseEntry {
  user: string
  session: string
  capability: Uint8Array
  /** Of the gateway, rising with each change: an older one never replaces a newer one. */
  sequence: number
}
export const routeBind = declare<{ gatewayEpoch: number; leases: LeaseEntry[] }, { kept: number }>({
  name: 'route.bind',
  number: 40,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
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
  doc: 'These sessions have ended.',
})
export interface Lease {
  gateway: string
  session: string
  capability: Uint8Array
}
export const routeLookup = declare<{ user: string }, { leases: Lease[] }>({
  name: 'route.lookup',
  number: 42,
  stream: 'control',
  timeoutMs: 1_000,
  doc: 'The leases of a user; empty when this router knows none.',
})

// ---- gateway to gateway ---------------------------------------------------------------------------------------------
export const gatePush = declare<{ items: { users: string[]; sealed: Uint8Array; acceptedAt: number }[] }, void>({
  name: 'gate.push',
  number: 50,
  stream: 'data',
  timeoutMs: undefined,
  doc: 'Records (known to be on W homes) for users that are, by their leases, at the receiving gateway.',
})
export const gateAbsent = declare<{ users: string[] }, void>({
  name: 'gate.absent',
  number: 51,
  stream: 'control',
  timeoutMs: undefined,
  doc: 'The answer to a push: these users are not here; drop the cached lease.',
})
export const gateUrl = declare<{ url: string; draining: boolean }, void>({
  name: 'gate.url',
  number: 52,
  stream: 'control',
  timeoutMs: undefined,
  doc: 'Where clients reach the calling gateway; sent on connection and on change.',
})

// ---- auth -----------------------------------------------------------------------------------------------------------
export const authRegister = declare<{ claim: Uint8Array }, { certificate: Uint8Array }>({
  name: 'auth.register',
  number: 60,
  stream: 'control',
  timeoutMs: 10_000,
  doc: 'Claims a name for a key. Idempotent by key. AUTH_NAME_TAKEN, AUTH_INVITE, AUTH_KEY_WEAK.',
})
export const authLinkBegin = declare<{ claim: Uint8Array }, { code: string; certificate?: Uint8Array }>({
  name: 'auth.link-begin',
  number: 61,
  stream: 'control',
  timeoutMs: 10_000,
  doc: 'A new key asks for a code (idempotent); once approved the answer carries its certificate.',
})
export const authLinkLookup = declare<{ code: string }, { claim: Uint8Array }>({
  name: 'auth.link-lookup',
  number: 62,
  stream: 'control',
  timeoutMs: 10_000,
  doc: 'The claim behind a code. LINK_UNKNOWN.',
})
export const authLinkApprove = declare<
  { code: string; approval: Uint8Array; certificate: Uint8Array },
  { certificate: Uint8Array }
>({
  name: 'auth.link-approve',
  number: 63,
  stream: 'control',
  timeoutMs: 10_000,
  doc: 'A device of the user approves; `certificate` is the approver’s.',
})
export const authRevoke = declare<{ revocation: Uint8Array; certificate: Uint8Array }, { epoch: number }>({
  name: 'auth.revoke',
  number: 64,
  stream: 'control',
  timeoutMs: 10_000,
  doc: 'Ends a device: enters the map as a revocation.',
})
export const authRenew = declare<{ certificate: Uint8Array; claim: Uint8Array }, { certificate: Uint8Array }>({
  name: 'auth.renew',
  number: 65,
  stream: 'control',
  timeoutMs: 10_000,
  doc: 'A certificate with a new expiry for the same key.',
})

export const authMoved = declare<{ addresses: string[] }, { epoch: number }>({
  name: 'auth.moved',
  number: 66,
  stream: 'control',
  timeoutMs: 10_000,
  doc: 'The calling member listens at these multiaddresses now; they enter the map. RPC_INVALID, PEER_DENIED.',
})

// ---- every node -----------------------------------------------------------------------------------------------------
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
  /** Writes and frames that wait in this node. */
  queued: number
  rssBytes: number
}
export const nodeStatus = declare<object, NodeStatus>({
  name: 'node.status',
  number: 70,
  stream: 'control',
  timeoutMs: 1_000,
  doc: 'How the receiver is, for the status that operators read.',
})

export type RequestOf<M> = M extends RpcMethod<infer Request, unknown> ? Request : never
export type ResponseOf<M> = M extends RpcMethod<never, infer Response> ? Response : never
