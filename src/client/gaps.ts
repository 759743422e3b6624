// Where messages of a device are known to lack: holes in its sequence that were not filled within the time they are waited for. Pure.
import type { Gap } from './api.ts'
import type { Conversation } from './conversations.ts'
import { holesOf } from './sequence-ranges.ts'

/**
 * A hole before the first message held is a gap only if nothing of that device can have expired: `isYoung` says that it was
 * certified within the retention. Holes above the floor are still being waited for.
 */
export const gapsOf = (conversation: Conversation, isYoung: (user: string, device: string) => boolean): Gap[] => {
  const gaps: Gap[] = []
  for (const [device, { user, held, floor }] of conversation.devices) {
    const first = held[0]?.[0]
    if (first === undefined) continue
    for (const [from, to] of holesOf(held, isYoung(user, device) ? 1 : first)) {
      if (to < floor) gaps.push({ device, from, to })
    }
  }
  return gaps
}
