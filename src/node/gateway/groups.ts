// What clients ask of groups: passed on to a group node, and to the next one when that does not answer: every request may be repeated, so
// a node that dies or hangs in the middle costs a moment. The gateway knows no members and keeps nothing.
import { toBase64 } from '../../protocol/bytes.ts'
import { asChatError, ChatError, hasCode } from '../../protocol/errors.ts'
import type { ClientFrame } from '../../protocol/frames.ts'
import { isGroupId, isGroupName } from '../../protocol/names.ts'
import type { OpenRecord } from '../../protocol/records.ts'
import { groupGet, groupMembers, groupPropose, groupSend, type ResponseOf, type RpcMethod } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import { groupNodesFor } from '../replication/group-nodes.ts'
import { frameText } from './gateway-frames.ts'
import type { Pusher } from './push.ts'
import type { Session } from './session.ts'

export interface GroupsPorts {
  transport: PeerTransport
  view: ClusterView
  pusher: Pusher
}

/** Before another node is asked; one alone has all the time that the method allows. */
const PATIENCE_MS = 5_000
/** Never got there, or to a node of a version that serves no groups. */
const UNSENT = ['PEER_UNREACHABLE', 'RPC_UNKNOWN'] as const
/** It may have happened. */
const UNANSWERED = ['NET_CLOSED', 'NET_TIMEOUT'] as const

export class Groups {
  readonly #ports: GroupsPorts

  constructor(ports: GroupsPorts) {
    this.#ports = ports
  }

  /** A record to the members of its group. GROUP_UNAVAILABLE, or what the group node says. */
  send(group: string, sealed: Uint8Array, acceptedAt: number): Promise<ResponseOf<typeof groupSend>> {
    return this.#ask(group, groupSend, { sealed, acceptedAt })
  }

  async propose(session: Session, id: number, { sealed, group }: OpenRecord, acceptedAt: number): Promise<void> {
    const { record, users } = await this.#ask(group ?? '', groupPropose, { record: sealed })
    const base64 = toBase64(record)
    session.send(frameText('group.record', { id, record: base64 }))
    this.#ports.pusher.push({ users, sealed: record, acceptedAt, base64, except: session })
  }

  async get(session: Session, { id, group, version }: ClientFrame<'group.get'>): Promise<void> {
    if (!isGroupId(group) && !isGroupName(group)) throw new ChatError('GROUP_NAME_ILLEGAL')
    const which = isGroupId(group) ? { group } : { name: group }
    const request = { ...which, user: session.identity.user, ...(version === undefined ? {} : { version }) }
    const { record } = await this.#ask(group, groupGet, request)
    session.send(frameText('group.record', { id, record: toBase64(record) }))
  }

  /** Of now, or of seconds ago. */
  async members(group: string): Promise<string[]> {
    return (await this.#ask(group, groupMembers, { group })).users
  }

  async #ask<Request, Response>(
    group: string,
    method: RpcMethod<Request, Response>,
    request: Request,
  ): Promise<Response> {
    const { transport, view } = this.#ports
    const nodes = groupNodesFor(view.current().map, group, (peer) => transport.isConnected(peer))
    let unanswered: ChatError | undefined
    for (const [i, peer] of nodes.entries()) {
      try {
        return await transport.call(peer, method, request, i < nodes.length - 1 ? { timeoutMs: PATIENCE_MS } : {})
      } catch (error) {
        if (hasCode(error, ...UNANSWERED)) unanswered = asChatError(error)
        else if (!hasCode(error, ...UNSENT)) throw unanswered === undefined ? error : afterUnanswered(error)
      }
    }
    throw unanswered ?? new ChatError('GROUP_UNAVAILABLE')
  }
}

/** What only says something about the moment does not undo what the node before may have done. A lost race does: it is lost for good. */
const afterUnanswered = (error: unknown): ChatError => {
  const known = asChatError(error)
  return known.retryable && !hasCode(known, 'GROUP_CONFLICT')
    ? new ChatError('OUTCOME_UNKNOWN', { cause: known })
    : known
}
