// The part of the client library's interface that is about groups: their changes, as events and as lines, and how to make them.
import type { GroupRole } from '../protocol/group.ts'
import type { GroupChangeName } from '../protocol/records.ts'
import type { Timestamp } from './api.ts'

export type { GroupRole } from '../protocol/group.ts'

/** A group changed; of a change that concerns several users, one event for each. */
export interface GroupEvent {
  type: 'group'
  /** Its current name. */
  group: string
  version: number
  by: string
  change: GroupChangeName
  /** Who was added, removed, or given another role. */
  user?: string
  /** The new one, when that is what changed. */
  role?: GroupRole
  /** The new one, when that is what changed; empty when it was taken away. */
  topic?: string
  at: Timestamp
}
/** A change as a line of the conversation: what one event for each user says, together. */
export interface HistoryChange {
  type: 'group'
  /** Of the change. */
  id: string
  /** The group's current name. */
  conversation: string
  version: number
  by: string
  change: GroupChangeName
  /** Who was added, removed or given another role; of a new group, its members besides who made it. */
  users: string[]
  /** The new one, when that is what changed. */
  role?: GroupRole
  /** The name that it got by this, when it was made or renamed. */
  name?: string
  /** The new one, when that is what changed; empty when it was taken away. */
  topic?: string
  at: Timestamp
}
export interface GroupReport {
  /** Its name. */
  group: string
  version: number
  /** What it is about, in one line, when that is said. */
  topic?: string
  /** By name. */
  members: { user: string; role: GroupRole }[]
  /**
   * Who has another history of the group than this device: his messages name another version than is here, or he made one that does not
   * follow from those before it. Absent when there is nobody. A home lies to some of the members: compare with them who is in it.
   */
  disputedBy?: string[]
}
export interface GroupChangeOptions {
  /** A change that is repeated under its id happens once; made by the library when absent. */
  id?: string
  timeoutMs?: number
}
/**
 * Groups are named `#name`. Every change resolves with the group as it is after it; one that lost a race is repeated on the new state.
 * ChatError: GROUP_UNKNOWN, GROUP_DENIED, GROUP_OWNER_NEEDED, GROUP_FULL, USER_UNKNOWN, OUTCOME_UNKNOWN, …
 */
export interface ChatGroups {
  /** With these users as members, and this one as its owner. GROUP_NAME_TAKEN. */
  create(name: string, users?: string[], options?: GroupChangeOptions): Promise<GroupReport>
  /** GROUP_MEMBER_KNOWN. */
  add(name: string, users: string[], options?: GroupChangeOptions): Promise<GroupReport>
  /** GROUP_MEMBER_UNKNOWN. */
  remove(name: string, users: string[], options?: GroupChangeOptions): Promise<GroupReport>
  leave(name: string, options?: GroupChangeOptions): Promise<GroupReport>
  role(name: string, user: string, role: GroupRole, options?: GroupChangeOptions): Promise<GroupReport>
  /** GROUP_NAME_TAKEN. */
  rename(name: string, newName: string, options?: GroupChangeOptions): Promise<GroupReport>
  /** What the group is about, in one line; empty takes it away. GROUP_TOPIC_ILLEGAL. */
  topic(name: string, topic: string, options?: GroupChangeOptions): Promise<GroupReport>
  /** The user compared who is in it with those of `disputedBy`, who are not named any more, unless later versions differ too. GROUP_UNKNOWN. */
  compared(name: string): Promise<GroupReport>
  /** As it is in the cluster now, whatever this device has heard. */
  info(name: string): Promise<GroupReport>
  /** Groups that this user is in, as far as this device has heard. */
  list(): Promise<GroupReport[]>
}
