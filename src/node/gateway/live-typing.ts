// Who is typing: taken from clients, collected for half a second, shown to those who are here and passed on to the gateways where the others
// are. Promises nothing: under load, beyond the limits and when anything fails it is dropped.
import { LruMap } from '../../platform/lru-map.ts'
import type { Clock } from '../../platform/ports.ts'
import type { ClientFrame } from '../../protocol/frames.ts'
import { limits } from '../../protocol/limits.ts'
import { conversationOf, isGroupId, isUserName } from '../../protocol/names.ts'
import { gateTyping, type TypingItem } from '../../protocol/rpc.ts'
import type { PeerTransport } from '../core/ports.ts'
import { type Rate, TokenBuckets } from '../core/token-bucket.ts'
import { frameText } from './gateway-frames.ts'
import type { LeaseFinder } from './lease-finder.ts'
import type { Neighbours } from './neighbours.ts'
import type { Session } from './session.ts'

/** A user writes in one or two conversations; this is for all devices together. */
const USER_RATE: Rate = { perSecond: 5, burst: 20 }
const MAX_USERS = 10_000
/** Of one batch, from all clients here; and of one message to another gateway. */
const MAX_BATCH = 2_000
const MAX_ITEMS = 200
/** More typers of a group than that nobody reads; so a large one costs no more than this times its members. */
const MAX_PER_GROUP = 5
const MEMBERS_MS = 30_000
const MAX_GROUPS = 2_000

interface Members {
  /** Empty when they cannot be asked for. */
  users: Promise<ReadonlySet<string>>
  /** By the monotonic clock. */
  until: number
}
export interface TypingPorts {
  transport: PeerTransport
  clock: Clock
  neighbours: Neighbours
  finder: LeaseFinder
  /** Sessions of a user here that want to hear of typing. */
  listening: (user: string) => readonly Session[]
  /** Everybody in a group, of now or of seconds ago; rejects when that cannot be asked. */
  membersOf: (group: string) => Promise<string[]>
  /** Messages wait: whatever can be dropped is. */
  isBusy: () => boolean
}

export class Typing {
  readonly #ports: TypingPorts
  readonly #buckets = new TokenBuckets(USER_RATE, { max: MAX_USERS })
  readonly #members = new LruMap<string, Members>({ max: MAX_GROUPS })
  readonly #outgoing = new Map<string, TypingItem[]>()
  #batch = new Map<string, TypingItem>()

  constructor(ports: TypingPorts) {
    this.#ports = ports
  }

  start(): void {
    const { transport, neighbours, isBusy } = this.#ports
    transport.handle(gateTyping, ({ items }, from) => {
      if (!neighbours.isGateway(from) || isBusy()) return
      for (const item of items.slice(0, MAX_ITEMS)) if (isItem(item)) void this.#show(item)
    })
  }

  take(session: Session, { to, active }: ClientFrame<'live.typing'>): void {
    const { clock, isBusy } = this.#ports
    const from = session.identity.user
    if (isBusy() || to === from || !(isUserName(to) || isGroupId(to)) || this.#batch.size >= MAX_BATCH) return
    if (!this.#buckets.take(from, 1, clock.monotonic())) return
    if (this.#batch.size === 0) clock.after(limits.typingBatchMs, () => this.#flush())
    this.#batch.set(`${from} ${to}`, { from, to, active })
  }

  #flush(): void {
    const batch = [...this.#batch.values()]
    this.#batch = new Map()
    const perGroup = new Map<string, number>()
    for (const item of batch) {
      const count = (perGroup.get(item.to) ?? 0) + 1
      perGroup.set(item.to, count)
      if (isGroupId(item.to) && count > MAX_PER_GROUP) continue
      void this.#spread(item)
    }
  }

  /** Here, and to the other gateways: of a user to those that have a lease of it, of a group to all, for it has members everywhere. */
  async #spread(item: TypingItem): Promise<void> {
    const { neighbours, finder } = this.#ports
    if (!(await this.#show(item)) || !neighbours.hasOthers) return
    const isGroup = isGroupId(item.to)
    const gateways = isGroup ? neighbours.connected() : (finder.peek(item.to) ?? (await finder.find(item.to)))
    for (const gateway of gateways) this.#addOutgoing(gateway, item)
  }

  /** What becomes known in one turn goes in one message. */
  #addOutgoing(gateway: string, item: TypingItem): void {
    const { clock, transport } = this.#ports
    const outgoing = this.#outgoing.get(gateway)
    if (outgoing) {
      if (outgoing.length < MAX_ITEMS) outgoing.push(item)
      return
    }
    const items = [item]
    this.#outgoing.set(gateway, items)
    clock.after(0, () => {
      this.#outgoing.delete(gateway)
      transport.notify(gateway, gateTyping, { items })
    })
  }

  /** False when it is nobody's business: the author is not in that group. */
  async #show({ from, to, active }: TypingItem): Promise<boolean> {
    const users = isGroupId(to) ? await this.#membersOf(to) : new Set([from, to])
    if (!users.has(from)) return false
    const text = frameText('live.typing', { from, conversation: conversationOf(from, to), active })
    for (const user of users) {
      if (user !== from) for (const session of this.#ports.listening(user)) session.sendIfIdle(text)
    }
    return true
  }

  #membersOf(group: string): Promise<ReadonlySet<string>> {
    const { clock, membersOf } = this.#ports
    const known = this.#members.get(group)
    if (known && known.until > clock.monotonic()) return known.users
    const users = membersOf(group).then(
      (found) => new Set(found),
      () => new Set<string>(),
    )
    this.#members.set(group, { users, until: clock.monotonic() + MEMBERS_MS })
    return users
  }
}

const isItem = ({ from, to, active }: TypingItem): boolean =>
  isUserName(from) && (isUserName(to) || isGroupId(to)) && typeof active === 'boolean'
