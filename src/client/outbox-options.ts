// What the outbox needs of the client around it, and whom it tells of what.
import type { Clock, Logger, RandomSource } from '../platform/ports.ts'
import type { ChatError } from '../protocol/errors.ts'
import type { LocalStore } from './local-store.ts'
import type { OutboxEntry } from './outbox-entry.ts'
import type { SealingOptions } from './outbox-sealing.ts'

export interface OutboxOptions extends SealingOptions {
  store: LocalStore
  clock: Clock
  random: RandomSource
  log: Logger
  onStored: (entry: OutboxEntry, acceptedAt: number) => void
  onRefused: (entry: OutboxEntry, error: ChatError) => void
  onProblem: (entry: OutboxEntry, error: ChatError) => void
  /** Its files must get into the cluster before it, and what comes after it in its lane, may leave. */
  onFiles: (entry: OutboxEntry) => void
  /** It will not leave. */
  onFilesDropped: (entry: OutboxEntry) => void
  onChange: () => void
}
