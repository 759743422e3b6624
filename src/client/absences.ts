// Times in which this user was outside of a group: what its devices missed then is no gap, and is hardly waited for. What lacks is told
// apart by the versions that the messages around it name. Whatever may have been taken while this user was outside counts as such: a message
// is taken at the version that it names or a later one, and the cluster tells a member nothing of the others.
import { limits } from '../protocol/limits.ts'
import { isGroupId } from '../protocol/names.ts'
import { mutant } from '../platform/mutants.ts'
import type { DeviceCoverage } from './conversations.ts'
import type { Groups } from './groups.ts'
import type { Arrival } from './holds.ts'
import { namedFrom, namedUpTo } from './named-versions.ts'
import { lastUpTo, rangeAround, type SequenceRange } from './sequence-ranges.ts'

/** Messages of one device overtake each other on their way by no more, where none is lost. */
const AWAY_HOLD_MS = 250

type Coverage = Pick<DeviceCoverage, 'user' | 'named'>

export class Absences {
  readonly #groups: Groups
  readonly #me: string

  constructor({ groups, me }: { groups: Groups; me: string }) {
    this.#groups = groups
    this.#me = me
  }

  /** What of a hole in a device's numbers was sent to this user, if it was sent; undefined when all of it may be from an absence. */
  missing(group: string, { user, named = [] }: Coverage, [from, to]: SequenceRange): SequenceRange | undefined {
    // What one writes oneself one has on all devices, in or out.
    if (user === this.#me || !this.#wasAwaySince(group, namedUpTo(named, from - 1) ?? 1)) return [from, to]
    const [first, , version] = namedFrom(named, to + 1) ?? [to + 1, to + 1, 1]
    const isMine = first <= to && !this.#wasAwaySince(group, version) && !mutant('absence-assumed')
    return isMine ? [Math.max(from, first), to] : undefined
  }

  /** How long a message waits for those that lack before it, in milliseconds. */
  holdMs({ conversation, coverage, seq }: Arrival): number {
    if (!isGroupId(conversation.id)) return limits.gapHoldMs
    const to = (rangeAround(coverage.held, seq)?.[0] ?? seq) - 1
    const from = (lastUpTo(coverage.held, to) ?? 0) + 1
    return this.missing(conversation.id, coverage, [from, to]) ? limits.gapHoldMs : AWAY_HOLD_MS
  }

  #wasAwaySince(group: string, version: number): boolean {
    const newest = this.#groups.newest(group)?.version
    return newest !== undefined && this.#groups.wasAway(group, version, newest)
  }
}
