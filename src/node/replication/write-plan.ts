// Where a record for some mailboxes must go, and when it is durable: which home gets which of the mailboxes,
// and of which sets of homes how many must have it. In a joint epoch both sets of each mailbox count.
import { LruMap } from '../../platform/lru-map.ts'
import { mutant } from '../../platform/mutants.ts'
import type { ClusterMap } from '../../protocol/cluster-map.ts'
import { homesOf, type ShardHomes } from './placement.ts'

/** One home's part in a write. */
export interface PlannedHome {
  peer: string
  mailboxes: string[]
  /** Indexes of the groups that its answer counts for. */
  groups: number[]
}
/** A set of homes of which `needed` must confirm. */
interface QuorumGroup {
  peers: string[]
  needed: number
}
export interface WritePlan {
  epoch: number
  homes: PlannedHome[]
  groups: QuorumGroup[]
}

const MAX_PLANS = 20_000

const setKeys = new WeakMap<ShardHomes, string>()
/** The same for every shard with the same homes; made once for each shard of a map. */
const setKeyOf = (homes: ShardHomes): string => {
  let key = setKeys.get(homes)
  if (key === undefined) setKeys.set(homes, (key = homes.peers.toSorted().join()))
  return key
}

const makePlan = (map: ClusterMap, mailboxes: readonly string[]): WritePlan => {
  const homes = new Map<string, PlannedHome>()
  const groups = new Map<string, { index: number; group: QuorumGroup }>()
  const add = (mailbox: string, set: ShardHomes): void => {
    const { peers } = set
    const w = mutant('write-quorum-one') ? 1 : set.w
    const key = `${w}:${setKeyOf(set)}`
    let known = groups.get(key)
    if (!known) groups.set(key, (known = { index: groups.size, group: { peers, needed: w } }))
    for (const peer of peers) {
      let home = homes.get(peer)
      if (!home) homes.set(peer, (home = { peer, mailboxes: [], groups: [] }))
      // Mailboxes come once for each of their sets, one after the other.
      if (home.mailboxes.at(-1) !== mailbox) home.mailboxes.push(mailbox)
      if (!home.groups.includes(known.index)) home.groups.push(known.index)
    }
  }
  for (const mailbox of mailboxes) {
    const { current, next } = homesOf(map, mailbox)
    add(mailbox, current)
    if (next) add(mailbox, next)
  }
  return { epoch: map.epoch, homes: [...homes.values()], groups: [...groups.values()].map(({ group }) => group) }
}

/** More mailboxes than a direct message has: those of a group, whose list is one object as long as its members stay. */
const isLong = (mailboxes: readonly string[]): boolean => mailboxes.length > 2

/** The plans of the newest map; made once per set of mailboxes. */
export class WritePlans {
  readonly #plans = new LruMap<string, WritePlan>({ max: MAX_PLANS })
  readonly #longPlans = new WeakMap<readonly string[], WritePlan>()

  of(map: ClusterMap, mailboxes: readonly string[]): WritePlan {
    const key = isLong(mailboxes) ? '' : mailboxes.join('\n')
    const known = isLong(mailboxes) ? this.#longPlans.get(mailboxes) : this.#plans.get(key)
    if (known?.epoch === map.epoch) return known
    const made = makePlan(map, mailboxes)
    if (isLong(mailboxes)) this.#longPlans.set(mailboxes, made)
    else this.#plans.set(key, made)
    return made
  }
}
