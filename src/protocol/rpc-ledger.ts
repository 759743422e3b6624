// What group nodes ask of the homes of a group: registers that are written once (names, versions), and messages on their way to members.
// Numbers are append-only: they are on the wire.
import { limits } from './limits.ts'
import { declare } from './rpc-method.ts'

/** Compared in this order. The last part is drawn anew for each attempt, so that no ballot is ever used for two values. */
export type Ballot = [epoch: number, round: number, nonce: string]
const ballotShape = ['tuple', ['count', 'count', 'text']] as const
export interface Accepted {
  ballot: Ballot
  value: Uint8Array
}
/** A home, and the feed id that it had when it promised: a new id means that it may have forgotten its promises. */
export type Promiser = [peer: string, feed: string]

export interface PrepareAnswer {
  feed: string
  /** The register has its value for good. */
  decided?: Uint8Array
  /** A ballot as high or higher was promised already. */
  refused?: Ballot
  /** Promised; this is what was accepted before. */
  accepted?: Accepted
}
export const ledgerPrepare = declare<{ epoch: number; key: string; ballot: Ballot }, PrepareAnswer>({
  name: 'ledger.prepare',
  number: 80,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count', key: 'text', ballot: ballotShape },
  answer: {
    feed: 'text',
    decided: ['optional', 'bytes'],
    refused: ['optional', ballotShape],
    accepted: ['optional', { ballot: ballotShape, value: 'bytes' }],
  },
  doc: 'Phase 1 of single-decree Paxos for one register: promises to accept nothing below the ballot. Answered after fsync. EPOCH_STALE, EPOCH_AHEAD, STORE_SYNCING, STORE_READ_ONLY.',
})
export interface AcceptAnswer {
  decided?: Uint8Array
  refused?: Ballot
  /** One of `quorum` has lost its promises since: the ballot is worth nothing. */
  stale?: true
}
export const ledgerAccept = declare<
  { epoch: number; key: string; ballot: Ballot; value: Uint8Array; quorum: Promiser[] },
  AcceptAnswer
>({
  name: 'ledger.accept',
  number: 81,
  stream: 'data',
  timeoutMs: limits.rpcTimeoutMs,
  request: {
    epoch: 'count',
    key: 'text',
    ballot: ballotShape,
    value: 'bytes',
    quorum: ['list', ['tuple', ['text', 'text']]],
  },
  answer: { decided: ['optional', 'bytes'], refused: ['optional', ballotShape], stale: ['optional', 'flag'] },
  doc: 'Phase 2: accepts the value unless a higher ballot was promised; an answer without fields is yes. Sent to the promisers named in `quorum` only. Accepting version v+1 of a group seals v: no message is taken at v any more. Answered after fsync.',
})
export const ledgerLearn = declare<{ epoch: number; key: string; value: Uint8Array }, { open: Uint8Array }>({
  name: 'ledger.learn',
  number: 82,
  stream: 'data',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count', key: 'text', value: 'bytes' },
  answer: { open: 'bytes' },
  doc: 'The register has this value for good. For version v+1 of a group the answer has the record keys (32 bytes each) of messages taken here at v and not done yet.',
})
export const ledgerRead = declare<{ epoch: number; key: string }, { value?: Uint8Array; isDecided: boolean }>({
  name: 'ledger.read',
  number: 83,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count', key: 'text' },
  answer: { value: ['optional', 'bytes'], isDecided: 'flag' },
  doc: 'What this home accepted for the register, and whether it knows it to be decided.',
})
export interface NewestAnswer {
  /** The highest version accepted here, 0 for none. */
  version: number
  value?: Uint8Array
  /** Known to be decided, and it is written down what was still open at the version before. */
  isEstablished: boolean
}
export const ledgerNewest = declare<{ epoch: number; group: string }, NewestAnswer>({
  name: 'ledger.newest',
  number: 84,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count', group: 'text' },
  answer: { version: 'count', value: ['optional', 'bytes'], isEstablished: 'flag' },
  doc: 'The highest version of a group that this home accepted.',
})
/**
 * new: taken unless the version is sealed here or the record was taken at another version, which is then the answer.
 * replace: it is known that the record was not taken in time at a lower version: takes its place.
 * settled: it is known that the record was taken in time: no seal matters.
 * look: takes nothing; version 0 when it is not here.
 */
export type FanOutMode = 'new' | 'replace' | 'settled' | 'look'
export interface FanOutAnswer {
  /** At which version this home has it; 0 for not at all. */
  version: number
  isDone: boolean
  feed: string
  /** What this home knows of others that lost their state: an answer that one of them gave under another feed id counts no more. */
  peers: Promiser[]
}
export const ledgerFanOut = declare<
  { epoch: number; group: string; version: number; sealed: Uint8Array; acceptedAt: number; mode: FanOutMode },
  FanOutAnswer
>({
  name: 'ledger.fan-out',
  number: 85,
  stream: 'data',
  timeoutMs: limits.appendTimeoutMs,
  request: { epoch: 'count', group: 'text', version: 'count', sealed: 'bytes', acceptedAt: 'count', mode: 'text' },
  answer: { version: 'count', isDone: 'flag', feed: 'text', peers: ['list', ['tuple', ['text', 'text']]] },
  doc: 'Keeps a record for the members of a version until it is done. Answered after fsync. GROUP_SEALED, PEER_OVERLOADED when too much of the group is open.',
})
export const ledgerDone = declare<{ group: string; version: number; keys: Uint8Array; isVoid: boolean }, void>({
  name: 'ledger.done',
  number: 86,
  stream: 'control',
  timeoutMs: undefined,
  request: { group: 'text', version: 'count', keys: 'bytes', isVoid: 'flag' },
  doc: 'Every mailbox of that version’s members has these records; what is left of them here is their version. Void: they were not taken in time at that version, and are dropped.',
})
export interface OpenFanOut {
  group: string
  version: number
  sealed: Uint8Array
  acceptedAt: number
}
export const ledgerOpen = declare<{ olderThanMs: number }, { items: OpenFanOut[] }>({
  name: 'ledger.open',
  number: 87,
  stream: 'data',
  timeoutMs: limits.rpcTimeoutMs,
  request: { olderThanMs: 'count' },
  answer: { items: ['list', { group: 'text', version: 'count', sealed: 'bytes', acceptedAt: 'count' }] },
  doc: 'Records kept here for so long and not done, the oldest first, as many as fit into one answer.',
})
export const ledgerRows = declare<
  { epoch: number; feed: string; shards: number[]; after?: Uint8Array },
  { rows: { key: Uint8Array; value: Uint8Array }[]; next?: Uint8Array; takesPart: boolean }
>({
  name: 'ledger.rows',
  number: 88,
  stream: 'data',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count', feed: 'text', shards: ['list', 'count'], after: ['optional', 'bytes'] },
  answer: { rows: ['list', { key: 'bytes', value: 'bytes' }], next: ['optional', 'bytes'], takesPart: 'flag' },
  doc: 'For another home: all registers and open messages of some shards, page by page. Before it answers, this home writes down the feed id of the caller: what the caller promised or took under an older one counts no more here.',
})
export const ledgerInspect = declare<
  { epoch: number; after?: Uint8Array },
  {
    registers: { name: string; value?: Uint8Array; isDecided: boolean }[]
    /** `openMs`: how long this home has had it, unless it is done. */
    messages: { group: string; version: number; key: Uint8Array; openMs?: number }[]
    damaged: string[]
    /** False: it is reading back what it may have forgotten. */
    takesPart: boolean
    next?: Uint8Array
  }
>({
  name: 'ledger.inspect',
  number: 89,
  stream: 'data',
  timeoutMs: limits.rpcTimeoutMs,
  request: { epoch: 'count', after: ['optional', 'bytes'] },
  answer: {
    registers: ['list', { name: 'text', value: ['optional', 'bytes'], isDecided: 'flag' }],
    messages: ['list', { group: 'text', version: 'count', key: 'bytes', openMs: ['optional', 'count'] }],
    damaged: ['list', 'text'],
    takesPart: 'flag',
    next: ['optional', 'bytes'],
  },
  doc: 'Everything that this home keeps of groups, page by page. Answered to the node itself only.',
})
