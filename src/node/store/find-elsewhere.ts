// Asks the other homes of a mailbox for one record of it: which of them has it itself, or what is left of it. Keeps nothing.
import { asChatError } from '../../protocol/errors.ts'
import { repairRecords, type StoredRecord } from '../../protocol/rpc.ts'
import { homesOfShard } from '../replication/placement.ts'
import type { StoreContext } from './context.ts'
import { isStub } from './tombstones.ts'
import { isBodyOf } from './values.ts'

export interface Elsewhere {
  /** The record; its stub, where no home that answers has it itself. */
  record: StoredRecord | undefined
  /**
   * Every other present home has answered, and none has the record itself. Whatever was stored and not deleted is on one of them, even if
   * this home has lost its own: they are no fewer than N-W+1.
   */
  isGone: boolean
}

export const findElsewhere = async (
  context: StoreContext,
  { shard, hour, recordKey }: { shard: number; hour: number; recordKey: Buffer },
): Promise<Elsewhere> => {
  const { map } = context.view.current()
  const { current, all } = homesOfShard(map, shard)
  const silent = new Set(current.peers)
  silent.delete(context.transport.self)
  let stub: StoredRecord | undefined
  for (const peer of all) {
    if (peer === context.transport.self) continue
    const answer = await askFor(context, peer, { epoch: map.epoch, hour, keys: recordKey })
    if (answer === undefined) continue
    silent.delete(peer)
    if (answer && isBodyOf(recordKey, answer.sealed)) return { record: answer, isGone: false }
    if (answer && isStub(answer.sealed)) stub ??= answer
  }
  return { record: stub, isGone: silent.size === 0 }
}

/** null: it has nothing of it; undefined: it does not say. */
const askFor = async (
  { transport, log }: StoreContext,
  peer: string,
  request: { epoch: number; hour: number; keys: Buffer },
): Promise<StoredRecord | null | undefined> => {
  if (!transport.isConnected(peer)) return undefined
  try {
    const { records } = await transport.call(peer, repairRecords, request)
    return records[0] ?? null
  } catch (error) {
    log.debug({ peer, error: asChatError(error).message }, 'a home did not hand out a record')
    return undefined
  }
}
