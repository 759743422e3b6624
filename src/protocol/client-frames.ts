// What a client sends. Fields that are not declared are ignored, so that newer clients can talk to older gateways.
import * as v from 'valibot'
import { limits } from './limits.ts'
import { bytes, count, cursors, frame, id, keys, name, nonce } from './frame-schema.ts'

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
        'GROUP_UNKNOWN',
        'GROUP_DENIED',
        'GROUP_UNAVAILABLE',
        'QUORUM_UNAVAILABLE',
        'OUTCOME_UNKNOWN',
        'RATE_LIMITED',
        'GATEWAY_DRAINING',
      ],
      doc: 'Stores a sealed record (msg, void, rcpt, set, tomb) of this device in the mailboxes its header names; msg, void and tomb may be addressed to a group’s id, then in those of its members. Answered after fsync on W homes of each (group: of the group and of the author’s own mailbox; the members’ follow by themselves). An error with outcome "refused" wrote nothing, ever; with "unknown" it must be sent again, the same bytes.',
      example: { id: 11, record: '…' },
    },
  ),
  'group.propose': frame(
    { id, record: bytes },
    {
      phase: 'after',
      reply: 'group.record',
      errors: [
        'GROUP_INVALID',
        'GROUP_DENIED',
        'GROUP_CONFLICT',
        'GROUP_UNKNOWN',
        'GROUP_NAME_TAKEN',
        'GROUP_NAME_ILLEGAL',
        'GROUP_TOPIC_ILLEGAL',
        'GROUP_FULL',
        'GROUP_MEMBER_KNOWN',
        'GROUP_MEMBER_UNKNOWN',
        'GROUP_OWNER_NEEDED',
        'USER_UNKNOWN',
        'MESSAGE_INVALID',
        'MESSAGE_TIME',
        'GROUP_UNAVAILABLE',
        'QUORUM_UNAVAILABLE',
        'OUTCOME_UNKNOWN',
        'RATE_LIMITED',
        'GATEWAY_DRAINING',
      ],
      doc: 'Proposes a sealed record of kind group as the next version of its group. The answer is that record: it is decided, for ever. GROUP_CONFLICT: another version was decided in its place; details.record is the newest one (base64): make the change anew on it. May be repeated, the same bytes.',
      example: { id: 16, record: '…' },
    },
  ),
  'group.get': frame(
    { id, group: name, version: v.optional(count) },
    {
      phase: 'after',
      reply: 'group.record',
      errors: ['GROUP_UNKNOWN', 'GROUP_DENIED', 'GROUP_UNAVAILABLE', 'QUORUM_UNAVAILABLE'],
      doc: 'A version of a group by its id or its name (`#ops`), the newest (linearizable) when none is asked for; of versions this user is or was a member in.',
      example: { id: 17, group: '#ops' },
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
  'media.token': frame(
    { id },
    {
      phase: 'after',
      reply: 'media.token',
      errors: [],
      doc: 'What a client needs to move attachments over HTTP.',
      example: { id: 16 },
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
  'live.watch': frame(
    {
      id,
      users: v.pipe(v.array(name), v.maxLength(limits.maxWatched)),
      typing: v.boolean(),
      shown: v.boolean(),
    },
    {
      phase: 'after',
      reply: 'ok',
      errors: ['RATE_LIMITED'],
      doc: 'What this session is told from now on: whether these users (at most 200) are there, and who is typing to this user. `shown`: others may see that this user is there. Replaces what was asked for before; a session that never asks is told nothing and seen by nobody.',
      example: { id: 17, users: ['bob'], typing: true, shown: true },
    },
  ),
  'live.typing': frame(
    { id, to: name, active: v.boolean() },
    {
      phase: 'after',
      errors: [],
      doc: 'This user is typing to a user or a group (its id), or no more. No reply, unless it fails. Never stored; dropped under load, beyond five a second, and for those who are not there.',
      example: { id: 18, to: 'bob', active: true },
    },
  ),
  ping: frame(
    { id },
    { phase: 'always', reply: 'pong', errors: [], doc: 'Is the gateway there?', example: { id: 15 } },
  ),
} as const
