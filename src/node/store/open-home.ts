// Opens a home and checks it before anybody may read: is every durable batch there, and if not, is there anybody to ask.

import type { Clock, Database, Disk, Logger, Marker, RandomSource } from '../../platform/ports.ts'
import { toHex } from '../../protocol/bytes.ts'
import { BatchLog } from './batch-log.ts'
import { EntryFilter } from './entry-filter.ts'
import { FeedNumbers } from './feed-numbers.ts'
import { Home, type HomeCondition, type HomeEvents, type HomeFacts, readFacts } from './home.ts'
import { allEntries, allTombs, openEntryKey, placeOf } from './keys.ts'
import { ShardDigests } from './shard-digests.ts'
import { entryDigest } from './values.ts'

const DATABASE_NAME = 'messages'
const FEED_ID_BYTES = 12
const KEYS_PER_TURN = 10_000

export interface OpenOptions {
  clock: Clock
  disk: Disk
  random: RandomSource
  log: Logger
  /** True when this store is the only home there is (N = 1). */
  isAlone: boolean
  epoch: number
  events: HomeEvents
}

export const newFeedId = (random: RandomSource): string => toHex(random.bytes(FEED_ID_BYTES))

/** What a home that lost something becomes. */
export const conditionAfterLoss = (isAlone: boolean): HomeCondition => (isAlone ? 'damaged' : 'syncing')

export const openHome = async (options: OpenOptions): Promise<Home> => {
  const { disk } = options
  const database = await disk.openDatabase(DATABASE_NAME)
  const marker = await disk.openMarker(DATABASE_NAME)
  try {
    return await checkHome({ database, marker }, options)
  } catch (error) {
    await database.close()
    marker.close()
    throw error
  }
}

const checkHome = async (
  { database, marker }: { database: Database; marker: Marker },
  options: OpenOptions,
): Promise<Home> => {
  const { clock, events, log } = options
  const { log: batches, lastNumber, entries, isIntact } = await BatchLog.load(database, marker)
  const { digests, filter } = await scanEntries(database)
  const missing = Math.max(0, entries - digests.count)
  const known = readFacts(database)
  const facts = factsAtStart(known, { isIntact: isIntact && missing === 0, missing }, options)
  const hasTombs = (await database.keys({ ...allTombs, limit: 1 })).length > 0
  const numbers = FeedNumbers.load(database, lastNumber)
  const home = new Home({ clock, database, marker, batches, numbers, digests, filter, facts, hasTombs }, events)
  log.info({ ...facts, closedCleanly: marker.wasClosedCleanly(), entries: digests.count }, 'opened the mailboxes')
  if (!(await home.ledger.fanOuts.load())) {
    await home.saveFacts({ feed: newFeedId(options.random), condition: conditionAfterLoss(options.isAlone) })
  } else if (facts !== known) await home.saveFacts({})
  return home
}

interface Findings {
  isIntact: boolean
  missing: number
}
const factsAtStart = (known: HomeFacts | undefined, found: Findings, options: OpenOptions): HomeFacts => {
  const { random, isAlone, epoch } = options
  if (known && found.isIntact) return known
  const feed = newFeedId(random)
  // No batch was ever written and none is missing: a new home. Alone, it is the first of a new cluster and lacks nothing.
  if (!known && found.isIntact) {
    return { feed, epoch, missing: 0, ...(isAlone ? { condition: 'up', ledgerFeed: feed } : { condition: 'syncing' }) }
  }
  const missing = (known?.missing ?? 0) + found.missing
  return { feed, epoch: known?.epoch ?? epoch, condition: conditionAfterLoss(isAlone), missing }
}

/** What memory must know of every entry, by one scan: digests and the filter. */
const scanEntries = async (database: Database): Promise<{ digests: ShardDigests; filter: EntryFilter }> => {
  const digests = new ShardDigests()
  const filter = new EntryFilter()
  let range: { gt?: Uint8Array; gte?: Uint8Array; lt: Uint8Array } = allEntries
  for (;;) {
    const keys = await database.keys({ ...range, limit: KEYS_PER_TURN })
    for (const key of keys) {
      const { shard, hour, mailbox, recordKey } = openEntryKey(key)
      const { salt, mix } = placeOf(mailbox)
      digests.add(shard, hour, entryDigest(salt, recordKey))
      filter.add(mix, recordKey)
    }
    const last = keys.at(-1)
    if (keys.length < KEYS_PER_TURN || !last) return { digests, filter }
    range = { gt: last, lt: allEntries.lt }
  }
}
