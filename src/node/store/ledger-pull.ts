// Reading other homes' ledgers: what a home needs that may have forgotten something, and what the homes of the next epoch need.
// How many must have been read is the rule that makes either safe; it is the same for the store and for the simulation.
import type { ledgerRows, RequestOf, ResponseOf } from '../../protocol/rpc.ts'
import { majorityOf } from '../replication/electorate.ts'
import type { Homes, ShardHomes } from '../replication/placement.ts'
import { allRegisters } from './keys.ts'
import type { Ledger } from './ledger.ts'

/** As many homes as meet every majority. */
const coverOf = (set: ShardHomes): number => set.n - majorityOf(set) + 1

export interface PullOptions {
  ledger: Ledger
  feed: string
  shards: number[]
  ask: (request: Omit<RequestOf<typeof ledgerRows>, 'epoch'>) => Promise<ResponseOf<typeof ledgerRows>>
}

/** Resolves once everything is kept durably that the other home has; with whether that home takes part itself. */
export const pullLedger = async ({ ledger, feed, shards, ask }: PullOptions): Promise<boolean> => {
  let after: Uint8Array | undefined
  for (;;) {
    const { rows, next, takesPart } = await ask({ feed, shards, ...(after ? { after } : {}) })
    ledger.keep(rows)
    await ledger.commit()
    if (!next) return takesPart
    after = next
  }
}

/** Resolves once everything is known here that the other home knows to be decided in these shards. */
export const pullDecided = async ({ ledger, feed, shards, ask }: PullOptions): Promise<void> => {
  let after: Uint8Array | undefined = allRegisters.gte
  while (after) {
    const { rows, next } = await ask({ feed, shards, after })
    ledger.takeOver(rows)
    after = next
  }
  await ledger.commit()
}

/**
 * May a home take part again that was read from others under its present feed id? Whatever it helped to decide in a former life needed
 * a majority of the present homes: of the others, so many meet each of those.
 */
export const holdsLedger = ({ current }: Homes, self: string, isRead: (peer: string) => boolean): boolean => {
  const others = current.peers.filter((peer) => peer !== self)
  return others.filter(isRead).length >= Math.min(others.length, coverOf(current))
}

/**
 * Has a home of the next set what the present ones decided before the epoch was joint? `isRead`: by us, at this epoch; `tookPart`: and it
 * took part. Each other one of the next set is read in whatever state, for whoever is read learns our feed id: one that was a home long
 * ago and comes back would else hold what we promise for the word of a life that has ended.
 */
export const isLedgerReconciled = (
  { current, next }: Homes,
  self: string,
  { isRead, tookPart }: Record<'isRead' | 'tookPart', (peer: string) => boolean>,
): boolean =>
  !next?.peers.includes(self) ||
  (current.peers.filter(tookPart).length >= coverOf(current) &&
    next.peers.every((peer) => peer === self || isRead(peer)))
