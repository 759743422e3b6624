// Where messages of a device are known to lack: holes in its sequence that were not filled within the time they are waited for. Pure.
import { mutant } from '../platform/mutants.ts'
import type { Gap } from './api.ts'
import type { Conversation, DeviceCoverage } from './conversations.ts'
import { holesOf, type SequenceRange } from './sequence-ranges.ts'

export interface GapLookups {
  /** Nothing that this device ever sent can have expired: it was certified within the retention. */
  isYoung: (user: string, device: string) => boolean
  /** The id of a held message; undefined for a void. */
  idAt: (device: string, seq: number) => string | undefined
  /** Of these what was sent to this user, if it was sent; undefined when he may have been outside of the group. */
  missing: (coverage: DeviceCoverage, range: SequenceRange) => SequenceRange | undefined
}

/**
 * A hole before the first message held is a gap only if nothing of that device can have expired.
 * Holes above the floor are still being waited for.
 */
export const gapsOf = (conversation: Conversation, { isYoung, idAt, missing }: GapLookups): Gap[] => {
  const gaps: Gap[] = []
  for (const [device, coverage] of conversation.devices) {
    const { user, held, floor } = coverage
    const first = held[0]?.[0]
    if (first === undefined) continue
    for (const hole of holesOf(held, isYoung(user, device) ? 1 : first)) {
      const lacking = hole[1] < floor ? missing(coverage, hole) : undefined
      if (!lacking || mutant('gap-untold')) continue
      const [from, to] = lacking
      const before = idAt(device, to + 1)
      gaps.push({ device, from, to, ...(before === undefined ? {} : { before }) })
    }
  }
  return gaps
}
