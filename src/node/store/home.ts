// An opened home: its database and everything derived from it in memory (digests, numbers, the commit queue).
// Made anew whenever the database is opened, so that memory never says something that the disk does not.

import type { Clock, Database, Marker } from '../../platform/ports.ts'
import type { StoreMark } from '../../protocol/rpc.ts'
import type { BatchLog } from './batch-log.ts'
import { CommitQueue, type Draft } from './commit-queue.ts'
import type { EntryFilter } from './entry-filter.ts'
import type { FeedNumbers } from './feed-numbers.ts'
import { metaKey } from './keys.ts'
import { Ledger } from './ledger.ts'
import type { ShardDigests } from './shard-digests.ts'
import { StagedRows } from './staged-rows.ts'
import { metaValue, openMetaValue } from './values.ts'

/**
 * up: holds everything it ever acknowledged. syncing: it may not, takes writes, answers no reads.
 * damaged: it may not and there is nobody to ask (N = 1); answers reads, takes no writes until the operator accepts the loss.
 */
export type HomeCondition = 'up' | 'syncing' | 'damaged'
export interface HomeFacts {
  /** Feed id: random, new whenever numbering could have been lost. */
  feed: string
  condition: HomeCondition
  /** The highest epoch this home ever answered at: it refuses lower ones for ever. */
  epoch: number
  /** Entries that were counted and then gone without our doing; kept until the operator has acknowledged it. */
  missing: number
  /** The feed under which nothing is missing that this home promised to group nodes; under another it takes no part. */
  ledgerFeed?: string
}
const FACTS_KEY = metaKey('facts')
export const readFacts = (database: Database): HomeFacts | undefined =>
  openMetaValue(FACTS_KEY, database.get(FACTS_KEY)) as HomeFacts | undefined // written by saveFacts, checksummed

export interface HomeParts {
  clock: Clock
  database: Database
  marker: Marker
  batches: BatchLog
  numbers: FeedNumbers
  digests: ShardDigests
  filter: EntryFilter
  facts: HomeFacts
  hasTombs: boolean
}
export interface HomeEvents {
  onDurable: (draft: Draft) => void
  onFailed: (home: Home, error: unknown) => void
  /** A row of the ledger does not check out. */
  onDamage: (home: Home) => void
}

export class Home {
  readonly database: Database
  readonly numbers: FeedNumbers
  readonly digests: ShardDigests
  readonly filter: EntryFilter
  readonly queue: CommitQueue
  readonly ledger: Ledger
  /** False: no tombstone was ever stored here, so nobody needs to look for one. */
  hasTombs: boolean
  readonly #batches: BatchLog
  readonly #marker: Marker
  #facts: HomeFacts

  constructor(parts: HomeParts, events: HomeEvents) {
    this.database = parts.database
    this.numbers = parts.numbers
    this.digests = parts.digests
    this.filter = parts.filter
    this.hasTombs = parts.hasTombs
    this.#batches = parts.batches
    this.#marker = parts.marker
    this.#facts = parts.facts
    this.queue = new CommitQueue({
      clock: parts.clock,
      database: parts.database,
      marker: parts.marker,
      batches: parts.batches,
      numbers: parts.numbers,
      countEntries: () => this.digests.count,
      onDurable: (draft) => {
        for (const { shard, hour, digest } of draft.added) this.digests.add(shard, hour, digest)
        for (const { shard, hour, digest } of draft.removed) this.digests.remove(shard, hour, digest)
        events.onDurable(draft)
      },
      onFailed: (error) => events.onFailed(this, error),
    })
    const { database } = parts
    const rows = new StagedRows({ database, draft: () => this.queue.draft(), commit: () => this.queue.commit() })
    this.ledger = new Ledger({ rows, clock: parts.clock, onDamage: () => events.onDamage(this) })
  }

  get facts(): Readonly<HomeFacts> {
    return this.#facts
  }

  /** May it promise and take anything for groups? */
  get takesPart(): boolean {
    return this.#facts.ledgerFeed === this.#facts.feed
  }

  get mark(): StoreMark {
    return { feed: this.#facts.feed, batch: this.#batches.batch }
  }

  /** Counts at once in memory, resolves when it is durable, together with everything staged before. */
  saveFacts(change: Partial<HomeFacts>): Promise<void> {
    const draft = this.queue.urgentDraft()
    this.#facts = { ...this.#facts, ...change }
    draft.put(FACTS_KEY, metaValue(FACTS_KEY, this.#facts))
    return this.queue.commit()
  }

  /** A peer saw this batch of ours, so its number is used up. */
  skipBatches(batch: number): void {
    this.#batches.skipTo(batch)
  }

  /** Finishes what is on its way and closes the files. */
  async close(): Promise<void> {
    await this.queue.idle()
    try {
      await this.database.close()
    } finally {
      this.#marker.close()
    }
  }
}
