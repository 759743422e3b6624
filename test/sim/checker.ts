// Judges one run by the invariants of docs/architecture.md, from its history and the state at its end. Pure: knows no services.
// Every check must be able to fail: test/component/sim-checker.test.ts breaks each, and the mutants of the services do too.
import type { MessageStatus } from '../../src/client/api.ts'
import type { GroupRole } from '../../src/protocol/group.ts'
import type { GroupChangeName } from '../../src/protocol/records.ts'
import { blobChecks } from './check-blobs.ts'
import { forkChecks } from './check-forks.ts'
import { groupChecks } from './check-groups.ts'
import { homeChecks } from './check-homes.ts'
import { orderChecks } from './check-order.ts'
import { referenceChecks } from './check-references.ts'
import { shownChecks } from './check-shown.ts'
import { statusChecks } from './check-status.ts'
import type { History } from './history.ts'

export interface Violation {
  /** Number in docs/architecture.md, What is guaranteed; 0 = something threw that no one expects. */
  invariant: number
  message: string
}

interface ListedMessage {
  id: string
  from: string
  to: string
  text: string
  status: MessageStatus
  deleted: boolean
  /** `👍 u0 u1, 🎉 u0`. */
  reactions: string
}
/** What a device shows at the end. */
export interface DeviceState {
  /** `u0/0`. */
  name: string
  user: string
  /** By conversation, in the order shown. */
  listed: Record<string, ListedMessage[]>
  /** Conversations in which something is still shown as missing. */
  gaps: string[]
  /** By group: members of whom it says that they were shown another history of it. */
  disputed: Record<string, string[]>
  /** Still in the outbox. */
  queued: number
  /** Attachments of what it lists, fetched just now. */
  files: FetchedFile[]
}
export interface FetchedFile {
  /** Of the message. */
  id: string
  blob: string
  /** `right`, `wrong`, or the code of what stood in the way. */
  outcome: string
}
export interface HomeEntry {
  mailbox: string
  /** Hex. */
  key: string
  id: string
  from: string
  /** The text of a message, else the kind; nothing when it was deleted. */
  text: string
  /** Of a message: its number in the conversation of its device. */
  seq?: number
  /** Of a message to a group: the version that it names. */
  gv?: number
  /** The home gives it to whoever may read the mailbox: it has the body, and knows of no deletion. */
  isServed: boolean
}
/** What a home holds at the end. */
export interface HomeState {
  peer: string
  entries: HomeEntry[]
  /** Records that its feed names under more than one number; not judged on a home that was damaged. */
  repeated: string[]
}
/** A version of a group, where somebody keeps it as decided. */
export interface SeenVersion {
  /** A home or a device. */
  where: string
  digest: string
  /** Of the change, with its author. */
  id: string
  by: string
  change: GroupChangeName
  users: string[]
  /** The group's id and name. */
  group: string
  name: string
  version: number
  members: string[]
  roles: Record<string, GroupRole>
}
export interface EndState {
  devices: DeviceState[]
  homes: HomeState[]
  /** Mailbox -> the homes it has under the last map. */
  homesOf: Record<string, string[]>
  versions: SeenVersion[]
  /** Of what devices list: where each has to be, and where it is. */
  blobs: { blob: string; homes: string[]; holders: string[] }[]
  /** Messages for which some home keeps a blob. */
  pins: { home: string; id: string }[]
  /** Ids and texts that a hostile node made up: they may lie in mailboxes, but nobody shows them. */
  forged: string[]
  /** Ids of messages to groups that somebody signed who was in none of them. */
  intruded: string[]
}

export interface Check {
  invariant: number
  name: string
  /** True when it says something only after the heal; else it holds at any time. */
  isEventual: boolean
  find: (run: { history: History; end: EndState }) => string[]
}

export const checks: readonly Check[] = [
  ...blobChecks,
  ...groupChecks,
  ...forkChecks,
  ...homeChecks,
  ...shownChecks,
  ...orderChecks,
  ...statusChecks,
  ...referenceChecks,
]

/** What holds though a home lies about the ledger of groups: it may withhold, and show different histories, and no more. */
const DESPITE_LIES: ReadonlySet<string> = new Set([
  ...forkChecks.map(({ name }) => name),
  'shown but never sent so',
  'shown to somebody else',
  'shown twice',
  'shown though its author was no member',
])
const despiteLies = checks.filter(({ name }) => DESPITE_LIES.has(name))

export const findViolations = (
  run: { history: History; end: EndState },
  { hasLyingHome = false }: { hasLyingHome?: boolean } = {},
): Violation[] =>
  (hasLyingHome ? despiteLies : checks).flatMap(({ invariant, name, find }) =>
    find(run).map((message) => ({ invariant, message: `${name}: ${message}` })),
  )
