// The client library's interface: what the command line, the terminal client and bots use, whichever process owns the profile.
// Shapes of results are those of `--json`; programs are written against them.
import type { Attachment } from '../protocol/content.ts'
import type { ErrorCode, WireError } from '../protocol/errors.ts'
import type { FetchedAttachment, FetchOptions, ShownAttachment, Transfer } from './file-api.ts'
import type { ChatGroups, GroupEvent, HistoryChange } from './group-api.ts'
import type { BlobAccess } from './ports.ts'

export type { FetchedAttachment, FetchOptions, ShownAttachment, Transfer } from './file-api.ts'
export type { ChatGroups, GroupChangeOptions, GroupEvent, GroupReport, GroupRole, HistoryChange } from './group-api.ts'

/** Where a message of one's own stands; `refused` is final. */
export type MessageStatus = 'queued' | 'stored' | 'received' | 'read' | 'refused'
/** RFC 3339 in UTC with milliseconds. */
export type Timestamp = string

export interface SendOptions {
  /** Chosen by the caller to make a repeat harmless; made by the library when absent. */
  id?: string
  /** Paths of what goes with the message. They must stay as they are until it is stored. */
  files?: string[]
  reply?: string
  /** Resolve once this state is reached by every recipient; `queued` = once it is in the outbox on disk. Default stored. */
  wait?: 'queued' | 'stored' | 'received' | 'read'
  timeoutMs?: number
  signal?: AbortSignal
}
export interface SendResult {
  id: string
  to: string
  /** The other user's name, or `#group`. */
  conversation: string
  status: MessageStatus
  storedAt: Timestamp | null
  receivedAt: Timestamp | null
  readAt: Timestamp | null
}
export interface ShownMessage {
  type: 'message'
  id: string
  conversation: string
  from: string
  to: string
  at: Timestamp
  text: string
  attachments: ShownAttachment[]
  reply?: string
  /** In a group: whom its author names; `@all` for everybody, which counts where its author may call all. */
  mentions?: string[]
}
/** Who reacted with it, by name. */
export interface ShownReaction {
  emoji: string
  users: string[]
}
export interface HistoryMessage extends ShownMessage {
  status: MessageStatus
  /** Its author replaced the text; `text` is the newest. */
  edited?: true
  /** Only its place is left: the text is empty. */
  deleted?: true
  /** Absent when there are none. */
  reactions?: ShownReaction[]
  /** Why it was refused, in one sentence; only with the status `refused`. */
  problem?: string
}
/** Without `before`, `after` and `since`: the newest. */
export interface HistoryOptions {
  limit?: number
  /** The id of a message: the newest before it. */
  before?: string
  /** The id of a message: the oldest after it. */
  after?: string
  /** The oldest from that time on. */
  since?: Timestamp
}
/** A place in a conversation where messages of a device are known to be missing; repaired when they arrive. */
export interface Gap {
  device: string
  from: number
  to: number
  /** The id of the first held message after the gap; absent when that device is not known to have sent a later one. */
  before?: string
}
/** A line of a conversation: what was said, or, in a group, what was changed. */
export type HistoryLine = HistoryMessage | HistoryChange
export type ChatEvent =
  | (ShownMessage & { position: number })
  | { type: 'receipt'; id: string; user: string; status: 'received' | 'read'; at: Timestamp; position: number }
  | (GroupEvent & { position: number })
  /** `id` is that of the message, in these three. */
  | { type: 'edit'; id: string; conversation: string; from: string; text: string; at: Timestamp; position: number }
  | { type: 'delete'; id: string; conversation: string; by: string; at: Timestamp; position: number }
  | {
      type: 'reaction'
      id: string
      conversation: string
      from: string
      emoji: string
      /** False: it was taken back. */
      active: boolean
      at: Timestamp
      position: number
    }
/** What of a conversation draws attention: everything, what names the user, nothing. */
export type AttentionLevel = 'all' | 'mentions' | 'none'
export interface InboxEntry {
  conversation: string
  /** What the group is about, when that is said. */
  topic?: string
  /** As of the group (`GroupReport`). */
  disputedBy?: string[]
  /** The other user is blocked: nothing of theirs shows. */
  blocked?: true
  unread: number
  /** Marked as unread by hand, on any device of this user; reading it takes the mark away. */
  marked: boolean
  /** On this device; direct conversations begin with all, groups with mentions. */
  level: AttentionLevel
  mentions: number
  /** The id of the first unread message, when there is one. */
  firstUnread: string | null
  /** When something was said there last, or changed in the group; they are sorted by it. */
  activeAt: Timestamp | null
  last: HistoryMessage | null
}
export interface StatusReport {
  id: string
  storedAt: Timestamp | null
  recipients: { user: string; receivedAt: Timestamp | null; readAt: Timestamp | null }[]
  /** Refused for good: it will never be stored. */
  refused?: true
}
/** What was in the outbox and will never be sent, and why. */
export interface Refusal {
  id: string
  conversation: string
  error: WireError
}
export interface DeviceReport {
  device: string
  current: boolean
  since: Timestamp
  expires: Timestamp
  revoked: boolean
}
export interface DeviceFingerprint {
  device: string
  /** Eight groups of four hexadecimal digits. */
  fingerprint: string
  /** It was compared before, on this device. */
  verified: boolean
}
/** Somebody whose devices were compared once, and who has others since. */
export interface UnverifiedUser {
  user: string
  devices: string[]
}
export interface ConnectionReport {
  state: 'online' | 'connecting' | 'waiting' | 'closed'
  gateway: string | null
  /** Milliseconds until the next try while waiting. */
  retryInMs: number | null
  /** Messages in the outbox. */
  queued: number
  /** False when too few homes answer, so that something stored may not be shown yet. */
  complete: boolean
  /** Milliseconds of the last round trip to the gateway. */
  lagMs: number | null
  /** Why the last connection ended or could not be made. */
  problem: string | null
  /** Gateways refuse this device for good: revoked, expired, of another cluster. */
  denied?: { code: ErrorCode; message: string } | null
}

export interface ReferenceOptions {
  /** Id of the record of an edit or a reaction, chosen by the caller to make a repeat harmless. */
  id?: string
  /** Resolve once it is in the outbox on disk, or stored. Default stored. */
  wait?: 'queued' | 'stored'
  timeoutMs?: number
  signal?: AbortSignal
}
/** What became of an edit, a deletion or a reaction. */
export interface ReferenceResult {
  /** Of the message it is about. */
  id: string
  conversation: string
  status: 'queued' | 'stored'
}
export interface ReactionResult extends ReferenceResult {
  emoji: string
  /** False: it was taken back. */
  active: boolean
}

export interface LiveOptions {
  /** Whose presence to be told of; at most 200 of all readers of a profile together. */
  watch?: string[]
  /** Others may see that this user is there, as long as somebody reads so. */
  shown?: boolean
  signal?: AbortSignal
}
/** Of the moment, never stored. Typing ends by itself when it is not heard of again. */
export type LiveEvent =
  | { type: 'typing'; conversation: string; from: string; active: boolean }
  | { type: 'presence'; user: string; state: 'online' | 'offline'; lastSeen: Timestamp | null }

/** What the process that owns the profile does, for itself and for the others. */
export interface OwnerChat {
  readonly user: string
  readonly device: string
  readonly cluster: string
  readonly group: ChatGroups
  /** ChatError: TIMEOUT when the awaited state is not reached (details.result is the SendResult so far), USER_UNKNOWN, MESSAGE_TOO_LARGE, … */
  send(to: string, text: string, options?: SendOptions): Promise<SendResult>
  /** Replaces the text of an own message. MESSAGE_UNKNOWN, MESSAGE_DENIED when it is another's, MESSAGE_EMPTY when nothing is left, else as send(). */
  edit(id: string, text: string, options?: ReferenceOptions): Promise<ReferenceResult>
  /** Takes the text of an own message from everybody, that of another's from this user's devices; its place stays. */
  delete(id: string, options?: ReferenceOptions): Promise<ReferenceResult>
  /** One emoji of this user on a message (`👍`, or by its name, `:tada:`), on or off; not said which: whichever it is not. MESSAGE_UNKNOWN, USAGE. */
  react(id: string, emoji: string, options?: ReferenceOptions & { active?: boolean }): Promise<ReactionResult>
  /** Oldest first. MESSAGE_UNKNOWN when `before` or `after` is not in that conversation. */
  history(conversation: string, options?: HistoryOptions): Promise<HistoryMessage[]>
  /** The same with what was changed in the group; `before` and `after` may name a change too. */
  lines(conversation: string, options?: HistoryOptions): Promise<HistoryLine[]>
  gaps(conversation: string): Promise<Gap[]>
  inbox(): Promise<InboxEntry[]>
  /** Marks everything shown (up to a message) as read; resolves once the receipts are in the outbox on disk. */
  markRead(conversation: string, options?: { upTo?: string }): Promise<{ marked: number }>
  status(id: string): Promise<StatusReport>
  /** Sends a message's text and attachments to others; nothing is uploaded again. MESSAGE_UNKNOWN, and as `send`. */
  forward(id: string, to: string, options?: Omit<SendOptions, 'files' | 'reply'>): Promise<SendResult>
  /** Files of messages in the outbox, with how far they are. */
  transfers(): Promise<Transfer[]>
  /** The attachments of a message with their keys. MESSAGE_UNKNOWN. */
  attachments(id: string): Promise<Attachment[]>
  /** For moving attachments in the name of the open session. NET_UNAVAILABLE when none opens in time. */
  blobAccess(): Promise<BlobAccess>
  /** CONVERSATION_UNKNOWN, GROUP_UNKNOWN when `in` names none that is on this device; as markUnread and setLevel. */
  search(words: string, options?: { in?: string; limit?: number }): Promise<HistoryMessage[]>
  /** Shows it as unread until it is read, on all devices of this user. */
  markUnread(conversation: string): Promise<void>
  /**
   * How loud a conversation is on this device, for all its processes; without a level as usual; what it is now. `begun`: also one in
   * which nothing was said yet, whose name is as it was meant. USAGE.
   */
  setLevel(conversation: string, level?: AttentionLevel, options?: { begun?: boolean }): Promise<AttentionLevel>
  block(user: string): Promise<void>
  unblock(user: string): Promise<void>
  blocked(): Promise<string[]>
  devices(): Promise<DeviceReport[]>
  revoke(device: string): Promise<void>
  /** Approves the new device that shows this code. */
  approveLink(code: string): Promise<{ device: string }>
  /** What arrived after `after` (a position; 0 = from the beginning, default = from now on), then live. Ends with the signal or close. */
  events(options?: { after?: number; signal?: AbortSignal }): AsyncIterable<ChatEvent>
  /** Who is typing to this user, and whether the watched users are there: first what is known, then live. Ends with the signal or close. */
  live(options?: LiveOptions): AsyncIterable<LiveEvent>
  /** This user is typing, or no more; to be called at every key. Never waits for anything, and may be lost. */
  typing(conversation: string, active: boolean): Promise<void>
  /**
   * Everything in the outbox has been answered, and the feed has been read to the head it had after this call. `refused`: which of the
   * messages that were in the outbox at this call never leave it. TIMEOUT (details.refused: those so far, if any).
   */
  settled(options?: { timeoutMs?: number }): Promise<{ refused: Refusal[] }>
  /** The feed has been read to the head it had after this call: everything stored before is there. TIMEOUT. */
  caughtUp(options?: { timeoutMs?: number }): Promise<void>
  /** The position of the newest event. */
  position(): Promise<number>
  /** How far the reader of that name got with the events: kept in the profile, 0 at first. */
  mark(name: string): Promise<number>
  setMark(name: string, position: number): Promise<void>
  /** Of each device of a user, to be compared in person. USER_UNKNOWN. */
  fingerprints(user: string): Promise<DeviceFingerprint[]>
  /** They were compared, all that the user has now. USER_UNKNOWN. */
  verify(user: string): Promise<DeviceFingerprint[]>
  /** Who was verified and has new devices since, as far as this device has heard: to be warned of. */
  unverified(): Promise<UnverifiedUser[]>
  connection(): Promise<ConnectionReport>
  /** Called when the connection or anything shown changes: at once, and what follows at most every 16 ms. Returns how to stop it. */
  onChange(listener: () => void): () => void
  close(): Promise<void>
}

export interface Chat extends OwnerChat {
  /**
   * Fetches the attachments of a message into a directory, under safe names that are free. What was fetched before a break is not
   * fetched again. Each is verified as a whole before it gets its name. MESSAGE_UNKNOWN, FILE_UNKNOWN when it has none, BLOB_UNKNOWN.
   */
  fetchAttachments(id: string, options?: FetchOptions): Promise<FetchedAttachment[]>
  /** The bytes of one attachment (its place in the message, from 0), verified part by part as they come, the whole at the end. */
  readAttachment(id: string, index: number, options?: { signal?: AbortSignal }): AsyncIterable<Uint8Array>
}
