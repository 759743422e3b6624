// Times in which this user was outside of a group: what its devices missed then is no gap, and is hardly waited for. Where a hole in
// a device's sequence begins and ends is told by the versions that the messages around it name.
import { limits } from '../protocol/limits.ts'
import { isGroupId } from '../protocol/names.ts'
import type { Groups } from './groups.ts'
import type { HeldRecords } from './held-records.ts'
import type { Arrival } from './holds.ts'
import { keys, type Place } from './keys.ts'
import type { LocalStore } from './local-store.ts'
import { lastUpTo, rangeAround } from './sequence-ranges.ts'

/** Messages of one device overtake each other on their way by no more, where none is lost. */
const AWAY_HOLD_MS = 250

export class Absences {
  readonly #store: LocalStore
  readonly #records: HeldRecords
  readonly #groups: Groups

  constructor({ store, records, groups }: { store: LocalStore; records: HeldRecords; groups: Groups }) {
    this.#store = store
    this.#records = records
    this.#groups = groups
  }

  /** May all that lacks between two numbers have been sent while this user was outside? */
  explain(place: Place, [from, to]: readonly [number, number]): boolean {
    const { conversation } = place
    const newest = this.#groups.newest(conversation)?.version
    if (newest === undefined) return false
    return this.#groups.wasAway(
      conversation,
      this.#versionAt(place, from - 1) ?? 1,
      this.#versionAt(place, to + 1) ?? newest,
    )
  }

  /** How long a message waits for those that lack before it, in milliseconds. */
  holdMs({ conversation, device, coverage, seq }: Arrival): number {
    if (!isGroupId(conversation.id)) return limits.gapHoldMs
    const to = (rangeAround(coverage.held, seq)?.[0] ?? seq) - 1
    const from = (lastUpTo(coverage.held, to) ?? 0) + 1
    return this.explain({ conversation: conversation.id, device }, [from, to]) ? AWAY_HOLD_MS : limits.gapHoldMs
  }

  /** undefined for a void, and where nothing is. */
  #versionAt(place: Place, seq: number): number | undefined {
    const key = seq > 0 ? this.#store.get(keys.sequence(place, seq)) : undefined
    return key && this.#records.message(key)?.header.gv
  }
}
