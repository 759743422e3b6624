// What gateways ask of group nodes: sending to a group, changing it, reading its versions.
// Numbers are append-only: they are on the wire.
import { limits } from './limits.ts'
import { declare } from './rpc-method.ts'

/** Two quorum writes one after the other, and a second attempt of the first at a newer version. */
const SEND_TIMEOUT_MS = 3 * limits.appendTimeoutMs

export const groupSend = declare<
  { sealed: Uint8Array; acceptedAt: number },
  { at: number; version: number; users: string[] }
>({
  name: 'group.send',
  number: 100,
  stream: 'data',
  timeoutMs: SEND_TIMEOUT_MS,
  request: { sealed: 'bytes', acceptedAt: 'count' },
  answer: { at: 'count', version: 'count', users: ['list', 'text'] },
  doc: 'Sends a record (msg, void, tomb) to the members of its group. Answers when it is durable for the group and in its author’s own mailbox, with acceptedAt, the version it is sent at and that version’s members; the copies follow. GROUP_UNKNOWN, GROUP_DENIED, GROUP_UNAVAILABLE (the version that a message names is not known to the group’s homes), QUORUM_UNAVAILABLE, OUTCOME_UNKNOWN, RATE_LIMITED.',
})
export const groupPropose = declare<{ record: Uint8Array }, { record: Uint8Array; users: string[] }>({
  name: 'group.propose',
  number: 101,
  stream: 'data',
  timeoutMs: SEND_TIMEOUT_MS,
  request: { record: 'bytes' },
  answer: { record: 'bytes', users: ['list', 'text'] },
  doc: 'Verifies a change and proposes it as the next version; answers with the record once it is decided, and with whom it is for: the members before and after. GROUP_*, USER_UNKNOWN, AUTH_SIGNATURE, QUORUM_UNAVAILABLE, OUTCOME_UNKNOWN.',
})
export const groupGet = declare<
  { group?: string; name?: string; version?: number; user: string },
  { record: Uint8Array }
>({
  name: 'group.get',
  number: 102,
  stream: 'control',
  timeoutMs: SEND_TIMEOUT_MS,
  request: { group: ['optional', 'text'], name: ['optional', 'text'], version: ['optional', 'count'], user: 'text' },
  answer: { record: 'bytes' },
  doc: 'A version of a group (by id or by name), the newest when none is named, for a user who is or was a member in it. GROUP_UNKNOWN, GROUP_DENIED, QUORUM_UNAVAILABLE.',
})
export const groupMembers = declare<{ group: string }, { version: number; users: string[] }>({
  name: 'group.members',
  number: 103,
  stream: 'control',
  timeoutMs: limits.rpcTimeoutMs,
  request: { group: 'text' },
  answer: { version: 'count', users: ['list', 'text'] },
  doc: 'Who is in a group, perhaps of a version that was the newest seconds ago: for what is not stored. GROUP_UNKNOWN.',
})
