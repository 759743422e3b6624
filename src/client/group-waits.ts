// Records of groups whose versions are not known here yet. They wait for the feed to bring the version; what it does not bring soon
// is asked for, and so is, at once, what only the cluster can confirm. Refused is only what this user has no part in, as the cluster says
// for a while. Owns the waiting, and what the cluster answered.
import { LruMap } from '../platform/lru-map.ts'
import { equalBytes } from '../protocol/bytes.ts'
import { hasCode } from '../protocol/errors.ts'
import { type GroupHeader, recordKey } from '../protocol/records.ts'
import { sleep } from '../platform/timing.ts'
import type { Clock, Logger } from '../platform/ports.ts'

/** Versions and messages of a group travel the same ways: mostly the version comes by itself. */
const FEED_MS = 200
const NEXT_MS = 10
const RETRY_MS = 1_000
/** A version that adds this user may be on its way for as long as a group node takes to finish what another one began. */
const REFUSE_MS = 30_000

/** What the cluster told is asked again when it is needed after so many others. */
const MAX_TOLD = 1_000

interface Waiting {
  /** The version that it needs; 0: the newest. */
  version: number
  /** Its record key, when it is that version: the feed has brought it, and the cluster has to say that it was decided. */
  itself: Uint8Array | undefined
  /** It is looked at again; or it will never be believed. */
  again: () => void
  refuse: () => void
}

interface Waiter extends Waiting {
  /** Since when it waits, and the cluster answers. */
  since: number
}

export interface GroupWaitsOptions {
  clock: Clock
  log: Logger
  /** Asks for a version, or the newest, and takes it in. GROUP_DENIED, GROUP_UNKNOWN; anything else: not now. */
  fetch: (group: string, version: number | undefined) => Promise<void>
}

export class GroupWaits {
  readonly #options: GroupWaitsOptions
  readonly #waiting = new Map<string, Waiter[]>()
  readonly #asking = new Set<string>()
  /** Versions, as `group version`, that the cluster does not give to this user. */
  readonly #withheld = new Set<string>()
  /** Record keys of those that it gave. */
  readonly #told = new LruMap<string, Uint8Array>({ max: MAX_TOLD })
  #asked = 0
  #isStopped = false

  constructor(options: GroupWaitsOptions) {
    this.#options = options
  }

  add(group: string, waiting: Waiting): void {
    const waiter = { ...waiting, since: this.#options.clock.monotonic() }
    this.#waiting.set(group, [...(this.#waiting.get(group) ?? []), waiter])
    if (this.#asking.has(group)) return
    this.#asking.add(group)
    void this.#ask(group).finally(() => this.#asking.delete(group))
  }

  isWithheld(group: string, version: number): boolean {
    return this.#withheld.has(`${group} ${version}`)
  }

  isTold(record: Uint8Array, { to: group, v, id }: GroupHeader): boolean {
    const told = this.#told.get(`${group} ${v}`)
    return told !== undefined && equalBytes(told, recordKey(id, record))
  }

  /** The cluster answered with this version: it is looked at again if it waits here for just that. */
  told(record: Uint8Array, { to: group, v, id }: GroupHeader): void {
    const key = recordKey(id, record)
    this.#told.set(`${group} ${v}`, key)
    this.#release(group, ({ itself }) => itself !== undefined && equalBytes(itself, key))
  }

  /** A version of the group was filed: what waits for it, for one before it, or for one that never comes, is looked at again. */
  filed(group: string, version: number): void {
    this.#withheld.delete(`${group} ${version}`)
    this.#release(group, (one) => one.version <= version || this.isWithheld(group, one.version))
  }

  stop(): void {
    this.#isStopped = true
  }

  #release(group: string, isAnswered: (one: Waiting) => boolean): void {
    for (const { again } of this.#take(group, isAnswered)) again()
  }

  #take(group: string, isTaken: (one: Waiter) => boolean): Waiter[] {
    const waiting = this.#waiting.get(group) ?? []
    const taken = waiting.filter(isTaken)
    if (taken.length === 0) return []
    const rest = waiting.filter((one) => !taken.includes(one))
    if (rest.length > 0) this.#waiting.set(group, rest)
    else this.#waiting.delete(group)
    return taken
  }

  async #ask(group: string): Promise<void> {
    const { clock } = this.#options
    if (!this.#waiting.get(group)?.some(({ itself }) => itself)) await sleep(clock, FEED_MS)
    while (!this.#isStopped && this.#waiting.has(group)) {
      const before = this.#waiting.get(group)
      await this.#askOnce(group)
      await sleep(clock, NEXT_MS) // what was fetched is still being checked
      if (this.#waiting.get(group) === before) await sleep(clock, RETRY_MS)
    }
  }

  async #askOnce(group: string): Promise<void> {
    const { fetch, log } = this.#options
    const version = this.#wanted(group)
    try {
      await fetch(group, version)
    } catch (error) {
      log.debug({ group, version, error: String(error) }, 'group.get')
      if (!hasCode(error, 'GROUP_DENIED', 'GROUP_UNKNOWN')) return this.#beginAnew(group)
      if (version !== undefined) {
        this.#withheld.add(`${group} ${version}`)
        return this.#release(group, ({ itself }) => !itself)
      }
    }
    if (version === undefined) this.#exhausted(group)
  }

  /**
   * From the lowest up, so that each finds the one before it. When there is none to name: the newest, and in turn those that are here and were
   * not decided when the cluster was asked.
   */
  #wanted(group: string): number | undefined {
    const waiting = this.#waiting.get(group) ?? []
    const versions = waiting.map(({ version }) => version)
    const known = versions.filter((version) => version > 0 && !this.isWithheld(group, version))
    if (known.length > 0) return Math.min(...known)
    const undecided = waiting.flatMap(({ itself, version }) => (itself ? [version] : []))
    return [undefined, ...undecided][this.#asked++ % (1 + undecided.length)]
  }

  /** Nobody answered: that says nothing. */
  #beginAnew(group: string): void {
    const now = this.#options.clock.monotonic()
    for (const waiter of this.#waiting.get(group) ?? []) waiter.since = now
  }

  /** The cluster has nothing newer for this user: what has waited long enough has no part in it. */
  #exhausted(group: string): void {
    const now = this.#options.clock.monotonic()
    for (const { refuse } of this.#take(group, ({ since }) => now - since >= REFUSE_MS)) refuse()
  }
}
