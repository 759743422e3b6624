// Tickets and the authority's side of joining. A ticket fixes the roles, is used by one node, and its secret never travels.
// The node is in a published map before it gets its answer; a repeat by the same node gets the same answer.
import type { Clock, RandomSource } from '../../platform/ports.ts'
import { fromBase64, toBase64, toHex } from '../../protocol/bytes.ts'
import { type ClusterMap, homeSet, type MapNode, nodeOf, type Role } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import { isNodeName } from '../../protocol/names.ts'
import { peerIdOf } from '../../protocol/peer-id.ts'
import { verifierFor } from '../../protocol/signing.ts'
import {
  encodeTicket,
  isJoinProof,
  type JoinAbout,
  type JoinAnswer,
  type JoinChallenge,
  type JoinRequest,
  joinProof,
  joinTranscript,
  type JoinTranscript,
} from './join-proof.ts'
import { KeyedLock } from '../core/keyed-lock.ts'
import type { MapWriter } from './map-writer.ts'
import type { AuthTables, TicketEntry } from './tables.ts'

const SECRET_BYTES = 16
const ID_BYTES = 8
const NONCE_BYTES = 32
const CHALLENGE_MS = 60_000
/** Challenges that wait for their proof; past it the oldest is dropped and its node asks again. */
const MAX_CHALLENGES = 1_000
const MAX_ADDRESSES = 16
const MAX_ADDRESS_CHARS = 256
const MAX_ABOUT_CHARS = 8 * 1024

export interface JoinsPorts {
  tables: AuthTables
  writer: MapWriter
  clock: Clock
  random: RandomSource
  cluster: string
}

export class Joins {
  readonly #ports: JoinsPorts
  readonly #lock = new KeyedLock()
  /** Nonces handed out and not yet answered, each for one ticket and peer: a proof can be tried once. */
  readonly #challenges = new Map<string, number>()

  constructor(ports: JoinsPorts) {
    this.#ports = ports
  }

  async createTicket(options: {
    roles: Role[]
    ttlMs: number
    url: string
  }): Promise<{ ticket: string; expiresAt: number }> {
    const { tables, clock, random, cluster } = this.#ports
    const { roles, ttlMs, url } = options
    if (roles.length === 0 || !(ttlMs > 0)) throw new ChatError('USAGE')
    const id = toHex(random.bytes(ID_BYTES))
    const secret = toBase64(random.bytes(SECRET_BYTES))
    const expiresAt = Math.round(clock.now() + ttlMs)
    await tables.write(tables.tickets.put(id, { secret, roles, expiresAt }))
    return { ticket: encodeTicket({ cluster, url, id, secret, expiresAt }), expiresAt }
  }

  /** First message: both nonces, and the proof that this is the authority of the ticket. AUTH_TICKET. */
  hello(body: unknown): JoinChallenge {
    const { ticket, peer, nonce } = stringsOf(body, ['ticket', 'peer', 'nonce'])
    const entry = this.#ticket(ticket, peer)
    const now = this.#ports.clock.now()
    const authorityNonce = toBase64(this.#ports.random.bytes(NONCE_BYTES))
    for (const [known, expiresAt] of this.#challenges) {
      if (expiresAt >= now && this.#challenges.size < MAX_CHALLENGES) break // oldest first
      this.#challenges.delete(known)
    }
    this.#challenges.set(challengeKey(ticket, peer, nonce, authorityNonce), now + CHALLENGE_MS)
    const transcript = { cluster: this.#ports.cluster, ticket, peer, joinerNonce: nonce, authorityNonce, about: '' }
    return { nonce: authorityNonce, proof: joinProof('authority', transcript, entry.secret), roles: entry.roles }
  }

  /** Second message: the joiner's proof and what it says of itself. AUTH_TICKET, AUTH_SIGNATURE, CLUSTER_STATE. */
  async prove(body: unknown): Promise<JoinAnswer> {
    const request = stringsOf(body, ['ticket', 'peer', 'nonce', 'authorityNonce', 'about', 'proof', 'signature'])
    const challenge = challengeKey(request.ticket, request.peer, request.nonce, request.authorityNonce)
    const expiresAt = this.#challenges.get(challenge)
    this.#challenges.delete(challenge)
    if (expiresAt === undefined || expiresAt < this.#ports.clock.now()) throw new ChatError('AUTH_TICKET')
    const about = this.#openAbout(request, this.#ticket(request.ticket, request.peer))
    return this.#lock.run(request.ticket, () => this.#admit(request.ticket, request.peer, about))
  }

  #openAbout(request: JoinRequest, { secret }: TicketEntry): JoinAbout {
    const transcript: JoinTranscript = {
      cluster: this.#ports.cluster,
      ticket: request.ticket,
      peer: request.peer,
      joinerNonce: request.nonce,
      authorityNonce: request.authorityNonce,
      about: request.about,
    }
    if (!isJoinProof(request.proof, { side: 'joiner', transcript, secret })) throw new ChatError('AUTH_TICKET')
    const about = parseAbout(request.about)
    const key = fromBase64(about.key)
    if (peerIdOf(key) !== request.peer) throw new ChatError('AUTH_SIGNATURE')
    if (!verifierFor(key).verify(joinTranscript('joiner', transcript), fromBase64(request.signature))) {
      throw new ChatError('AUTH_SIGNATURE')
    }
    return about
  }

  /** The ticket is marked as used before the map names the node: a crash in between lets the same node finish. */
  async #admit(ticket: string, peer: string, about: JoinAbout): Promise<JoinAnswer> {
    const { tables, writer } = this.#ports
    const entry = this.#ticket(ticket, peer)
    if (entry.usedBy === undefined) await tables.write(tables.tickets.put(ticket, { ...entry, usedBy: peer }))
    const { sealed } = await writer.change((map) => {
      const known = nodeOf(map, peer)
      return known
        ? undefined
        : withNode(map, { ...about, peer, roles: entry.roles, name: nameFor(map, about, entry.roles) })
    })
    return { map: toBase64(sealed) }
  }

  /** The ticket, if `peer` may use it. */
  #ticket(id: string, peer: string): TicketEntry {
    const entry = this.#ports.tables.tickets.get(id)
    if (!entry)
      throw new ChatError('AUTH_TICKET', {
        message: 'The authority knows no such ticket; make a new one with chatd ticket',
      })
    if (entry.usedBy === peer) return entry
    if (entry.usedBy !== undefined) {
      throw new ChatError('AUTH_TICKET', {
        message: 'The ticket was used by another node; make a new one with chatd ticket',
      })
    }
    if (entry.expiresAt < this.#ports.clock.now()) {
      throw new ChatError('AUTH_TICKET', { message: 'The ticket has expired; make a new one with chatd ticket' })
    }
    return entry
  }
}

/** A map with one more member. The first store of a cluster becomes its only home at once: there is nothing to copy. */
export const withNode = (map: ClusterMap, node: MapNode): ClusterMap => {
  const isStore = node.roles.includes('store') || node.roles.includes('messages')
  const isFirst = isStore && map.homes.current.peers.length === 0 && !map.homes.next
  return {
    ...map,
    nodes: [...map.nodes, node],
    homes: isFirst ? { current: homeSet([node.peer]) } : map.homes,
  }
}

/** The name asked for if it is free, else CLUSTER_STATE; without one, the first role with the first free number. */
const nameFor = (map: ClusterMap, { name }: JoinAbout, roles: Role[]): string => {
  const isTaken = (candidate: string): boolean => map.nodes.some((node) => node.name === candidate)
  if (name !== undefined) {
    if (!isTaken(name)) return name
    throw new ChatError('CLUSTER_STATE', {
      message: `There is a node named ${name} already; choose another with --name`,
    })
  }
  for (let number = 1; ; number++) {
    const candidate = `${roles[0] ?? 'node'}-${number}`
    if (!isTaken(candidate)) return candidate
  }
}

const challengeKey = (...parts: string[]): string => parts.join('\n')

const stringsOf = <Field extends string>(body: unknown, fields: Field[]): Record<Field, string> => {
  const entries = fields.map((field) => {
    const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, field) : undefined
    if (typeof value !== 'string' || value.length > MAX_ABOUT_CHARS) {
      throw new ChatError('RPC_INVALID', { message: `The joining node sent no ${field}` })
    }
    return [field, value]
  })
  return Object.fromEntries(entries) as Record<Field, string> // one entry for each field
}

export const isAddressList = (value: unknown): value is string[] =>
  Array.isArray(value) &&
  value.length <= MAX_ADDRESSES &&
  value.every((each) => typeof each === 'string' && each.startsWith('/') && each.length <= MAX_ADDRESS_CHARS)

const parseAbout = (text: string): JoinAbout => {
  const value: Partial<Record<keyof JoinAbout, unknown>> = JSON.parse(text)
  const { key, name, addresses, weight } = value
  if (typeof key !== 'string' || fromBase64(key).length !== 32) throw new ChatError('RPC_INVALID')
  if (name !== undefined && !isNodeName(name)) throw new ChatError('AUTH_NAME_ILLEGAL')
  if (!isAddressList(addresses)) {
    throw new ChatError('RPC_INVALID', { message: 'The joining node sent no list of addresses' })
  }
  if (typeof weight !== 'number' || !(weight > 0) || weight > 1_000) throw new ChatError('RPC_INVALID')
  return { key, addresses, weight, ...(name === undefined ? {} : { name }) }
}
