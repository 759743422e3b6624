// What processes of one profile ask its owner: the methods of Chat whose arguments and results are plain JSON, and the lines that
// carry them. Both ends of the profile's socket use this table.
import type { WireError } from '../protocol/errors.ts'
import type { Chat, ChatEvent } from './api.ts'

const sharedMethods = [
  'send',
  'history',
  'gaps',
  'inbox',
  'markRead',
  'status',
  'search',
  'block',
  'unblock',
  'blocked',
  'devices',
  'revoke',
  'approveLink',
  'fingerprints',
  'settled',
  'caughtUp',
  'position',
  'mark',
  'setMark',
  'connection',
] as const satisfies (keyof Chat)[]

export type SharedMethod = (typeof sharedMethods)[number]
export const isSharedMethod = (name: unknown): name is SharedMethod =>
  (sharedMethods as readonly unknown[]).includes(name)

export type Call =
  | { id: number; method: SharedMethod; args: unknown[] }
  | { id: number; method: 'events'; args: [{ after: number }] }
  | { cancel: number }
/** `ready`: the first line of every connection, `alive`: now and then. A process that is stopped says neither. */
export type Answer =
  | { ready: true }
  | { alive: true }
  | { id: number; value: unknown }
  | { id: number; error: WireError }
  | { id: number; event: ChatEvent }
  | { changed: true }

/** How a Chat is called by name: the table above keeps names and methods together. */
export type Callable = Record<SharedMethod, (...args: unknown[]) => Promise<unknown>>
