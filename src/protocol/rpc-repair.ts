// What homes ask each other to become equal: digests of shards, their hours, entries, records.
// Numbers are append-only: they are on the wire.
import { limits } from './limits.ts'
import { recordShape, type StoredRecord, type StoreMark } from './rpc-mailboxes.ts'
import { declare } from './rpc-method.ts'

export const repairDigests = declare<
  { epoch: number; cutoff?: number },
  { digests: Uint8Array; decided: Uint8Array; readable: boolean; mark: StoreMark }
>({
  name: 'repair.digests',
  number: 30,
  stream: 'data',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count', cutoff: ['optional', 'count'] },
  answer: { digests: 'bytes', decided: 'bytes', readable: 'flag', mark: { feed: 'text', batch: 'count' } },
  doc: 'One digest of 16 bytes for each shard, in order (XOR of truncated hashes of its entries). Hours below the caller’s `cutoff` or the home’s own have expired and do not count. `decided`: the same of the registers of groups that this home knows to be decided.',
})
export const repairHours = declare<
  { epoch: number; shard: number; cutoff?: number },
  { hours: number[]; digests: Uint8Array }
>({
  name: 'repair.hours',
  number: 31,
  stream: 'data',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count', shard: 'count', cutoff: ['optional', 'count'] },
  answer: { hours: ['list', 'count'], digests: 'bytes' },
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
  request: { epoch: 'count', shard: 'count', hour: 'count', after: ['optional', 'bytes'] },
  answer: { mailboxes: ['list', 'text'], keys: 'bytes', more: 'flag', next: ['optional', 'bytes'] },
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
  request: { epoch: 'count', hour: 'count', keys: 'bytes' },
  answer: { records: ['list', ['nullable', recordShape]] },
  doc: 'Bodies by key; fewer than asked when they pass 512 KiB.',
})
