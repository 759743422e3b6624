// The joining node's side of a ticket: proves the ticket to the authority, checks that it is the authority that answers, and
// comes back with the signed map in which it stands. After that the node needs the authority no more.
import { fromBase64, toBase64 } from '../protocol/bytes.ts'
import { nodeOf, openMap, type Role, type SignedMap } from '../protocol/cluster-map.ts'
import { ChatError, type WireError } from '../protocol/errors.ts'
import type { RandomSource } from '../platform/ports.ts'
import {
  isJoinProof,
  type JoinAbout,
  type JoinAnswer,
  type JoinChallenge,
  type JoinHello,
  joinProof,
  type JoinRequest,
  joinTranscript,
  type Ticket,
} from './auth/join-proof.ts'
import type { NodeIdentity } from './core/ports.ts'

const NONCE_BYTES = 32
const ANSWER_MS = 10_000

export interface JoinOptions {
  ticket: Ticket
  identity: NodeIdentity
  random: RandomSource
  about: Omit<JoinAbout, 'key'>
  /** What the operator wants it to do; a ticket for something else is left unused. */
  roles?: Role[] | undefined
}

/** AUTH_TICKET, AUTH_SIGNATURE, CLUSTER_STATE (the name is taken, other roles), AUTH_UNAVAILABLE (no authority there; retry). */
export const joinCluster = async ({ ticket, identity, random, about, roles }: JoinOptions): Promise<SignedMap> => {
  const hello: JoinHello = { ticket: ticket.id, peer: identity.peer, nonce: toBase64(random.bytes(NONCE_BYTES)) }
  const challenge: JoinChallenge = await post(ticket.url, '/join/hello', hello)
  const transcript = {
    cluster: ticket.cluster,
    ticket: ticket.id,
    peer: identity.peer,
    joinerNonce: hello.nonce,
    authorityNonce: challenge.nonce,
  }
  const greeting = { ...transcript, about: '' }
  if (!isJoinProof(challenge.proof, { side: 'authority', transcript: greeting, secret: ticket.secret })) {
    throw new ChatError('AUTH_CLUSTER', {
      message: `What answers at ${ticket.url} is not the authority that made the ticket`,
    })
  }
  mustBeFor(roles, challenge.roles)
  const signed = { ...transcript, about: JSON.stringify({ ...about, key: toBase64(identity.publicKey) }) }
  const request: JoinRequest = {
    ...hello,
    authorityNonce: challenge.nonce,
    about: signed.about,
    proof: joinProof('joiner', signed, ticket.secret),
    signature: toBase64(identity.sign(joinTranscript('joiner', signed))),
  }
  const answer: JoinAnswer = await post(ticket.url, '/join/prove', request)
  const map = openMap(fromBase64(answer.map), ticket.cluster)
  if (!nodeOf(map.map, identity.peer))
    throw new ChatError('AUTH_TICKET', { message: 'The authority took this node not in' })
  return map
}

const mustBeFor = (asked: readonly string[] | undefined, given: readonly string[]): void => {
  if (!asked || asked.toSorted().join() === given.toSorted().join()) return
  throw new ChatError('CLUSTER_STATE', {
    message: `The ticket is for ${given.join(',')} and stays unused; for this node make one with chatd ticket --role ${asked.join(',')}`,
  })
}

const post = async <Answer>(url: string, path: string, body: unknown): Promise<Answer> => {
  const unreachable = (cause: unknown): ChatError =>
    new ChatError('AUTH_UNAVAILABLE', {
      message: `The authority does not answer at ${url}; check that its node runs and that this machine reaches it`,
      cause,
    })
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch((cause: unknown) => {
    throw unreachable(cause)
  })
  const answer: unknown = await response.json().catch((cause: unknown) => {
    throw unreachable(cause)
  })
  if (response.ok) return answer as Answer // by the other side of this protocol; its content is proven or signed
  const error = typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : {}
  throw ChatError.fromWire(error as Partial<WireError>) // fromWire takes anything
}
