// One home's part of a feed: the backlog page by page as the client reads, then, from its head on, live notices as they come.
// Notices during the backlog only raise the head that is read up to: so nothing is buffered, and nothing can be lost between the two.
import { mutant } from '../../platform/mutants.ts'
import type { Clock } from '../../platform/ports.ts'
import { toBase64 } from '../../protocol/bytes.ts'
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { userMailbox } from '../../protocol/names.ts'
import { type FeedPage, type StoredRecord, storePage } from '../../protocol/rpc.ts'
import type { ClusterView } from '../core/ports.ts'
import type { Mailboxes } from '../replication/mailboxes.ts'
import { drained } from './drained.ts'
import { recordText } from './gateway-frames.ts'
import type { Session } from './session.ts'

/** The next page is read once the client has no more than this before it. */
const MAX_AHEAD_BYTES = 384 * 1024

export interface FeedHomePorts {
  clock: Clock
  view: ClusterView
  mailboxes: Mailboxes
  session: Session
  /** This home cannot go on: the client should open its feed again. */
  onLost: (error: unknown) => void
}
export interface FeedHomeOptions {
  peer: string
  sub: number
  first: FeedPage
  /** The client has a cursor of this feed, so the backlog is what it missed: worth sending with bodies. */
  withRecords: boolean
  /** The highest number of the notices that came before this was made. */
  noticed: number
}

export class FeedHome {
  readonly peer: string
  readonly sub: number
  readonly feed: string
  readonly withRecords: boolean
  readonly #ports: FeedHomePorts
  /** Until it was sent: an idle feed holds no pages. */
  #first: FeedPage | undefined
  /** Everything up to here was sent. */
  #position: number
  #head: number
  #phase: 'waiting' | 'backlog' | 'live' | 'ended' = 'waiting'

  constructor(ports: FeedHomePorts, { peer, sub, first, withRecords, noticed }: FeedHomeOptions) {
    this.#ports = ports
    this.peer = peer
    this.sub = sub
    this.feed = first.feed
    this.#first = first
    this.withRecords = withRecords
    this.#position = first.from
    this.#head = Math.max(first.head, noticed)
  }

  /** The newest number of the mailbox that is known here. */
  get head(): number {
    return this.#head
  }

  /** The last number that was sent to the client. */
  get position(): number {
    return this.#position
  }

  get isLive(): boolean {
    return this.#phase === 'live'
  }

  /** Sends the backlog; resolves when it is through (or the home is lost), and the home is live from then on. */
  async start(): Promise<void> {
    const first = this.#first
    this.#first = undefined
    if (this.#phase !== 'waiting' || !first) return
    const hasBodiesToRead = this.withRecords && first.keys.length > 0
    if (!hasBodiesToRead) this.#relay(first)
    await this.#readBacklog()
  }

  /** A live page of ids from the home. */
  notice(page: FeedPage): void {
    if (this.#phase === 'ended' || mutant('lease-is-truth')) return
    if (page.feed !== this.feed) return this.#lose(new ChatError('STORE_NO_SUBSCRIPTION'))
    this.#head = Math.max(this.#head, page.head, page.to)
    if (this.#phase !== 'live' || page.to <= this.#position) return
    if (page.from > this.#position) void this.#readBacklog()
    else this.#relay(page)
  }

  end(): void {
    this.#phase = 'ended'
  }

  async #readBacklog(): Promise<void> {
    const { clock, view, session, mailboxes } = this.#ports
    this.#phase = 'backlog'
    try {
      while (this.#position < this.#head && this.#isOpen()) {
        await drained(clock, session, MAX_AHEAD_BYTES)
        if (!this.#isOpen()) return
        const limit = this.withRecords ? limits.maxFetchKeys : limits.maxFeedPageKeys
        const request = { sub: this.sub, after: this.#position, limit, records: this.withRecords }
        const { epoch } = view.current().map
        const page = await mailboxes.homes.ask(this.peer, storePage, request)
        if (page.feed !== this.feed) throw new ChatError('STORE_NO_SUBSCRIPTION')
        // Nothing more although notices said so: the rest comes with the next notice or comparison of heads.
        if (page.to <= this.#position) break
        await this.#deliver(page, epoch)
      }
      if (this.#isOpen()) this.#phase = 'live'
    } catch (error) {
      this.#lose(error)
    }
  }

  /** A page with records goes out whole and confirmed, or as ids: then the client asks for what it lacks. */
  async #deliver(page: FeedPage, epoch: number): Promise<void> {
    const { records } = page
    const isConfirmed = records && (await this.#areConfirmed(records, epoch))
    if (!this.#isOpen()) return
    if (isConfirmed) this.#relay(page, records.map((r) => recordText(toBase64(r.sealed), r.acceptedAt)).join())
    else this.#relay(page)
  }

  async #areConfirmed(records: readonly StoredRecord[], epoch: number): Promise<boolean> {
    const { mailboxes, session } = this.#ports
    const origin = { home: this.peer, mailbox: userMailbox(session.identity.user), epoch }
    return (await mailboxes.confirm(records, origin)).every(Boolean)
  }

  #relay(page: FeedPage, records?: string): void {
    const { from, to } = page
    const head = Math.max(page.head, to)
    const fields = { home: this.peer, feed: this.feed, from, to, head, keys: toBase64(page.keys) }
    const text = JSON.stringify({ t: 'feed.page', ...fields })
    this.#ports.session.send(records === undefined ? text : `${text.slice(0, -1)},"records":[${records}]}`)
    this.#position = to
    this.#head = Math.max(this.#head, head)
  }

  #isOpen(): boolean {
    return this.#phase !== 'ended' && !this.#ports.session.isClosed
  }

  #lose(error: unknown): void {
    if (!this.#isOpen()) return
    this.#phase = 'ended'
    this.#ports.onLost(error)
  }
}
