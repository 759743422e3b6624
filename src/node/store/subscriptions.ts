// Who is to hear of new entries: subscriptions of gateways, each opened by a capability that the device signed for that gateway.
// Notices are pages of ids, sent for durable entries only: the first after a pause at once, those of a busy mailbox many together, since
// what they name has come by push already. A lost one is noticed by `heads`.

import type { Clock } from '../../platform/ports.ts'
import { openCapability } from '../../protocol/certificate.ts'
import { isRevoked } from '../../protocol/cluster-map.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { userMailbox } from '../../protocol/names.ts'
import { type FeedPage, type RequestOf, type storeHeads, storeNotice, type storeSubscribe } from '../../protocol/rpc.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import { homesOf } from '../replication/placement.ts'
import type { NewEntry } from './commit-queue.ts'
import { readPage } from './feed.ts'
import type { Home } from './home.ts'
import { type Place, placeOf } from './keys.ts'

export interface Subscription {
  gateway: string
  sub: number
  place: Place
  user: string
  device: string
  expiresAt: number
  /** Notices covered the numbers up to here. */
  sentTo: number
  /** Keys of durable entries above `sentTo` that no notice named yet. */
  pending: Buffer[]
  /** When the next notice may go, by the monotonic clock. */
  dueAt: number
}

/** Two notices of a subscription are at least so far apart, unless there is more than a fetch to tell. */
const PAUSE_MS = 300

export interface SubscriptionPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  home: () => Home
  /** False while the database is being opened again. */
  isOpen: () => boolean
  onError: (error: ChatError) => void
}

export class Subscriptions {
  readonly #ports: SubscriptionPorts
  readonly #byGateway = new Map<string, Map<number, Subscription>>()
  readonly #byMailbox = new Map<string, Set<Subscription>>()
  readonly #dirty = new Set<Subscription>()
  #cancelNotice: (() => void) | undefined

  constructor(ports: SubscriptionPorts) {
    this.#ports = ports
  }

  get count(): number {
    let count = 0
    for (const subs of this.#byGateway.values()) count += subs.size
    return count
  }

  /** Verifies the capability and registers; entries that become durable from now on are noticed. AUTH_*. */
  open(request: RequestOf<typeof storeSubscribe>, gateway: string): Subscription {
    const { user, device, expiresAt } = this.#verify(request.capability, gateway)
    if (request.mailbox !== userMailbox(user)) throw new ChatError('AUTH_DENIED')
    this.close(gateway, request.sub)
    const place = placeOf(request.mailbox)
    const sentTo = this.#ports.home().numbers.durableNumber
    const made: Subscription = {
      gateway,
      sub: request.sub,
      place,
      user,
      device,
      expiresAt,
      sentTo,
      pending: [],
      dueAt: 0,
    }
    getOrMake(this.#byGateway, gateway, () => new Map<number, Subscription>()).set(made.sub, made)
    getOrMake(this.#byMailbox, place.mailbox, () => new Set<Subscription>()).add(made)
    return made
  }

  /** STORE_NO_SUBSCRIPTION when there is none or its capability has expired. */
  get(gateway: string, sub: number): Subscription {
    const found = this.#byGateway.get(gateway)?.get(sub)
    if (!found || found.expiresAt < this.#ports.clock.now()) {
      this.close(gateway, sub)
      throw new ChatError('STORE_NO_SUBSCRIPTION')
    }
    return found
  }

  renew(gateway: string, sub: number, capability: Uint8Array): void {
    const found = this.get(gateway, sub)
    const { user, device, expiresAt } = this.#verify(capability, gateway)
    if (user !== found.user || device !== found.device) throw new ChatError('AUTH_DENIED')
    found.expiresAt = Math.max(found.expiresAt, expiresAt)
  }

  close(gateway: string, sub: number): void {
    const found = this.#byGateway.get(gateway)?.get(sub)
    if (!found) return
    this.#dirty.delete(found)
    this.#byGateway.get(gateway)?.delete(sub)
    const others = this.#byMailbox.get(found.place.mailbox)
    others?.delete(found)
    if (others?.size === 0) this.#byMailbox.delete(found.place.mailbox)
  }

  closeGateway(gateway: string): void {
    for (const sub of [...(this.#byGateway.get(gateway)?.keys() ?? [])]) this.close(gateway, sub)
    this.#byGateway.delete(gateway)
  }

  /** The home may not answer reads any more, or begins a new feed: gateways subscribe again. */
  closeAll(): void {
    for (const gateway of [...this.#byGateway.keys()]) this.closeGateway(gateway)
  }

  /** Ends those whose capability expired, whose device was revoked, whose mailbox is not at home here any more. */
  prune(): void {
    const { map } = this.#ports.view.current()
    const now = this.#ports.clock.now()
    const { self } = this.#ports.transport
    for (const { gateway, sub, place, user, device, expiresAt } of this.#all()) {
      const isHome = homesOf(map, place.mailbox).current.peers.includes(self)
      if (expiresAt < now || !isHome || isRevoked(map, user, device)) this.close(gateway, sub)
    }
  }

  /** Called after each durable batch. */
  onDurable(added: NewEntry[]): void {
    for (const { mailbox, recordKey } of added) {
      const subscribers = this.#byMailbox.get(mailbox)
      if (!subscribers) continue
      for (const subscriber of subscribers) {
        subscriber.pending.push(recordKey)
        this.#dirty.add(subscriber)
      }
    }
    if (this.#dirty.size > 0) this.#noticeSoon()
  }

  /** What the gateway has not heard of is sent again; the subscriptions not known here are the answer. */
  async heads({ subs, heads }: RequestOf<typeof storeHeads>, gateway: string): Promise<number[]> {
    const unknown: number[] = []
    const now = this.#ports.clock.now()
    for (const [index, sub] of subs.entries()) {
      const found = this.#byGateway.get(gateway)?.get(sub)
      const seen = heads[index] ?? 0
      if (!found || found.expiresAt < now) unknown.push(sub)
      else if (seen < found.sentTo) await this.#sendFrom(found, seen)
    }
    return unknown
  }

  stop(): void {
    this.#cancelNotice?.()
    this.closeAll()
  }

  *#all(): Iterable<Subscription> {
    for (const subs of [...this.#byGateway.values()]) yield* [...subs.values()]
  }

  #verify(capability: Uint8Array, gateway: string): { user: string; device: string; expiresAt: number } {
    const { map } = this.#ports.view.current()
    const { user, dev, exp } = openCapability(capability, map.cluster, { gateway, now: this.#ports.clock.now() })
    if (isRevoked(map, user, dev)) throw new ChatError('AUTH_REVOKED')
    return { user, device: dev, expiresAt: exp }
  }

  #noticeSoon(): void {
    this.#cancelNotice ??= this.#ports.clock.after(limits.noticeMs, () => this.#sendNotices())
  }

  #sendNotices(): void {
    this.#cancelNotice = undefined
    if (!this.#ports.isOpen()) return this.#noticeSoon()
    const home = this.#ports.home()
    const now = this.#ports.clock.now()
    const monotonic = this.#ports.clock.monotonic()
    const to = home.numbers.durableNumber
    const byGateway = new Map<string, (FeedPage & { sub: number })[]>()
    for (const subscriber of this.#dirty) {
      const { gateway, sub, sentTo: from, pending } = subscriber
      if (subscriber.expiresAt < now) {
        this.close(gateway, sub)
        continue
      }
      if (subscriber.dueAt > monotonic && pending.length < limits.maxFetchKeys) continue
      this.#dirty.delete(subscriber)
      subscriber.dueAt = monotonic + PAUSE_MS
      subscriber.pending = []
      subscriber.sentTo = to
      if (pending.length > limits.maxFeedPageKeys) {
        void this.#sendFrom(subscriber, from).catch((error: unknown) => this.#ports.onError(asChatError(error)))
        continue
      }
      const page = { sub, home: this.#ports.transport.self, feed: home.facts.feed, from, to, head: to }
      getOrMake(byGateway, gateway, () => []).push({ ...page, keys: Buffer.concat(pending) })
    }
    if (this.#dirty.size > 0) this.#noticeSoon()
    for (const [gateway, pages] of byGateway) this.#send(gateway, pages)
  }

  /** Pages from the database instead of from memory: a burst, or what got lost on the way. */
  async #sendFrom(subscriber: Subscription, after: number): Promise<void> {
    const { place, gateway, sub } = subscriber
    const options = { limit: limits.maxFeedPageKeys, records: false }
    for (let from = after; from < subscriber.sentTo; ) {
      const page = await readPage(this.#ports.home(), place, { ...options, after: from, now: this.#ports.clock.now() })
      this.#send(gateway, [{ ...page, home: this.#ports.transport.self, sub }])
      if (page.to <= from) return
      from = page.to
    }
  }

  /** In portions that fit into a frame between peers. */
  #send(gateway: string, pages: (FeedPage & { sub: number })[]): void {
    let portion: typeof pages = []
    let bytes = 0
    for (const page of pages) {
      portion.push(page)
      bytes += page.keys.length + 200
      if (bytes > limits.maxFetchBytes) {
        this.#ports.transport.notify(gateway, storeNotice, { pages: portion })
        portion = []
        bytes = 0
      }
    }
    if (portion.length > 0) this.#ports.transport.notify(gateway, storeNotice, { pages: portion })
  }
}

const getOrMake = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}
