// One session's feed: subscriptions of its mailbox at N-W+1 readable homes, so that together they know everything that was acknowledged.
// With fewer it delivers what it finds and says that it is incomplete. Whatever ends or may complete it is one "feed.changed".
import type { Clock, Logger } from '../../platform/ports.ts'
import { mutant } from '../../platform/mutants.ts'
import { asChatError, ChatError, hasCode } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { userMailbox } from '../../protocol/names.ts'
import { type FeedPage, storeRenew, storeSubscribe, storeUnsubscribe } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import type { Mailboxes } from '../replication/mailboxes.ts'
import { coverOf, homesOf } from '../replication/placement.ts'
import { FeedHome } from './feed-home.ts'
import { gather } from './gather.ts'
import { frameText } from './gateway-frames.ts'
import type { Session } from './session.ts'

export type Cursors = Record<string, { feed: string; number: number }>

export interface FeedPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  mailboxes: Mailboxes
  log: Logger
  /** Makes the number of a subscription, to which notices of that home are then handed. */
  register: (feed: Feed) => number
  forget: (sub: number) => void
}

/** A subscribed home answers within this, or another is tried beside it. */
const HEDGE_MS = 250
/** A client gets what there is after this, and the rest when it comes. */
const PATIENCE_MS = 600

interface Subscribed {
  peer: string
  sub: number
  page: FeedPage
}

export class Feed {
  readonly session: Session
  readonly #ports: FeedPorts
  readonly #homes = new Map<number, FeedHome>()
  /** The highest number by subscription of notices that come before all homes have answered. */
  readonly #early = new Map<number, number>()
  readonly #mailbox: string
  #peers: string[]
  #isComplete = false
  #isEnded = false
  #isChanged = false
  /** A home answered after the client was told "incomplete": next time it is waited for. */
  #hadLateHome = false

  constructor(ports: FeedPorts, session: Session) {
    this.#ports = ports
    this.session = session
    this.#mailbox = userMailbox(session.identity.user)
    this.#peers = this.#homesNow().peers
  }

  get hadLateHome(): boolean {
    return this.#hadLateHome
  }

  get homes(): FeedHome[] {
    return [...this.#homes.values()]
  }

  homeAt(peer: string): FeedHome | undefined {
    return this.homes.find((home) => home.peer === peer)
  }

  /** Subscribes, answers the request `id`, then sends the backlog and goes live. */
  async open(id: number, cursors: Cursors, isPatient: boolean): Promise<void> {
    await this.session.leased
    const needed = coverOf(this.#homesNow())
    const found = await gather({
      clock: this.#ports.clock,
      candidates: this.#candidates(cursors),
      needed,
      hedgeMs: HEDGE_MS,
      patienceMs: isPatient ? limits.rpcTimeoutMs : PATIENCE_MS,
      attempt: (peer) => this.#subscribe(peer, cursors),
      onLate: (late) => this.#late(late),
    })
    if (this.#isEnded) return this.#drop(found)
    for (const subscribed of found) this.#addHome(subscribed, cursors)
    this.#early.clear()
    this.#isComplete = found.length >= (mutant('syncing-home-counted') ? 1 : needed)
    const homes = this.homes.map(({ peer, feed, head }) => ({ home: peer, feed, head }))
    this.session.send(frameText('feed.opened', { id, homes, complete: this.#isComplete }))
    void this.#run()
  }

  notice(sub: number, from: string, page: FeedPage): void {
    const home = this.#homes.get(sub)
    if (!home) this.#early.set(sub, Math.max(page.head, page.to, this.#early.get(sub) ?? 0))
    else if (home.peer === from && !this.session.isSlow) home.notice(page)
  }

  /** The mailbox may have moved. */
  mapChanged(): void {
    const { peers } = this.#homesNow()
    const hasMoved = peers.length !== this.#peers.length || peers.some((peer) => !this.#peers.includes(peer))
    if (hasMoved) this.changed()
  }

  /** A home came or went, or may be readable again. */
  peerChanged(peer: string, connected: boolean): void {
    const isUsed = this.homeAt(peer) !== undefined
    if (connected ? !this.#isComplete && !isUsed && this.#peers.includes(peer) : isUsed) this.changed()
  }

  /** An incomplete feed looks whether a home that it lacks can be read by now. */
  async look(): Promise<void> {
    if (this.#isComplete || this.#isEnded) return
    const { states } = this.#ports.mailboxes.homes
    const lacking = this.#peers.filter((peer) => !this.homeAt(peer))
    const isUp = await Promise.all(lacking.map((peer) => states.isUp(peer)))
    if (isUp.includes(true)) this.changed()
  }

  /** The client should open its feed again; said once. */
  changed(): void {
    if (this.#isChanged || this.#isEnded) return
    this.#isChanged = true
    this.session.send(frameText('feed.changed', {}))
  }

  renew(): void {
    const { capability } = this.session.identity
    for (const { peer, sub } of this.homes) this.#ports.transport.notify(peer, storeRenew, { sub, capability })
  }

  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#drop(this.homes)
    for (const home of this.homes) home.end()
    this.#homes.clear()
  }

  #homesNow(): { peers: string[]; n: number; w: number; r: number } {
    return homesOf(this.#ports.view.current().map, this.#mailbox).current
  }

  /** Homes the device has a cursor for come first, those known to be syncing last. */
  #candidates(cursors: Cursors): string[] {
    const { states } = this.#ports.mailboxes.homes
    const rank = (peer: string): number => (states.isReadable(peer) ? 0 : 2) + (cursors[peer] ? 0 : 1)
    return this.#peers.filter((peer) => this.#ports.transport.isConnected(peer)).toSorted((a, b) => rank(a) - rank(b))
  }

  async #subscribe(peer: string, cursors: Cursors): Promise<Subscribed> {
    if (this.#isEnded) throw new ChatError('NET_CLOSED')
    const sub = this.#ports.register(this)
    const cursor = cursors[peer]
    const request = { sub, mailbox: this.#mailbox, capability: this.session.identity.capability }
    try {
      const complete = cursor ? { ...request, cursor } : request
      return { peer, sub, page: await this.#ports.mailboxes.homes.ask(peer, storeSubscribe, complete) }
    } catch (error) {
      this.#ports.forget(sub)
      // A home that did not answer may have registered it.
      if (hasCode(error, 'NET_TIMEOUT')) this.#ports.transport.notify(peer, storeUnsubscribe, { subs: [sub] })
      this.#ports.log.debug({ peer, error: asChatError(error).message }, 'a home did not take a subscription')
      throw error
    }
  }

  #addHome({ peer, sub, page }: Subscribed, cursors: Cursors): void {
    const isFirst = this.homes.every((home) => !hasCursor(cursors, home.peer, home.feed))
    const ports = { ...this.#ports, session: this.session, onLost: (error: unknown) => this.#lost(peer, error) }
    const withRecords = isFirst && hasCursor(cursors, peer, page.feed)
    const noticed = this.#early.get(sub) ?? 0
    this.#homes.set(sub, new FeedHome(ports, { peer, sub, first: page, withRecords, noticed }))
  }

  /** The home that sends bodies first, so that the ids of the others name what the client already has. */
  async #run(): Promise<void> {
    const homes = this.homes.toSorted((a, b) => Number(b.withRecords) - Number(a.withRecords))
    try {
      for (const home of homes) await home.start()
    } catch (error) {
      this.#ports.log.warn({ error: asChatError(error).message }, 'a home answered what is no page')
      this.changed()
    }
  }

  #lost(peer: string, error: unknown): void {
    this.#ports.log.info(
      { peer, user: this.session.identity.user, error: asChatError(error).message },
      'a feed lost a home',
    )
    this.changed()
  }

  #late(late: Subscribed): void {
    this.#drop([late])
    if (this.#isComplete || this.#isEnded) return
    this.#hadLateHome = true
    this.changed()
  }

  #drop(homes: readonly { peer: string; sub: number }[]): void {
    for (const { peer, sub } of homes) {
      this.#ports.forget(sub)
      this.#ports.transport.notify(peer, storeUnsubscribe, { subs: [sub] })
    }
  }
}

const hasCursor = (cursors: Cursors, peer: string, feed: string): boolean => cursors[peer]?.feed === feed
