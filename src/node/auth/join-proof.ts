// Tickets and the proofs by which a node joins with one: HMACs over both nonces and everything that is agreed on, so that the
// secret never travels and an answer fits one attempt of one peer only. Pure.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { fromBase64, fromUtf8, toUtf8 } from '../../protocol/bytes.ts'
import { ChatError } from '../../protocol/errors.ts'

/** What the operator hands to the new node. */
export interface Ticket {
  cluster: string
  /** The join port: `http://host:port`. */
  url: string
  id: string
  /** Base64. */
  secret: string
  expiresAt: number
}

const PREFIX = 'chatd-ticket-1.'

export const encodeTicket = (ticket: Ticket): string =>
  PREFIX + Buffer.from(JSON.stringify(ticket)).toString('base64url')

/** AUTH_TICKET for anything that is no ticket. */
export const decodeTicket = (text: string): Ticket => {
  const isTicket = (value: unknown): value is Ticket =>
    typeof value === 'object' &&
    value !== null &&
    ['cluster', 'url', 'id', 'secret'].every((field) => typeof Reflect.get(value, field) === 'string') &&
    typeof Reflect.get(value, 'expiresAt') === 'number'
  try {
    const parsed: unknown = JSON.parse(fromUtf8(Buffer.from(text.trim().slice(PREFIX.length), 'base64url')))
    if (text.trim().startsWith(PREFIX) && isTicket(parsed)) return parsed
  } catch {
    // Not JSON: the same answer as for any other text.
  }
  throw new ChatError('AUTH_TICKET', { message: 'That is no ticket; copy the whole line that chatd ticket printed' })
}

/** What both sides prove to know, and agree on. */
export interface JoinTranscript {
  cluster: string
  ticket: string
  peer: string
  /** Base64. */
  joinerNonce: string
  authorityNonce: string
  /** What the joiner says of itself, as the exact JSON text it sends; empty in the authority's proof. */
  about: string
}

export const joinTranscript = (side: 'authority' | 'joiner', t: JoinTranscript): Uint8Array =>
  toUtf8(['chatd/1/join', side, t.cluster, t.ticket, t.peer, t.joinerNonce, t.authorityNonce, t.about].join('\n'))

/** Base64. */
export const joinProof = (side: 'authority' | 'joiner', t: JoinTranscript, secret: string): string =>
  createHmac('sha256', fromBase64(secret)).update(joinTranscript(side, t)).digest('base64')

export const isJoinProof = (
  proof: string,
  { side, transcript, secret }: { side: 'authority' | 'joiner'; transcript: JoinTranscript; secret: string },
): boolean => {
  const expected = fromBase64(joinProof(side, transcript, secret))
  const given = fromBase64(proof)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** First message of a joining node. */
export interface JoinHello {
  ticket: string
  peer: string
  nonce: string
}
export interface JoinChallenge {
  nonce: string
  /** The authority knows the ticket's secret. */
  proof: string
  roles: string[]
}
/** Second message. */
export interface JoinRequest extends JoinHello {
  authorityNonce: string
  about: string
  proof: string
  /** By the node's own key over the joiner's transcript, base64: it has the key it names. */
  signature: string
}
/** The content of `about`. */
export interface JoinAbout {
  /** Ed25519 public key, base64. */
  key: string
  /** Chosen by the authority when absent. */
  name?: string
  addresses: string[]
  weight: number
}
export interface JoinAnswer {
  /** The signed map in which the node stands, base64. */
  map: string
}
