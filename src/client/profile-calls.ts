// What processes of one profile ask its owner: the methods of Chat whose arguments and results are plain JSON, and the lines that
// carry them. Both ends of the profile's socket use this table.
import type { WireError } from '../protocol/errors.ts'
import type { ChatEvent, LiveEvent, LiveOptions, ChatGroups, OwnerChat } from './api.ts'

const sharedMethods = [
  'send',
  'edit',
  'delete',
  'react',
  'history',
  'lines',
  'gaps',
  'inbox',
  'markRead',
  'status',
  'forward',
  'transfers',
  'attachments',
  'blobAccess',
  'search',
  'block',
  'unblock',
  'blocked',
  'devices',
  'revoke',
  'approveLink',
  'fingerprints',
  'verify',
  'unverified',
  'markUnread',
  'typing',
  'setLevel',
  'settled',
  'caughtUp',
  'position',
  'mark',
  'setMark',
  'connection',
  'group.create',
  'group.add',
  'group.remove',
  'group.leave',
  'group.role',
  'group.rename',
  'group.topic',
  'group.compared',
  'group.info',
  'group.list',
] as const satisfies (keyof OwnerChat | `group.${keyof ChatGroups}`)[]

/** Their last argument are options with a signal, which does not cross the socket as it is. */
const waitingMethods: ReadonlySet<SharedMethod> = new Set<SharedMethod>(['send', 'forward', 'edit', 'delete', 'react'])
export const isWaitingMethod = (method: SharedMethod): boolean => waitingMethods.has(method)

export type SharedMethod = (typeof sharedMethods)[number]
export const isSharedMethod = (name: unknown): name is SharedMethod =>
  (sharedMethods as readonly unknown[]).includes(name)

export type StreamCall =
  | { method: 'events'; args: [{ after: number }] }
  | { method: 'live'; args: [Omit<LiveOptions, 'signal'>] }
export interface StreamEvent {
  events: ChatEvent
  live: LiveEvent
}
export type Call =
  | { id: number; method: SharedMethod; args: unknown[] }
  | ({ id: number } & StreamCall)
  | { cancel: number }
/** `ready`: the first line of every connection, `alive`: now and then. A process that is stopped says neither. */
export type Answer =
  | { ready: true }
  | { alive: true }
  | { id: number; value: unknown }
  | { id: number; error: WireError }
  | { id: number; event: ChatEvent | LiveEvent }
  | { changed: true }

type Method = (...args: unknown[]) => Promise<unknown>
/** Calls a method of a Chat, or of its groups, by its name in the table above. */
export const callByName = (chat: OwnerChat, name: SharedMethod, args: unknown[]): Promise<unknown> => {
  const [first, second] = name.split('.') as [string, string?]
  // The table's names are those of Chat and ChatGroups.
  const target = (second === undefined ? chat : chat.group) as unknown as Record<string, Method | undefined>
  const method = target[second ?? first]
  if (!method) throw new TypeError(`there is no method ${name}`)
  return method.apply(target, args)
}
