// A message to a group: taken by the group's homes at its newest version, then in the author's own mailbox: that is `stored`.
// The members' copies follow by themselves. Refused is said only of what is nowhere and never will be.
import { mutant } from '../../platform/mutants.ts'
import type { Clock } from '../../platform/ports.ts'
import { ChatError, hasCode } from '../../protocol/errors.ts'
import { userMailbox } from '../../protocol/names.ts'
import { openRecord } from '../../protocol/records.ts'
import type { RequestOf, ResponseOf, groupSend } from '../../protocol/rpc.ts'
import { type Rate, TokenBuckets } from '../core/token-bucket.ts'
import type { GroupLedgerPort } from '../replication/group-ledger-port.ts'
import type { Copies } from './copies.ts'
import type { Version, Versions } from './versions.ts'

export interface SenderPorts {
  clock: Clock
  ledger: GroupLedgerPort
  versions: Versions
  copies: Copies
}

/** Versions that may end under one message before it has to be sent again. */
const MAX_ATTEMPTS = 5
/** Versions back in which a message of somebody who is no member any more is looked for. */
const MAX_BACK = 16
/** In copies: reading a group’s newest version from its homes, for somebody who may be no member. */
const READ_COST = 100
/** Copies that may wait for their homes; past it messages are refused until there is room. */
const MAX_WAITING_COPIES = 500_000
const MAX_AUTHORS = 10_000
/** Voids of somebody who has left: of one outbox at once, and no stream with which he could still reach the members. */
const VOID_RATE: Rate = { perSecond: 0.1, burst: 256 }
/** Of a void, which is a header and a signature. */
const MAX_VOID_BYTES = 1_024

interface Outgoing {
  group: string
  author: string
  isVoid: boolean
  /** The newest version that its author knew; 1 when it does not say. */
  knownVersion: number
  sealed: Uint8Array
  acceptedAt: number
}

export class Sender {
  readonly #ports: SenderPorts
  /** Copies that each user may still cause. */
  readonly #buckets: TokenBuckets
  /** Voids that each user may still send to groups that he has left. */
  readonly #voids = new TokenBuckets(VOID_RATE, { max: MAX_AUTHORS })

  constructor(ports: SenderPorts, rate: Rate) {
    this.#ports = ports
    this.#buckets = new TokenBuckets(rate, { max: MAX_AUTHORS })
  }

  async send({ sealed, acceptedAt }: RequestOf<typeof groupSend>): Promise<ResponseOf<typeof groupSend>> {
    const { header, group } = openRecord(sealed)
    if (group === undefined || header.k === 'group') throw new ChatError('RPC_INVALID')
    const knownVersion = header.k === 'msg' ? (header.gv ?? 1) : 1
    const { version, users, mailboxes } = await this.#take({
      group,
      author: header.from,
      isVoid: header.k === 'void',
      knownVersion,
      sealed,
      acceptedAt,
    })
    const item = { group, version, sealed, acceptedAt }
    try {
      const own = this.#ports.copies.bringOwnFirst(item, mailboxes, userMailbox(header.from))
      if (!mutant('own-copy-not-awaited')) await own
    } catch (cause) {
      throw new ChatError('OUTCOME_UNKNOWN', { cause }) // the members get it, whatever becomes of this copy now
    }
    return { at: acceptedAt, version, users }
  }

  /** Resolves with the version at which the group's homes took it. */
  async #take(message: Outgoing): Promise<Version> {
    const { group, author, knownVersion } = message
    const { versions } = this.#ports
    let version = await versions.recent(group)
    for (let attempt = 1; ; attempt++) {
      if (version.version < knownVersion || !version.members.has(author)) {
        this.#charge(author, READ_COST)
        version = await versions.newest(group)
      }
      if (version.version < knownVersion) {
        // Its author's program is wrong, or a home told him of it that lies: what homes do not say is no reason to refuse a message for good.
        throw new ChatError('GROUP_UNAVAILABLE', {
          message: 'The stores of the group do not know the version that the message names; try again',
        })
      }
      if (!version.members.has(author) && !mutant('author-unchecked')) {
        const earlier = await this.#takenBefore(message, version.version)
        if (earlier) return earlier
      }
      this.#charge(author, version.users.length)
      try {
        return await this.#fanOut(message, version)
      } catch (error) {
        if (!hasCode(error, 'GROUP_SEALED')) throw attempt === 1 ? error : unknown(error)
        if (mutant('sealed-taken-for-stored')) return version
        if (attempt === MAX_ATTEMPTS) throw unknown(error)
        version = await versions.newest(group).catch((cause: unknown) => Promise.reject(unknown(cause)))
      }
    }
  }

  async #fanOut({ group, sealed, acceptedAt }: Outgoing, version: Version): Promise<Version> {
    const { ledger, versions } = this.#ports
    const taken = await ledger.fanOut({ group, version: version.version, sealed, acceptedAt })
    if (taken.version === version.version) return version
    const earlier = await versions.at(group, taken.version).catch((cause: unknown) => Promise.reject(unknown(cause)))
    if (!earlier) throw new ChatError('OUTCOME_UNKNOWN')
    return earlier
  }

  /**
   * Its author is no member now. Either an earlier attempt was taken while it was one, or it is certain that none was and none will be:
   * then it is refused for good, even if attempts before this had an unknown outcome. undefined: it may be taken now, being a void. What was
   * refused so while a later message of the same device was taken in time would be a gap for the members for ever.
   */
  async #takenBefore(message: Outgoing, newest: number): Promise<Version | undefined> {
    const { group, author, knownVersion, sealed, acceptedAt } = message
    const { ledger, versions } = this.#ports
    let wasMember = false
    for (let number = newest - 1; number >= knownVersion; number--) {
      if (newest - number > MAX_BACK) throw new ChatError('GROUP_DENIED', { outcome: 'unknown' })
      const version = await versions.at(group, number)
      if (!version?.members.has(author)) continue
      wasMember = true
      if ((await ledger.settle({ group, version: number, sealed, acceptedAt })) === 'durable') return version
    }
    if (!wasMember || !message.isVoid || sealed.length > MAX_VOID_BYTES) {
      throw new ChatError('GROUP_DENIED', { message: 'You are not a member of that group' })
    }
    this.#spend(this.#voids, author, 1)
    return undefined
  }

  /** Every message costs as many tokens as it makes copies. RATE_LIMITED. */
  #charge(author: string, copies: number): void {
    if (this.#ports.copies.waiting > MAX_WAITING_COPIES) throw new ChatError('PEER_OVERLOADED')
    this.#spend(this.#buckets, author, copies)
  }

  #spend(buckets: TokenBuckets, author: string, cost: number): void {
    if (!buckets.take(author, cost, this.#ports.clock.monotonic())) {
      throw new ChatError('RATE_LIMITED', { message: 'Too many messages to groups at once; wait a moment and go on' })
    }
  }
}

/** After an attempt that homes may have taken, nothing is refused any more. */
const unknown = (cause: unknown): ChatError => new ChatError('OUTCOME_UNKNOWN', { cause })
