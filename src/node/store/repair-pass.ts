// One comparison with one other home: digests of shards, then of hours, then entries; what it has and we lack is fetched and kept.
// Pull only: the other side does the same with us. Every body is checked against its key before it is kept.

import { mutant } from '../../platform/mutants.ts'
import { compareBytes, equalBytes, toMapKey } from '../../protocol/bytes.ts'
import { ChatError, hasCode } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { splitKeys } from '../../protocol/records.ts'
import {
  repairDigests,
  repairEntries,
  repairHours,
  repairRecords,
  type StoreMark,
  type StoredRecord,
} from '../../protocol/rpc.ts'
import { shardOf } from '../replication/placement.ts'
import { admit } from './admission.ts'
import { stageRecords, stageStub } from './append.ts'
import { admissionRules, type StoreContext } from './context.ts'
import { findElsewhere } from './find-elsewhere.ts'
import { bodyKey, entryKey, placeOf } from './keys.ts'
import { commonCutoff } from './repair-handlers.ts'
import { digestOf } from './shard-digests.ts'
import { isStub } from './tombstones.ts'
import { isBodyOf, openBodyValue } from './values.ts'
import { verifyTombstone } from './verify-tombstones.ts'

export interface PassOptions {
  peer: string
  epoch: number
  /** The shards that both homes hold. */
  shards: number[]
}
export interface PassResult {
  /** Did the other home answer reads when it showed what it has? */
  readable: boolean
  mark: StoreMark
  fetched: number
  /** Digests of what the other home knows to be decided of groups. */
  decided: Uint8Array
}
/** A record we lack, and the mailboxes in which we lack it. */
interface Missing {
  recordKey: Buffer
  mailboxes: string[]
}

/** Resolves once we hold, durably, every record that the other home held when the pass began. Rejects when it cannot be finished. */
export const pullFrom = async (context: StoreContext, options: PassOptions): Promise<PassResult> => {
  const { transport } = context
  const { peer, epoch, shards } = options
  const home = context.home()
  const cutoff = commonCutoff(context)
  const { digests, decided, readable, mark } = await transport.call(peer, repairDigests, { epoch, cutoff })
  const pass = { ...options, cutoff, isWhole: true, isSecondLook: false }
  let fetched = 0
  for (const shard of mutant('no-repair') ? [] : shards) {
    if (equalBytes(digestOf(digests, shard), context.home().digests.ofShard(shard, cutoff))) continue
    fetched += await pullShard(context, { pass, shard })
    if (pass.isWhole) continue
    // The tombstone of what was left out came behind it in the same shard: now it can be kept. Of what has none the other homes are asked.
    Object.assign(pass, { isWhole: true, isSecondLook: true })
    fetched += await pullShard(context, { pass, shard })
    if (!pass.isWhole)
      throw new ChatError('STORE_SYNCING', { message: 'A deletion that another home knows lacks here' })
    pass.isSecondLook = false
  }
  // Records that were on their way to our disk counted as ours: wait until they are. A database that was opened again
  // meanwhile lost those whose batch failed.
  await home.queue.commit()
  if (context.home() !== home) throw new ChatError('STORE_READ_ONLY')
  return { readable, mark, fetched, decided }
}

interface ShardOptions {
  pass: PassOptions & {
    cutoff: number
    /** False once something was left out that the next look may bring. */
    isWhole: boolean
    isSecondLook: boolean
  }
  shard: number
}
const pullShard = async (context: StoreContext, options: ShardOptions): Promise<number> => {
  const { pass, shard } = options
  const { peer, epoch, cutoff } = pass
  const { hours, digests } = await context.transport.call(peer, repairHours, { epoch, shard, cutoff })
  const own = new Map(
    context
      .home()
      .digests.hoursOf(shard, cutoff)
      .map(({ hour, digest }) => [hour, digest]),
  )
  let fetched = 0
  for (const [index, hour] of hours.entries()) {
    const theirs = digestOf(digests, index)
    const ours = own.get(hour)
    if (!ours || !equalBytes(theirs, ours)) fetched += await pullHour(context, { ...options, hour })
  }
  return fetched
}

type HourOptions = ShardOptions & { hour: number }
const pullHour = async (context: StoreContext, options: HourOptions): Promise<number> => {
  const { pass, shard, hour } = options
  const { peer, epoch } = pass
  let fetched = 0
  let after: Uint8Array | undefined
  do {
    const request = { epoch, shard, hour, ...(after ? { after } : {}) }
    const { mailboxes, keys, more, next } = await context.transport.call(peer, repairEntries, request)
    const missing = findMissing(context, options, { mailboxes, keys: splitKeys(keys) })
    for (let start = 0; start < missing.length; start += limits.maxFetchKeys) {
      await pullRecords(context, options, missing.slice(start, start + limits.maxFetchKeys))
    }
    fetched += missing.length
    // A page that does not move on would be asked for ever.
    after = more && next && (!after || compareBytes(next, after) > 0) ? next : undefined
  } while (after)
  return fetched
}

const findMissing = (
  context: StoreContext,
  { shard, hour }: HourOptions,
  { mailboxes, keys }: { mailboxes: string[]; keys: Buffer[] },
): Missing[] => {
  const home = context.home()
  const missing = new Map<string, Missing>()
  for (const [index, recordKey] of keys.entries()) {
    const mailbox = mailboxes[index]
    if (mailbox === undefined || shardOf(mailbox) !== shard) continue
    const key = entryKey(placeOf(mailbox), hour, recordKey)
    if (home.database.get(key) !== undefined || home.queue.isStaged(toMapKey(key))) continue
    const mapKey = toMapKey(recordKey)
    const known = missing.get(mapKey)
    if (known) known.mailboxes.push(mailbox)
    else missing.set(mapKey, { recordKey, mailboxes: [mailbox] })
  }
  return [...missing.values()]
}

/** Fetches, in as many answers as the other side needs; bodies that we have for another mailbox are taken from ourselves. */
const pullRecords = async (context: StoreContext, options: HourOptions, wanted: Missing[]): Promise<void> => {
  const { pass, hour } = options
  const { peer, epoch } = pass
  let rest = wanted.filter((missing) => !keepOwn(context, options, missing))
  while (rest.length > 0) {
    const keys = Buffer.concat(rest.map(({ recordKey }) => recordKey))
    const { records } = await context.transport.call(peer, repairRecords, { epoch, hour, keys })
    if (records.length === 0) break
    for (const [index, record] of records.entries()) {
      const missing = rest[index]
      if (!record || !missing) continue
      const isKept =
        (await keepFetched(context, { hour, missing, record, isGone: false })) ||
        (pass.isSecondLook && (await keepFromElsewhere(context, options, missing)))
      if (!isKept) pass.isWhole = false
    }
    rest = rest.slice(records.length)
  }
  await context.home().queue.commit()
}

const keepOwn = (context: StoreContext, { hour }: HourOptions, missing: Missing): boolean => {
  const bytes = context.home().database.get(bodyKey(hour, missing.recordKey))
  const body = bytes && openBodyValue(bytes)
  if (!body || !isBodyOf(missing.recordKey, body.sealed)) return false
  const record = admit({ mailboxes: missing.mailboxes, ...body }, admissionRules(context))
  if (record && !record.tombstone) stageRecords(context.home(), [record])
  return record?.tombstone === undefined
}

/** The record itself, where any home still has it; its stub, where it is gone everywhere. */
const keepFromElsewhere = async (
  context: StoreContext,
  { shard, hour }: HourOptions,
  missing: Missing,
): Promise<boolean> => {
  const { record, isGone } = await findElsewhere(context, { shard, hour, recordKey: missing.recordKey })
  return record !== undefined && (await keepFetched(context, { hour, missing, record, isGone }))
}

interface Fetched {
  hour: number
  missing: Missing
  record: StoredRecord
  /** No other home of these mailboxes has the record itself. */
  isGone: boolean
}
/**
 * Keeps what checks out; false for what is left of a deleted record while its deletion is not known here and others may have it. A record
 * that does not check out is left out for good and named in the log; a tombstone that cannot be verified now ends the pass.
 */
export const keepFetched = async (
  context: StoreContext,
  { hour, missing, record, isGone }: Fetched,
): Promise<boolean> => {
  const { recordKey, mailboxes } = missing
  try {
    if (isStub(record.sealed)) {
      return stageStub(context.home(), { ...record, hour, recordKey, places: mailboxes.map(placeOf), isGone })
    }
    const admitted = admit({ mailboxes, ...record }, admissionRules(context))
    if (!admitted) return true
    if (!equalBytes(admitted.recordKey, recordKey) || admitted.hour !== hour) {
      context.log.warn({ key: recordKey.toString('hex'), mailboxes }, 'another home sent other bytes than its key says')
      return true
    }
    if (admitted.tombstone) await verifyTombstone(context, admitted)
    stageRecords(context.home(), [admitted])
  } catch (error) {
    if (!hasCode(error, 'MESSAGE_INVALID', 'RPC_INVALID', 'AUTH_SIGNATURE', 'AUTH_REVOKED', 'AUTH_KEY_WEAK'))
      throw error
    context.log.warn(
      { key: recordKey.toString('hex'), mailboxes },
      'a record of another home is not valid and not kept',
    )
  }
  return true
}
