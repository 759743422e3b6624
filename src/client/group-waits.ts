// Records of groups whose versions are not known here yet. They wait for the feed to bring the version; what it does not bring soon
// is asked for, and so is, at once, what only the cluster can confirm. Refused is only what this user has no part in, as the cluster says
// for a while. Owns the waiting, and what the cluster answered.
import { LruMap } from '../platform/lru-map.ts'
import { equalBytes } from '../protocol/bytes.ts'
import { hasCode } from '../protocol/errors.ts'
import { type GroupHeader, recordKey } from '../protocol/records.ts'
import { sleep } from '../platform/timing.ts'
import type { Clock, Logger } from '../platform/ports.ts'
import type { Groups } from './groups.ts'

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
  /** It is that version itself: the feed has brought it, and the cluster has to say that it was decided. */
  isItself: boolean
  /** It is looked at again; or it will never be believed. */
  again: () => void
  refuse: () => void
}

export interface GroupWaitsOptions {
  clock: Clock
  log: Logger
  groups: Groups
  /** Asks for a version, or the newest, and takes it in. GROUP_DENIED, GROUP_UNKNOWN; anything else: not now. */
  fetch: (group: string, version: number | undefined) => Promise<void>
}

export class GroupWaits {
  readonly #options: GroupWaitsOptions
  readonly #waiting = new Map<string, Waiting[]>()
  readonly #asking = new Set<string>()
  /** Versions, as `group version`, that the cluster does not give to this user. */
  readonly #withheld = new Set<string>()
  /** Record keys of those that it gave. */
  readonly #told = new LruMap<string, Uint8Array>({ max: MAX_TOLD })
  /** Since when the cluster has nothing newer for this user. */
  readonly #exhaustedAt = new Map<string, number>()
  #isStopped = false

  constructor(options: GroupWaitsOptions) {
    this.#options = options
  }

  add(group: string, waiting: Waiting): void {
    this.#waiting.set(group, [...(this.#waiting.get(group) ?? []), waiting])
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

  /** The cluster answered with this version: what waits for its word is looked at again. */
  told(record: Uint8Array, { to: group, v, id }: GroupHeader): void {
    this.#told.set(`${group} ${v}`, recordKey(id, record))
    const waiting = this.#take(group)
    const isAnswered = ({ isItself, version }: Waiting): boolean => isItself && version === v
    const rest = waiting.filter((one) => !isAnswered(one))
    if (rest.length > 0) this.#waiting.set(group, rest)
    for (const one of waiting) if (isAnswered(one)) one.again()
  }

  /** A version of the group was filed: what waits for it, or for one before it, is looked at again. */
  filed(group: string, version: number): void {
    this.#exhaustedAt.delete(group)
    const waiting = this.#take(group)
    const rest = waiting.filter((one) => one.version > version)
    if (rest.length > 0) this.#waiting.set(group, rest)
    for (const one of waiting) if (one.version <= version) one.again()
  }

  stop(): void {
    this.#isStopped = true
  }

  #take(group: string): Waiting[] {
    const waiting = this.#waiting.get(group) ?? []
    this.#waiting.delete(group)
    return waiting
  }

  async #ask(group: string): Promise<void> {
    const { clock } = this.#options
    if (!this.#waiting.get(group)?.some(({ isItself }) => isItself)) await sleep(clock, FEED_MS)
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
      if (!hasCode(error, 'GROUP_DENIED', 'GROUP_UNKNOWN')) return void this.#exhaustedAt.delete(group)
      if (version !== undefined) {
        this.#withheld.add(`${group} ${version}`)
        for (const { again } of this.#take(group)) again()
        return
      }
    }
    if (version === undefined) this.#exhausted(group)
  }

  /** From the lowest up, so that each finds the one before it; the newest when there is none to name. */
  #wanted(group: string): number | undefined {
    const versions = (this.#waiting.get(group) ?? []).map(({ version }) => version)
    const known = versions.filter((version) => version > 0 && !this.isWithheld(group, version))
    return known.length > 0 ? Math.min(...known) : undefined
  }

  #exhausted(group: string): void {
    const now = this.#options.clock.monotonic()
    const since = this.#exhaustedAt.get(group) ?? now
    this.#exhaustedAt.set(group, since)
    if (now - since < REFUSE_MS) return
    for (const { refuse } of this.#take(group)) refuse()
  }
}
