// What other homes read here to find and fetch what they lack. Answered in every state of the home: holding is holding.

import { asBuffer } from '../../protocol/bytes.ts'
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { splitKeys } from '../../protocol/records.ts'
import {
  type RequestOf,
  type ResponseOf,
  repairDigests,
  repairEntries,
  repairHours,
  repairRecords,
  storeAudit,
  type StoredRecord,
} from '../../protocol/rpc.ts'
import { SHARDS } from '../replication/placement.ts'
import type { Caller } from './access.ts'
import { cutoffHour } from './admission.ts'
import { auditHome } from './audit.ts'
import type { StoreContext } from './context.ts'
import { atEpoch } from './epoch-gate.ts'
import type { Home } from './home.ts'
import { FOREVER, openEntryKey, shardHourStart } from './keys.ts'
import { bodyOrStub } from './tombstones.ts'

export const handleRepair = (context: StoreContext): void => {
  const { transport } = context
  const guard = <T>(
    epoch: number,
    from: string,
    work: () => T | Promise<T>,
    caller: Caller = 'store',
  ): T | Promise<T> => {
    context.assertCaller(from, [caller])
    return atEpoch(context.gate, epoch, work)
  }
  context.handle(repairDigests, ({ epoch, cutoff }, from) =>
    guard(epoch, from, async () => {
      const home = context.home()
      const decided = await home.ledger.registers.digests()
      return {
        digests: home.digests.ofAll(commonCutoff(context, cutoff)),
        decided,
        readable: context.isReadable(),
        mark: home.mark,
      }
    }),
  )
  context.handle(repairHours, ({ epoch, shard, cutoff }, from) =>
    guard(epoch, from, () => {
      assertShard(shard)
      const hours = context.home().digests.hoursOf(shard, commonCutoff(context, cutoff))
      return { hours: hours.map(({ hour }) => hour), digests: Buffer.concat(hours.map(({ digest }) => digest)) }
    }),
  )
  context.handle(repairEntries, (request, from) => {
    // Certificates, which any member may read: an authority that was moved begins with them, before the map names it.
    const caller = request.hour === FOREVER ? 'member' : 'store'
    return guard(request.epoch, from, () => entriesOf(context.home(), request), caller)
  })
  context.handle(repairRecords, (request, from) => guard(request.epoch, from, () => recordsOf(context.home(), request)))
  context.handle(storeAudit, (_request, from) => {
    if (from !== transport.self) throw new ChatError('PEER_DENIED')
    return auditHome(context.home())
  })
}

/** The later of both clocks' cut-offs: what only one of the two has dropped already is no difference. */
export const commonCutoff = ({ view, clock }: StoreContext, theirs = 0): number =>
  Math.max(theirs, cutoffHour(clock.now(), view.current().map.retentionMs))

const assertShard = (shard: number): void => {
  if (!Number.isInteger(shard) || shard < 0 || shard >= SHARDS) throw new ChatError('RPC_INVALID')
}

const entriesOf = async (
  home: Home,
  { shard, hour, after }: RequestOf<typeof repairEntries>,
): Promise<ResponseOf<typeof repairEntries>> => {
  assertShard(shard)
  const start = shardHourStart(shard, hour)
  const end = Buffer.concat([start, Buffer.from([0xff])])
  const limit = limits.maxFeedPageKeys
  const found = await home.database.keys({ ...(after ? { gt: after } : { gte: start }), lt: end, limit: limit + 1 })
  const keys = found.slice(0, limit).map(asBuffer)
  const parts = keys.map(openEntryKey)
  const more = found.length > limit
  const next = keys.at(-1)
  return {
    mailboxes: parts.map(({ mailbox }) => mailbox),
    keys: Buffer.concat(parts.map(({ recordKey }) => recordKey)),
    more,
    ...(more && next ? { next } : {}),
  }
}

const recordsOf = (home: Home, { hour, keys }: RequestOf<typeof repairRecords>): ResponseOf<typeof repairRecords> => {
  const records: (StoredRecord | null)[] = []
  let bytes = 0
  for (const recordKey of splitKeys(keys).slice(0, limits.maxFetchKeys)) {
    const body = bodyOrStub(home, hour, recordKey)
    bytes += body?.sealed.length ?? 0
    if (bytes > limits.maxFetchBytes && records.length > 0) break
    records.push(body ?? null)
  }
  return { records }
}
