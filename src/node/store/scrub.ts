// Reads everything a home holds, slowly, in search of damage that no digest shows: they cover which records there are, not their
// bytes. What is wrong is written anew, from what is still right here or from another home. Removes nothing but numbers of a feed that lead
// nowhere.

import { asBuffer, toHex } from '../../protocol/bytes.ts'
import { asChatError } from '../../protocol/errors.ts'
import type { KeyRange } from '../../platform/ports.ts'
import { sleep } from '../../platform/timing.ts'
import { homesOfShard } from '../replication/placement.ts'
import { admit } from './admission.ts'
import { stageEntry } from './append.ts'
import { admissionRules, type StoreContext } from './context.ts'
import { findElsewhere } from './find-elsewhere.ts'
import type { Home } from './home.ts'
import { allEntries, allNumbers, type EntryParts, numberKey, numberOfKey, openEntryKey, placeOf } from './keys.ts'
import { keepFetched } from './repair-pass.ts'
import { canBeCleared, clearStrays, isStray } from './stray-numbers.ts'
import { bodyOrStub } from './tombstones.ts'
import { entryDigest, type EntryValue, entryValue, numberValue, openEntryValue, openNumberValue } from './values.ts'

/** With the pause about 5,000 rows a second: a tenth of a processor, 100,000 messages in little more than a minute. */
const ROWS_PER_TURN = 500
const PAUSE_MS = 80
/** What could not be mended is tried again, less and less often: the other home, or room on the disk, may come back. */
const AGAIN_MS = 500
const LONGEST_MS = 60_000
const LAST_NUMBER = 2 ** 48 - 1

interface Damaged extends EntryParts {
  key: Buffer
}
interface Findings {
  damaged: Damaged[]
  /** Keys of numbers without an entry of theirs. */
  strays: Buffer[]
}

/** Resolves when all that was found is whole, or nobody can help. */
export const scrub = async (context: StoreContext, signal: AbortSignal): Promise<void> => {
  const { clock, log } = context
  let found: Findings | undefined
  for (let pauseMs = AGAIN_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_MS)) {
    try {
      found ??= await findAndTell(context, signal)
      await mendAll(context, found)
      if (found.damaged.length === 0 && found.strays.length > 0) found.strays = await clearStrays(context, found.strays)
    } catch (error) {
      log.debug({ error: asChatError(error).message }, 'the search for damage has to wait')
    }
    if (found && context.isOpen() && !isWorthAnotherTry(context, found)) return
    await sleep(clock, pauseMs, signal)
  }
}

const findAndTell = async (context: StoreContext, signal: AbortSignal): Promise<Findings> => {
  const damaged: Damaged[] = []
  await eachTurn(context, { range: allEntries, signal }, (home, key) => {
    if (isDamaged(home, key)) damaged.push({ key, ...openEntryKey(key) })
  })
  const strays: Buffer[] = []
  await eachTurn(context, { range: allNumbers, signal }, (home, key) => {
    if (isStray(home, key)) strays.push(key)
  })
  if (damaged.length > 0) context.log.error({ entries: damaged.length }, 'some of what this home holds is damaged')
  if (strays.length > 0) context.log.warn({ numbers: strays.length }, 'some numbers of feeds lead to no entry')
  return { damaged, strays }
}

const mendAll = async (context: StoreContext, found: Findings): Promise<void> => {
  if (found.damaged.length === 0) return
  for (const entry of found.damaged) await mend(context, entry)
  await context.home().queue.commit()
  found.damaged = found.damaged.filter(({ key }) => isDamaged(context.home(), key))
  if (found.damaged.length === 0) context.log.info({}, 'what was damaged is whole again')
}

const isWorthAnotherTry = (context: StoreContext, { damaged, strays }: Findings): boolean =>
  damaged.length > 0
    ? damaged.some((entry) => othersWith(context, entry).length > 0)
    : strays.some((key) => canBeCleared(context, key))

/** The other homes of its shard. */
const othersWith = ({ transport, view }: StoreContext, { shard }: Damaged): string[] =>
  homesOfShard(view.current().map, shard).all.filter((peer) => peer !== transport.self)

/** Reads the keys of a range slowly: so many a turn, then a pause. */
const eachTurn = async (
  context: StoreContext,
  { range, signal }: { range: KeyRange & { lt: Uint8Array }; signal: AbortSignal },
  visit: (home: Home, key: Buffer) => void,
): Promise<void> => {
  let next: KeyRange = range
  while (!signal.aborted) {
    const home = context.home()
    const keys = await home.database.keys({ ...next, limit: ROWS_PER_TURN })
    for (const key of keys) visit(home, asBuffer(key))
    const last = keys.at(-1)
    if (keys.length < ROWS_PER_TURN || !last) return
    next = { gt: last, lt: range.lt }
    await sleep(context.clock, PAUSE_MS, signal)
  }
}

/** False for an entry that is gone meanwhile. */
const isDamaged = (home: Home, key: Buffer): boolean => {
  const bytes = home.database.get(key)
  if (bytes === undefined) return false
  const { mailbox, recordKey, hour } = openEntryKey(key)
  const entry = openEntryValue(key, bytes)
  if (!entry || !bodyOrStub(home, hour, recordKey)) return true
  return !hasNumber(home, { mailbox, recordKey, number: entry.number })
}

const hasNumber = (
  home: Home,
  { mailbox, recordKey, number }: { mailbox: string; recordKey: Buffer; number: number },
): boolean => {
  const key = numberKey(placeOf(mailbox), number)
  const bytes = home.database.get(key)
  return bytes !== undefined && openNumberValue(key, bytes)?.recordKey.equals(recordKey) === true
}

const mend = async (context: StoreContext, damaged: Damaged): Promise<void> => {
  const { mailbox, hour, recordKey } = damaged
  if (!bodyOrStub(context.home(), hour, recordKey)) {
    const { record, isGone } = await findElsewhere(context, damaged)
    if (!record) {
      context.log.error({ key: toHex(recordKey), mailbox }, 'no home that answers has this record whole')
      return
    }
    await keepFetched(context, { hour, missing: { recordKey, mailboxes: [mailbox] }, record, isGone })
    await context.home().queue.commit()
  }
  await mendEntry(context, damaged)
}

/** Entry and number say the same of a record, so one is made from the other; with neither it gets a new number. */
const mendEntry = async (context: StoreContext, damaged: Damaged): Promise<void> => {
  const { key, mailbox, shard, hour, recordKey } = damaged
  const home = context.home()
  const place = placeOf(mailbox)
  const bytes = home.database.get(key)
  const entry = bytes && openEntryValue(key, bytes)
  if (entry) {
    const byNumber = numberKey(place, entry.number)
    home.queue.draft().put(byNumber, numberValue(byNumber, { hour, recordKey, flags: entry.flags }))
    return
  }
  const known = await findNumber(home, damaged)
  const draft = home.queue.draft()
  if (known) {
    draft.put(key, entryValue(key, known))
    return
  }
  const body = bodyOrStub(home, hour, recordKey)
  const record = body && admit({ mailboxes: [mailbox], ...body }, admissionRules(context))
  if (!record) return
  // It counts in the digest already; staged as removed and added it counts once.
  draft.removed.push({ shard, hour, digest: entryDigest(place.salt, recordKey) })
  stageEntry(home, draft, { record, place, key })
}

/** Reads the numbers of the whole mailbox: slow, and rare. */
const findNumber = async (home: Home, { mailbox, recordKey }: Damaged): Promise<EntryValue | undefined> => {
  const place = placeOf(mailbox)
  for (const [key, bytes] of await home.database.range({
    gte: numberKey(place, 0),
    lte: numberKey(place, LAST_NUMBER),
  })) {
    const value = openNumberValue(key, bytes)
    if (value?.recordKey.equals(recordKey)) return { number: numberOfKey(key), flags: value.flags }
  }
  return undefined
}
