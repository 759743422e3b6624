// The one table of what a client may ask: each declared frame with its handler and what it costs of the sender's rate limit.
// A frame that is declared and not in the table does not compile.
import type { ClientFrame, ClientFrameType } from '../../protocol/frames.ts'
import type { Account } from './account.ts'
import type { Feeds } from './feeds.ts'
import { frameText } from './gateway-frames.ts'
import type { Groups } from './groups.ts'
import type { Handshake } from './handshake.ts'
import type { Live } from './live.ts'
import type { MediaTokens } from './media-tokens.ts'
import type { Put } from './put.ts'
import type { Session } from './session.ts'

export interface Command<Frame> {
  /** Tokens of the rate limit; a record costs one. */
  cost: number
  /** Throws or rejects with what the client is told; sends the reply itself. */
  handle: (session: Session, frame: Frame) => Promise<void> | void
}
export type Commands = { [T in ClientFrameType]: Command<ClientFrame<T>> }

export interface CommandPorts {
  handshake: Handshake
  account: Account
  put: Put
  groups: Groups
  feeds: Feeds
  tokens: MediaTokens
  live: Live
  /** The answer to auth.map. */
  sendMap: (session: Session, id: number) => void
}

/** Reads of several homes, and what occupies the authority. */
const READ_COST = 10
const AUTHORITY_COST = 10
/** Several rounds over the homes of the group, and a copy for every member. */
const GROUP_COST = 50

export const makeCommands = ({
  handshake,
  account,
  put,
  groups,
  feeds,
  tokens,
  live,
  sendMap,
}: CommandPorts): Commands => ({
  'auth.hello': { cost: 2, handle: (session, frame) => handshake.hello(session, frame) },
  'auth.prove': { cost: 2, handle: (session, frame) => handshake.prove(session, frame) },
  'auth.register': { cost: AUTHORITY_COST, handle: (session, frame) => account.register(session, frame) },
  'auth.map': { cost: 1, handle: (session, { id }) => sendMap(session, id) },
  'link.begin': { cost: AUTHORITY_COST, handle: (session, frame) => account.beginLink(session, frame) },
  'link.lookup': { cost: AUTHORITY_COST, handle: (session, frame) => account.lookUpLink(session, frame) },
  'link.approve': { cost: AUTHORITY_COST, handle: (session, frame) => account.approveLink(session, frame) },
  'auth.capability': { cost: READ_COST, handle: (session, frame) => handshake.renew(session, frame) },
  'auth.renew': { cost: AUTHORITY_COST, handle: (session, frame) => account.renewCertificate(session, frame) },
  'device.revoke': { cost: AUTHORITY_COST, handle: (session, frame) => account.revokeDevice(session, frame) },
  'record.put': { cost: 1, handle: (session, frame) => put.handle(session, frame) },
  'group.propose': { cost: GROUP_COST, handle: (session, frame) => put.propose(session, frame) },
  'group.get': { cost: READ_COST, handle: (session, frame) => groups.get(session, frame) },
  'feed.open': { cost: READ_COST, handle: (session, frame) => feeds.open(session, frame) },
  'feed.fetch': { cost: READ_COST, handle: (session, frame) => feeds.fetch(session, frame) },
  'certificate.get': { cost: READ_COST, handle: (session, frame) => account.listCertificates(session, frame) },
  'media.token': { cost: 1, handle: (session, frame) => tokens.handle(session, frame) },
  'live.watch': { cost: READ_COST, handle: (session, frame) => live.watch(session, frame) },
  'live.typing': { cost: 1, handle: (session, frame) => live.typing(session, frame) },
  ping: { cost: 1, handle: (session, { id }) => session.send(frameText('pong', { id })) },
})
