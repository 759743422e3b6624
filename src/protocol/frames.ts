// The WebSocket protocol chat.v1: every frame declared once, with its schema, limits, errors and an example; docs/protocol.md is made from it.
// A frame is one JSON text message {"t": type, "id": number, …}; a reply echoes the id. Sealed bytes travel in base64.
import * as v from 'valibot'
import type { ErrorCode } from './errors.ts'
import { limits } from './limits.ts'

const bytes = v.pipe(v.string(), v.maxLength(180_000), v.description('base64'))
const count = v.pipe(v.number(), v.integer(), v.minValue(0))
/** Milliseconds since 1970. */
const time = v.pipe(count, v.maxValue(limits.maxNumber))
const id = v.pipe(count, v.description('chosen by the client, echoed by the reply'))
const name = v.pipe(v.string(), v.maxLength(64))
const nonce = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{43}=$/), v.description('32 random bytes, base64'))
const cursors = v.pipe(
  v.record(
    v.pipe(v.string(), v.maxLength(128)),
    v.object({ feed: v.pipe(v.string(), v.maxLength(64)), number: count }),
  ),
  v.description('peer id of a home -> the device’s cursor there'),
)
const record = v.pipe(v.tuple([bytes, time]), v.description('[sealed record, acceptedAt in ms]'))
const keys = v.pipe(v.string(), v.maxLength(60_000), v.description('concatenated record keys of 32 bytes each, base64'))

/** before: only on a socket that has not authenticated; after: only once it has; always: both. */
export type Phase = 'before' | 'after' | 'always'
export interface FrameDeclaration<Schema = v.GenericSchema> {
  schema: Schema
  phase: Phase
  reply?: string
  errors: ErrorCode[]
  doc: string
  example: Record<string, unknown>
}
const frame = <Entries extends v.ObjectEntries>(
  entries: Entries,
  rest: Omit<FrameDeclaration, 'schema'>,
): FrameDeclaration<v.ObjectSchema<Entries, undefined>> => ({ schema: v.object(entries), ...rest })

/** What a client sends. Fields that are not declared are ignored, so that newer clients can talk to older gateways. */
export const clientFrames = {
  'auth.hello': frame(
    { id, certificate: bytes, nonce },
    {
      phase: 'before',
      reply: 'auth.challenge',
      errors: ['AUTH_SIGNATURE', 'AUTH_CLUSTER', 'AUTH_EXPIRED', 'AUTH_REVOKED', 'AUTH_KEY_WEAK'],
      doc: 'First step of the handshake: who I am, and a nonce for the gateway to sign.',
      example: { id: 1, certificate: '…', nonce: '…' },
    },
  ),
  'auth.prove': frame(
    { id, signature: bytes, capability: bytes },
    {
      phase: 'before',
      reply: 'auth.welcome',
      errors: ['AUTH_REPLAY', 'AUTH_SIGNATURE', 'AUTH_DENIED', 'AUTH_EXPIRED'],
      doc: 'Second step: the device’s signature over the transcript, and a capability for this gateway.',
      example: { id: 2, signature: '…', capability: '…' },
    },
  ),
  'auth.register': frame(
    { id, claim: bytes },
    {
      phase: 'before',
      reply: 'auth.certified',
      errors: ['AUTH_NAME_TAKEN', 'AUTH_NAME_ILLEGAL', 'AUTH_INVITE', 'AUTH_KEY_WEAK', 'AUTH_UNAVAILABLE'],
      doc: 'Claims a name: a sealed claim {k:"claim", key, name, invite?, at} signed by the new key. May be repeated.',
      example: { id: 1, claim: '…' },
    },
  ),
  'auth.map': frame(
    { id },
    {
      phase: 'always',
      reply: 'auth.map',
      errors: [],
      doc: 'The newest signed cluster map and the gateway’s peer id.',
      example: { id: 1 },
    },
  ),
  'link.begin': frame(
    { id, claim: bytes },
    {
      phase: 'before',
      reply: 'link.code',
      errors: ['AUTH_UNAVAILABLE', 'AUTH_KEY_WEAK'],
      doc: 'A new device (sealed claim without a name) asks for a code; asked again with the same key it answers auth.certified once approved.',
      example: { id: 1, claim: '…' },
    },
  ),
  'link.lookup': frame(
    { id, code: name },
    {
      phase: 'after',
      reply: 'link.claim',
      errors: ['LINK_UNKNOWN', 'AUTH_UNAVAILABLE'],
      doc: 'The claim behind a code.',
      example: { id: 7, code: 'ABCD-…' },
    },
  ),
  'link.approve': frame(
    { id, code: name, approval: bytes },
    {
      phase: 'after',
      reply: 'auth.certified',
      errors: ['LINK_UNKNOWN', 'AUTH_DENIED', 'AUTH_UNAVAILABLE'],
      doc: 'Approves the key behind a code: sealed {k:"link", user, dev, key, exp}.',
      example: { id: 8, code: 'ABCD-…', approval: '…' },
    },
  ),
  'auth.capability': frame(
    { id, capability: bytes },
    {
      phase: 'after',
      reply: 'ok',
      errors: ['AUTH_DENIED', 'AUTH_EXPIRED'],
      doc: 'A fresh capability, every few minutes.',
      example: { id: 9, capability: '…' },
    },
  ),
  'auth.renew': frame(
    { id, claim: bytes },
    {
      phase: 'after',
      reply: 'auth.certified',
      errors: ['AUTH_UNAVAILABLE'],
      doc: 'A certificate with a new expiry for the same key.',
      example: { id: 9, claim: '…' },
    },
  ),
  'device.revoke': frame(
    { id, revocation: bytes },
    {
      phase: 'after',
      reply: 'ok',
      errors: ['DEVICE_UNKNOWN', 'AUTH_DENIED', 'AUTH_UNAVAILABLE'],
      doc: 'Ends a device of this user: sealed {k:"revoke", user, dev, target, at}.',
      example: { id: 10, revocation: '…' },
    },
  ),
  'record.put': frame(
    { id, record: bytes },
    {
      phase: 'after',
      reply: 'record.stored',
      errors: [
        'MESSAGE_INVALID',
        'MESSAGE_TIME',
        'USER_UNKNOWN',
        'QUORUM_UNAVAILABLE',
        'OUTCOME_UNKNOWN',
        'RATE_LIMITED',
        'GATEWAY_DRAINING',
      ],
      doc: 'Stores a sealed record (msg, void, rcpt, set, tomb) of this device in the mailboxes its header names. Answered after fsync on W homes of each. An error with outcome "refused" wrote nothing, ever; with "unknown" it must be sent again, the same bytes.',
      example: { id: 11, record: '…' },
    },
  ),
  'feed.open': frame(
    { id, cursors },
    {
      phase: 'after',
      reply: 'feed.opened',
      errors: ['QUORUM_UNAVAILABLE'],
      doc: 'Begins (or begins again) the feed from these cursors: pages of the backlog, then live.',
      example: { id: 12, cursors: {} },
    },
  ),
  'feed.fetch': frame(
    { id, home: name, keys },
    {
      phase: 'after',
      reply: 'feed.records',
      errors: ['PEER_UNREACHABLE', 'FEED_SLOW'],
      doc: 'Bodies of at most 250 records that a page of that home named. `missing` in the reply: keys that are gone for good (expired, deleted); keys in neither list could not be confirmed yet: ask again.',
      example: { id: 13, home: '…', keys: '…' },
    },
  ),
  'certificate.get': frame(
    { id, user: name },
    {
      phase: 'after',
      reply: 'certificate.list',
      errors: ['USER_UNKNOWN', 'QUORUM_UNAVAILABLE'],
      doc: 'All certificates of a user.',
      example: { id: 14, user: 'bob' },
    },
  ),
  ping: frame(
    { id },
    { phase: 'always', reply: 'pong', errors: [], doc: 'Is the gateway there?', example: { id: 15 } },
  ),
} as const

/** What a gateway sends. */
export const gatewayFrames = {
  'auth.challenge': frame(
    { id, gateway: name, nonce, signature: bytes, map: bytes },
    {
      phase: 'before',
      errors: [],
      doc: 'The gateway’s nonce, its signature over the transcript, and the signed map in which its key stands.',
      example: { id: 1 },
    },
  ),
  'auth.welcome': frame(
    {
      id,
      session: name,
      now: v.pipe(v.number(), v.minValue(0), v.maxValue(limits.maxNumber)),
      gateways: v.array(v.string()),
    },
    {
      phase: 'before',
      errors: [],
      doc: 'The session is open. `now` is the gateway’s clock; `gateways` where else to go.',
      example: { id: 2 },
    },
  ),
  'auth.certified': frame(
    { id, certificate: bytes },
    { phase: 'always', errors: [], doc: 'A certificate signed by the authority.', example: { id: 1 } },
  ),
  'auth.map': frame(
    { id: v.optional(id), map: bytes, gateway: name },
    {
      phase: 'always',
      errors: [],
      doc: 'The newest signed cluster map; sent unasked (without id) when it changes.',
      example: { id: 1 },
    },
  ),
  'link.code': frame(
    { id, code: name },
    {
      phase: 'before',
      errors: [],
      doc: 'The code to approve on another device. First 80 bits of SHA-256 of the claim’s key in base32, so the approver can check it.',
      example: { id: 1 },
    },
  ),
  'link.claim': frame(
    { id, claim: bytes },
    { phase: 'after', errors: [], doc: 'The claim behind a code.', example: { id: 7 } },
  ),
  ok: frame({ id }, { phase: 'always', errors: [], doc: 'Done.', example: { id: 9 } }),
  pong: frame({ id }, { phase: 'always', errors: [], doc: 'Here.', example: { id: 15 } }),
  'record.stored': frame(
    { id, at: time },
    {
      phase: 'after',
      errors: [],
      doc: 'Durable on W homes of every mailbox it is for. `at`: acceptedAt in ms.',
      example: { id: 11, at: 1_790_000_000_000 },
    },
  ),
  'record.push': frame(
    { records: v.array(record) },
    {
      phase: 'after',
      errors: [],
      doc: 'Records for this user, known to be on W homes. Moves no cursor.',
      example: { records: [['…', 1_790_000_000_000]] },
    },
  ),
  'feed.opened': frame(
    { id, homes: v.array(v.object({ home: name, feed: name, head: count })), complete: v.boolean() },
    {
      phase: 'after',
      errors: [],
      doc: 'The homes in use; complete = they are N-W+1, so nothing stored can be missing.',
      example: { id: 12 },
    },
  ),
  'feed.page': frame(
    { home: name, feed: name, from: count, to: count, head: count, keys, records: v.optional(v.array(record)) },
    {
      phase: 'after',
      errors: [],
      doc: 'A page of one home’s feed of this mailbox. When `from` is not above the client’s cursor there (or the feed id differs and `from` is 0) the client may set the cursor to `to` once it has stored every record of the page, in one batch with them.',
      example: { home: '…', feed: '…', from: 0, to: 12, head: 12, keys: '…' },
    },
  ),
  'feed.records': frame(
    { id, records: v.array(record), missing: keys },
    { phase: 'after', errors: [], doc: 'The reply to feed.fetch.', example: { id: 13 } },
  ),
  'feed.slow': frame(
    {},
    {
      phase: 'after',
      errors: [],
      doc: 'The client read too slowly and pushes were dropped; open the feed again with the cursors to go on.',
      example: {},
    },
  ),
  'feed.changed': frame(
    {},
    {
      phase: 'after',
      errors: [],
      doc: 'The homes of the feed changed or one was lost; open the feed again with the cursors.',
      example: {},
    },
  ),
  'certificate.list': frame(
    { id, certificates: v.array(bytes) },
    { phase: 'after', errors: [], doc: 'Certificates of the user asked for.', example: { id: 14 } },
  ),
  'session.drain': frame(
    { gateways: v.array(v.string()) },
    {
      phase: 'always',
      errors: [],
      doc: 'This gateway is going away; connect to one of these.',
      example: { gateways: ['ws://…'] },
    },
  ),
  error: frame(
    {
      id: v.optional(id),
      code: name,
      message: v.string(),
      retryable: v.boolean(),
      outcome: v.picklist(['refused', 'unknown']),
      details: v.optional(v.record(v.string(), v.unknown())),
    },
    {
      phase: 'always',
      errors: [],
      doc: 'A request failed (with its id), or the connection is about to be closed (without).',
      example: { id: 11, code: 'RATE_LIMITED', message: '…', retryable: true, outcome: 'refused' },
    },
  ),
} as const

export type ClientFrameType = keyof typeof clientFrames
export type GatewayFrameType = keyof typeof gatewayFrames
export type ClientFrame<T extends ClientFrameType> = v.InferOutput<(typeof clientFrames)[T]['schema']>
export type GatewayFrame<T extends GatewayFrameType> = v.InferOutput<(typeof gatewayFrames)[T]['schema']>
