// What gateways and the authority ask of stores: appending, having, feeds, subscriptions, state.
// Numbers are append-only: they are on the wire.
import { limits } from './limits.ts'
import { declare } from './rpc-method.ts'

/** One record for one or more mailboxes of the same home; the body travels and is kept once. */
export interface StoreWrite {
  mailboxes: readonly string[]
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
  request: { epoch: 'count', writes: ['list', { mailboxes: ['list', 'text'], sealed: 'bytes', acceptedAt: 'count' }] },
  answer: { feed: 'text', batch: 'count' },
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
  request: { epoch: 'count', items: ['list', { mailbox: 'text', keys: 'bytes' }] },
  answer: { has: ['list', 'bytes'] },
  doc: 'For each item and key one byte: 1 when this home has that record durably in that mailbox. STORE_SYNCING does not apply: having is having.',
})
/** A record as homes hand it out. */
export interface StoredRecord {
  sealed: Uint8Array
  acceptedAt: number
}
export const recordShape = { sealed: 'bytes', acceptedAt: 'count' } as const
export const storeCertificates = declare<{ epoch: number; user: string }, { records: StoredRecord[] }>({
  name: 'store.certificates',
  number: 12,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count', user: 'text' },
  answer: { records: ['list', recordShape] },
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
const pageShape = {
  home: 'text',
  feed: 'text',
  from: 'count',
  to: 'count',
  head: 'count',
  keys: 'bytes',
  records: ['optional', ['list', recordShape]],
} as const
export const storeSubscribe = declare<
  { epoch: number; sub: number; mailbox: string; capability: Uint8Array; cursor?: { feed: string; number: number } },
  FeedPage
>({
  name: 'store.subscribe',
  number: 13,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: {
    epoch: 'count',
    sub: 'count',
    mailbox: 'text',
    capability: 'bytes',
    cursor: ['optional', { feed: 'text', number: 'count' }],
  },
  answer: pageShape,
  doc: 'Registers a subscription (number chosen by the gateway) and reads the first page after `cursor` in one turn; a cursor of another feed id counts as none: the page then starts from 0. Live notices begin after this page. STORE_SYNCING, AUTH_*.',
})
export const storeUnsubscribe = declare<{ subs: number[] }, void>({
  name: 'store.unsubscribe',
  number: 14,
  stream: 'control',
  timeoutMs: undefined,
  request: { subs: ['list', 'count'] },
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
  request: { epoch: 'count', sub: 'count', after: 'count', limit: 'count', records: 'flag' },
  answer: pageShape,
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
  request: { epoch: 'count', sub: 'count', keys: 'bytes' },
  answer: { records: ['list', ['nullable', recordShape]] },
  doc: 'Records of a subscribed mailbox by key, null where this home has none; may answer fewer than asked when they pass 512 KiB.',
})
export const storeRenew = declare<{ sub: number; capability: Uint8Array }, void>({
  name: 'store.renew',
  number: 17,
  stream: 'control',
  timeoutMs: undefined,
  request: { sub: 'count', capability: 'bytes' },
  doc: 'A fresh capability for a subscription.',
})
export const storeHeads = declare<{ subs: number[]; heads: number[] }, { unknown: number[] }>({
  name: 'store.heads',
  number: 18,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: { subs: ['list', 'count'], heads: ['list', 'count'] },
  answer: { unknown: ['list', 'count'] },
  doc: 'The safety net, every 5 s: for each subscription the last feed number the gateway saw. The home sends notices again from there where it has more, and names the subscriptions it does not know.',
})
export const storeNotice = declare<{ pages: (FeedPage & { sub: number })[] }, void>({
  name: 'store.notice',
  number: 19,
  stream: 'control',
  timeoutMs: undefined,
  request: {
    pages: ['list', { sub: 'count', ...pageShape }],
  },
  doc: 'Home to gateway: live feed pages of ids, batched over 50 ms.',
})
export const storeSeen = declare<StoreMark, void>({
  name: 'store.seen',
  number: 20,
  stream: 'control',
  timeoutMs: undefined,
  request: { feed: 'text', batch: 'count' },
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
  request: { epoch: 'count' },
  answer: { state: 'text', feed: 'text', batch: 'count', epoch: 'count', reconciled: 'count', records: 'count' },
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
  request: { epoch: 'count' },
  answer: { entries: 'count', problems: ['list', 'text'] },
  doc: 'Reads everything the home holds and names what does not fit together: numbers without entries, entries without numbers or bodies, damaged bytes, entries that were once counted and are gone. Answered to the node itself only.',
})
