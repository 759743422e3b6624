// What `chatd cluster check` found.
import type { CheckedKind } from './check-records.ts'

export interface Problem {
  /** lag: may still come right; the others do not. */
  kind: 'lag' | 'damage' | 'invalid' | 'lost'
  /** Name of the home, when it is one's. */
  home?: string
  text: string
}
export interface CheckReport {
  ok: boolean
  epoch: number
  homes: string[]
  shards: number
  mailboxes: number
  /** Pairs of mailbox and record, each counted once for all homes. */
  entries: number
  /** Records that verified, each once, and how many of each kind. */
  records: number
  kinds: Partial<Record<CheckedKind, number>>
  /** Attachments that messages name, and those that are whole on enough of their homes. */
  blobs: { named: number; whole: number }
  ledger: { ids: number; found: number }
  waitedMs: number
  problems: Problem[]
}
