// What a gateway sends.
import * as v from 'valibot'
import { limits } from './limits.ts'
import { bytes, count, frame, id, keys, name, nonce, record, time } from './frame-schema.ts'

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
  'group.record': frame(
    { id, record: bytes },
    { phase: 'after', errors: [], doc: 'A decided version of a group.', example: { id: 16, record: '…' } },
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
    { id, certificates: v.array(bytes), cached: v.optional(v.boolean()) },
    {
      phase: 'after',
      errors: [],
      doc: 'Certificates of the user asked for. `cached`: too few homes answered, so the newest may be missing.',
      example: { id: 14 },
    },
  ),
  'media.token': frame(
    { id, token: v.pipe(v.string(), v.maxLength(64)), maxBlobBytes: count },
    {
      phase: 'after',
      errors: [],
      doc: 'For `Authorization: Bearer` on /blob/<id> of this gateway; it ends with the session. No larger blob is taken.',
      example: { id: 16, token: '…', maxBlobBytes: 104_883_200 },
    },
  ),
  'live.presence': frame(
    { users: v.array(v.tuple([name, v.picklist(['online', 'offline']), v.nullable(time)])) },
    {
      phase: 'after',
      errors: [],
      doc: 'Watched users whose presence is known or has changed: [user, state, when last there in ms or null]. May be seconds old, and lost.',
      example: { users: [['bob', 'online', null]] },
    },
  ),
  'live.typing': frame(
    { from: name, conversation: v.pipe(v.string(), v.maxLength(80)), active: v.boolean() },
    {
      phase: 'after',
      errors: [],
      doc: 'Somebody is typing in a conversation (`alice:bob`, or the id of a group), or no more. Believed for six seconds.',
      example: { from: 'bob', conversation: 'alice:bob', active: true },
    },
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
