// Whom a message of one's own is to, and how far it got with all of them: the state of the slowest. Of a group, its members when the
// message was written; nobody waits for those who have left since.
import type { MessageHeader } from '../protocol/records.ts'
import type { Groups } from './groups.ts'
import type { HeldMessage } from './held-records.ts'
import type { Statuses, Times } from './statuses.ts'

const MAX_REMEMBERED = 1_000

interface Slowest {
  times: Times
  /** Whose receipt is waited for; undefined when everybody has read it. */
  awaited: string | undefined
  /** The version of the group whose members are waited for. */
  version: number
  isChanged: boolean
}

export interface RecipientsOptions {
  groups: Groups
  statuses: Statuses
  me: string
}

export class Recipients {
  readonly #options: RecipientsOptions
  /** Of messages to groups, by id: a screen asks again and again, and each of many members sends receipts. */
  readonly #slowest = new Map<string, Slowest>()

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

  /** When it was stored, as far as anybody said; 0: nobody yet. A receipt of any of them proves it as much as the cluster's answer. */
  storedAt({ header, acceptedAt }: HeldMessage): number {
    if (acceptedAt > 0) return acceptedAt
    const times = this.of(header).map((user) => this.timesOf(header, user).receivedAt)
    return times.reduce((first, at) => (at > 0 && (first === 0 || at < first) ? at : first), 0)
  }

  /** Of the slowest; what nobody else gets is read by its author. */
  slowest(message: HeldMessage): Times {
    const { header, acceptedAt } = message
    const { groups } = this.#options
    if (header.gv === undefined) return header.to === header.from ? whole(acceptedAt) : this.timesOf(header, header.to)
    const version = groups.newest(header.to)?.version ?? 0
    const known = this.#slowest.get(header.id)
    if (known?.version === version && this.#isStill(header, known)) return known.times
    // Whoever left and came back is not waited for either: a state never goes back.
    const waitedFor = this.of(header).filter((user) => groups.isMemberSince(header.to, header.gv ?? 1, user))
    if (waitedFor.length === 0) return whole(this.storedAt(message))
    const found = this.#slowestOf(header, waitedFor)
    if (this.#slowest.size >= MAX_REMEMBERED) this.#slowest.delete(this.#slowest.keys().next().value ?? '')
    this.#slowest.set(header.id, { ...found, version, isChanged: false })
    return found.times
  }

  /** A receipt of this message came. */
  changed(id: string): void {
    const known = this.#slowest.get(id)
    if (known) known.isChanged = true
  }

  /** Nothing came, or not from whom it is waited for. */
  #isStill(header: MessageHeader, { times, awaited, isChanged }: Slowest): boolean {
    if (!isChanged) return true
    if (awaited === undefined) return false
    const now = this.timesOf(header, awaited)
    return times.receivedAt === 0 ? now.receivedAt === 0 : now.readAt === 0
  }

  #slowestOf(header: MessageHeader, users: string[]): Pick<Slowest, 'times' | 'awaited'> {
    const slowest: Times = { receivedAt: 0, readAt: 0 }
    let awaited: string | undefined
    for (const user of users) {
      const { receivedAt, readAt } = this.timesOf(header, user)
      if (receivedAt === 0) return { times: whole(0), awaited: user }
      if (readAt === 0) awaited ??= user
      slowest.receivedAt = Math.max(slowest.receivedAt, receivedAt)
      slowest.readAt = Math.max(slowest.readAt, readAt)
    }
    return { times: awaited === undefined ? slowest : { ...slowest, readAt: 0 }, awaited }
  }
}

const whole = (at: number): Times => ({ receivedAt: at, readAt: at })
