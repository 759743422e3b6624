// The one error class and the one table of codes. A code is API: programs and tests match on it; the sentence is not.
// `outcome`: refused = nothing happened and nothing will; unknown = it may have happened, repeat under the same id.

export type Outcome = 'refused' | 'unknown'
interface ErrorRow {
  retryable: boolean
  outcome: Outcome
  /** Exit code of the command line, see interface.md: 1 failed, 2 usage, 3 not connected or unknown, 4 not found, 5 denied. */
  exit: 1 | 2 | 3 | 4 | 5
  message: string
}
const row = (exit: ErrorRow['exit'], retryable: boolean, message: string, outcome: Outcome = 'refused'): ErrorRow => ({
  retryable,
  outcome,
  exit,
  message,
})

export const errorTable = {
  NET_UNAVAILABLE: row(
    3,
    true,
    'No gateway could be reached; check the address and that the cluster runs, then try again',
  ),
  NET_TIMEOUT: row(
    3,
    true,
    'No answer came in time; it may have happened, so try again (the same id is never doubled)',
    'unknown',
  ),
  NET_CLOSED: row(3, true, 'The connection ended before the answer came; it is resumed by itself', 'unknown'),
  NET_INSECURE: row(
    2,
    false,
    'Plain ws:// beyond this machine sends messages in clear; use wss:// or say --insecure-ws',
  ),
  PEER_UNREACHABLE: row(3, true, 'A node of the cluster cannot be reached at the moment; try again'),
  PEER_DENIED: row(5, false, 'That peer is not a member of this cluster, or not in the role that may ask this'),
  PEER_OVERLOADED: row(3, true, 'Too much is waiting for a node of the cluster; try again in a moment'),
  QUORUM_UNAVAILABLE: row(
    3,
    true,
    'Too few stores of this mailbox can be reached, so nothing was done; try again when they are back',
  ),
  OUTCOME_UNKNOWN: row(
    3,
    true,
    'Too few stores confirmed in time; it may be stored, so repeat it under the same id',
    'unknown',
  ),
  EPOCH_STALE: row(3, true, 'The request was made under an older cluster map; the newer one comes with this answer'),
  EPOCH_AHEAD: row(3, true, 'This node has not seen the cluster map of the request yet; try again'),
  STORE_READ_ONLY: row(
    3,
    true,
    'The store takes no writes at the moment (its disk is full or damaged); free space, then try again',
  ),
  STORE_SYNCING: row(3, true, 'The store is reading back what it missed and does not answer reads yet; try again'),
  STORE_NO_SUBSCRIPTION: row(3, true, 'The store does not know this subscription (any more); subscribe again'),
  AUTH_UNAVAILABLE: row(
    3,
    true,
    'The authority cannot be reached; chat goes on, but registrations and changes wait for it',
  ),
  AUTH_NAME_TAKEN: row(5, false, 'That name belongs to someone else; choose another'),
  AUTH_NAME_ILLEGAL: row(2, false, 'A name is 1 to 32 of a-z, 0-9, dot, underscore and dash, beginning with a letter'),
  AUTH_INVITE: row(
    5,
    false,
    'Registration here needs a valid invite that is not used up or expired; ask the operator for one',
  ),
  AUTH_TICKET: row(5, false, 'The ticket is wrong, used or expired; make a new one with chatd ticket'),
  AUTH_DENIED: row(5, false, 'This device has no right to do that'),
  AUTH_SIGNATURE: row(5, false, 'A signature does not verify'),
  AUTH_KEY_WEAK: row(5, false, 'That public key is of small order and proves nothing; make a new one'),
  AUTH_CLUSTER: row(5, false, 'That belongs to another cluster'),
  AUTH_EXPIRED: row(5, false, 'The certificate or capability has expired; link the device again'),
  AUTH_REVOKED: row(5, false, 'This device was revoked by its user; link a new one: chat --profile NAME link'),
  AUTH_REQUIRED: row(5, false, 'Authenticate first'),
  AUTH_REPLAY: row(5, false, 'The proof does not belong to this connection'),
  LINK_UNKNOWN: row(4, false, 'That code is wrong or has expired; run chat link again on the new device'),
  USER_UNKNOWN: row(4, false, 'There is no user of that name; check its spelling'),
  NODE_UNKNOWN: row(4, false, 'There is no node of that name in this cluster'),
  DEVICE_UNKNOWN: row(4, false, 'That user has no such device; `devices` shows them'),
  GROUP_UNKNOWN: row(4, false, 'There is no group of that name; check its spelling'),
  GROUP_DENIED: row(
    5,
    false,
    'You are not a member of that group, or your role in it does not allow this; ask one of its owners',
  ),
  GROUP_NAME_TAKEN: row(5, false, 'Another group has that name; choose another'),
  GROUP_NAME_ILLEGAL: row(
    2,
    false,
    'A group’s name is # and 1 to 32 of a-z, 0-9, dot, underscore and dash, beginning with a letter',
  ),
  GROUP_TOPIC_ILLEGAL: row(2, false, 'The topic of a group is one line of at most 1 KiB'),
  GROUP_CONFLICT: row(3, true, 'The group was changed by someone else at the same time; repeat it on its new state'),
  GROUP_FULL: row(1, false, 'The group has as many members as groups may have here; make a second group'),
  GROUP_MEMBER_KNOWN: row(1, false, 'That user is a member of the group already'),
  GROUP_MEMBER_UNKNOWN: row(4, false, 'That user is not a member of the group'),
  GROUP_OWNER_NEEDED: row(1, false, 'A group needs an owner; make another member owner first'),
  GROUP_UNAVAILABLE: row(3, true, 'No node that serves groups can be reached at the moment; try again'),
  GROUP_SEALED: row(3, true, 'The group has a newer version than the request says; it is repeated at that version'),
  GROUP_INVALID: row(2, false, 'The change of the group is malformed or does not follow from the version before it'),
  CONVERSATION_UNKNOWN: row(4, false, 'There is no conversation of that name on this device; `inbox` lists them'),
  MESSAGE_UNKNOWN: row(4, false, 'There is no such message on this device; `history --ids` shows the ids of messages'),
  MESSAGE_DENIED: row(5, false, 'Only who wrote a message may change its text'),
  MESSAGE_EMPTY: row(2, false, 'The message is empty, so it was not sent; give it a text or a file'),
  MESSAGE_TOO_LARGE: row(2, false, 'A text may have 64 KiB; send longer ones as a file'),
  MESSAGE_INVALID: row(2, false, 'The record is malformed or not signed by this device for this place'),
  MESSAGE_TIME: row(
    1,
    true,
    'The time of the message is too far from the cluster’s; set this machine’s clock, then try again',
  ),
  BLOB_UNKNOWN: row(4, false, 'The cluster does not hold that attachment (any more); it must be sent again'),
  BLOB_TOO_LARGE: row(
    2,
    false,
    'The file is larger than this cluster takes; send a smaller one, or ask the operator to raise --max-blob',
  ),
  BLOB_QUOTA: row(
    5,
    false,
    'Your attachments fill what this cluster gives to one user; delete messages with some (each counts for a day from its upload), or ask the operator',
  ),
  BLOB_HASH: row(1, false, 'The bytes of the attachment are not those that were announced; send or fetch it again'),
  BLOB_INCOMPLETE: row(3, true, 'The attachment is not whole there yet; go on from the offset in the details'),
  BLOB_FULL: row(3, true, 'The stores of attachments are full at the moment; free space there, then try again'),
  FILE_UNKNOWN: row(4, false, 'There is no such file; check its path'),
  FILE_DENIED: row(5, false, 'That file or directory may not be read or written by this user'),
  FILE_CHANGED: row(1, false, 'The file was changed or removed while it was being sent, so it was not; send it again'),
  FRAME_INVALID: row(2, false, 'The frame is not a JSON object of a known type with the fields it needs'),
  FRAME_UNKNOWN: row(2, false, 'That type of frame is not known in this version of the protocol'),
  FRAME_TOO_LARGE: row(2, false, 'The frame is larger than this server takes'),
  RATE_LIMITED: row(3, true, 'Too many requests at once from this device; wait a moment and go on'),
  GATEWAY_DRAINING: row(3, true, 'This gateway is going away; connect to another'),
  GATEWAY_SESSIONS: row(
    3,
    true,
    'This device has too many connections to the gateway, and this was the oldest of them',
  ),
  FEED_SLOW: row(3, true, 'The client reads too slowly; live pushes stop until it has read its feed'),
  RPC_UNKNOWN: row(1, false, 'The peer does not know that method; are both of the same version?'),
  RPC_INVALID: row(1, false, 'The peer sent something malformed'),
  PROFILE_MISSING: row(4, false, 'This profile is not registered yet; run chat register NAME --gateway URL'),
  PROFILE_EXISTS: row(5, false, 'This profile already belongs to a user; choose another with --profile'),
  PROFILE_PERMISSIONS: row(
    5,
    false,
    'Key files must be readable by their owner only; chmod 600 the file and 700 its directory',
  ),
  DATA_DIRECTORY: row(1, false, 'The data directory cannot be used'),
  PORT_IN_USE: row(1, true, 'That address is in use; choose another or end the process that has it'),
  CLUSTER_STATE: row(1, false, 'That cannot be done in the cluster’s present state'),
  USAGE: row(2, false, 'Wrong usage; see --help'),
  TIMEOUT: row(3, true, 'The state waited for was not reached in time', 'unknown'),
  INTERNAL: row(1, true, 'Something unexpected went wrong; the log has the details', 'unknown'),
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof errorTable
export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(errorTable, code)

/** What crosses a wire in place of a result. */
export interface WireError {
  code: ErrorCode
  message: string
  retryable: boolean
  outcome: Outcome
  details?: Record<string, unknown>
}

export interface ChatErrorOptions {
  /** What is special about this case; the table's sentence when absent. */
  message?: string
  details?: Record<string, unknown>
  cause?: unknown
  outcome?: Outcome
}

export class ChatError extends Error {
  readonly code: ErrorCode
  readonly outcome: Outcome
  readonly details: Record<string, unknown> | undefined

  constructor(code: ErrorCode, options: ChatErrorOptions = {}) {
    super(options.message ?? errorTable[code].message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'ChatError'
    this.code = code
    this.outcome = options.outcome ?? errorTable[code].outcome
    this.details = options.details
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable
  }

  get exitCode(): number {
    return errorTable[this.code].exit
  }

  toWire(): WireError {
    const wire: WireError = { code: this.code, message: this.message, retryable: this.retryable, outcome: this.outcome }
    if (this.details) wire.details = this.details
    return wire
  }

  /** An unknown code (of a newer version) becomes INTERNAL, its text kept. */
  static fromWire(wire: Partial<WireError>): ChatError {
    const code = isErrorCode(wire.code) ? wire.code : 'INTERNAL'
    return new ChatError(code, {
      ...(typeof wire.message === 'string' ? { message: wire.message } : {}),
      ...(wire.details ? { details: wire.details } : {}),
      ...(wire.outcome === 'refused' || wire.outcome === 'unknown' ? { outcome: wire.outcome } : {}),
    })
  }
}

/** Any thrown thing as a ChatError; what is not one yet is INTERNAL and keeps its cause. */
export const asChatError = (error: unknown): ChatError =>
  error instanceof ChatError
    ? error
    : new ChatError('INTERNAL', { message: error instanceof Error ? error.message : String(error), cause: error })

export const hasCode = (error: unknown, ...codes: ErrorCode[]): boolean =>
  error instanceof ChatError && codes.includes(error.code)
