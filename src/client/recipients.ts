// Whom a message of one's own is to, and how far it got with all of them: the state of the slowest. Of a group, its members when the
// message was written; nobody waits for those who have left since.
import type { MessageHeader } from '../protocol/records.ts'
import type { Groups } from './groups.ts'
import type { HeldMessage } from './held-records.ts'
import type { Statuses, Times } from './statuses.ts'

const MAX_REMEMBERED = 1_000

export interface RecipientsOptions {
  groups: Groups
  statuses: Statuses
  me: string
}

export class Recipients {
  readonly #options: RecipientsOptions
  /** Of messages to groups, by id, and the version whose members are waited for: a screen asks again and again. */
  readonly #slowest = new Map<string, { times: Times; version: number }>()

  constructor(options: RecipientsOptions) {
    this.#options = options
  }

  /** Without the sender, by name. */
  of({ to, from, gv }: MessageHeader): string[] {
    if (gv === undefined) return to === from ? [] : [to]
    const { groups } = this.#options
    const members = (groups.at(to, gv) ?? groups.newest(to))?.members ?? new Map<string, unknown>()
    return [...members.keys()].filter((user) => user !== from)
  }

  timesOf({ conv, dev, seq }: MessageHeader, user: string): Times {
    return this.#options.statuses.of({ conversation: conv, device: dev }, seq, user)
  }

  /** Of the slowest; what nobody else gets is read by its author. */
  slowest(message: HeldMessage): Times {
    const { header, acceptedAt } = message
    const { groups } = this.#options
    if (header.gv === undefined) return header.to === header.from ? whole(acceptedAt) : this.timesOf(header, header.to)
    const version = groups.newest(header.to)?.version ?? 0
    const known = this.#slowest.get(header.id)
    if (known?.version === version) return known.times
    const waitedFor = this.of(header).filter((user) => groups.isMember(header.to, user))
    const times = waitedFor.length === 0 ? whole(acceptedAt) : this.#slowestOf(header, waitedFor)
    if (acceptedAt === 0) return times
    if (this.#slowest.size >= MAX_REMEMBERED) this.#slowest.delete(this.#slowest.keys().next().value ?? '')
    this.#slowest.set(header.id, { times, version })
    return times
  }

  /** A receipt of this message came. */
  changed(id: string): void {
    this.#slowest.delete(id)
  }

  #slowestOf(header: MessageHeader, users: string[]): Times {
    const slowest: Times = { receivedAt: 0, readAt: 0 }
    let allRead = true
    for (const user of users) {
      const { receivedAt, readAt } = this.timesOf(header, user)
      if (receivedAt === 0) return { receivedAt: 0, readAt: 0 }
      allRead &&= readAt > 0
      slowest.receivedAt = Math.max(slowest.receivedAt, receivedAt)
      slowest.readAt = Math.max(slowest.readAt, readAt)
    }
    return allRead ? slowest : { ...slowest, readAt: 0 }
  }
}

const whole = (at: number): Times => ({ receivedAt: at, readAt: at })
