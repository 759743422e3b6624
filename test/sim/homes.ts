// The stores' disks seen from outside: what each home holds, and on how many a message would survive a power cut now.
// The only file of the simulator that knows how a store lays out its database.
import {
  allEntries,
  bodyKey,
  entryKey,
  numberKey,
  openEntryKey,
  placeOf,
  shardStart,
  tombKey,
} from '../../src/node/store/keys.ts'
import { isStub } from '../../src/node/store/tombstones.ts'
import { isBodyOf, openBodyValue, openNumberValue } from '../../src/node/store/values.ts'
import { homesOf } from '../../src/node/replication/placement.ts'
import type { ClusterMap } from '../../src/protocol/cluster-map.ts'
import { toHex, toMapKey } from '../../src/protocol/bytes.ts'
import { decodeContent } from '../../src/protocol/content.ts'
import { idBytes, idFromBytes } from '../../src/protocol/records.ts'
import { openBody, openHeader } from '../../src/protocol/sealed.ts'
import { mailboxOwner, userMailbox } from '../../src/protocol/names.ts'
import type { HomeEntry, HomeState } from './checker.ts'
import type { SimNode } from './node.ts'
import type { SortedStore } from './sorted-store.ts'

const storeOf = (node: SimNode): SortedStore[] => node.disk.databases().map(([, store]) => store)

/** A record that cannot be read is still an entry. */
const describe = (sealed: Uint8Array): Pick<HomeEntry, 'from' | 'text'> => {
  try {
    const header = openHeader(sealed)
    const text = header.k === 'msg' ? decodeContent(openBody(sealed)).text : header.k === 'stub' ? '' : header.k
    return { from: String(header.from), text }
  } catch {
    return { from: '?', text: '?' }
  }
}

/** Keys that a mailbox's feed names more than once. */
const repeatedNumbers = (store: SortedStore, mailbox: string): string[] => {
  const place = placeOf(mailbox)
  const range = { gte: numberKey(place, 0), lte: numberKey(place, 2 ** 48 - 1) }
  const seen = new Set<string>()
  return store.range(range).flatMap(([key, value]) => {
    const number = openNumberValue(key, value)
    const name = number && toHex(number.recordKey)
    return name === undefined || (!seen.has(name) && seen.add(name)) ? [] : [`${mailbox} ${name}`]
  })
}

/** Everything a home holds, read from its disk. Bodies that are not what their key says count as absent. */
export const readHome = (node: SimNode): HomeState => {
  const entries: HomeEntry[] = []
  for (const store of storeOf(node)) {
    for (const [key] of store.range(allEntries)) {
      const { hour, mailbox, recordKey } = openEntryKey(key)
      const body = store.get(bodyKey(hour, recordKey))
      const sealed = body && openBodyValue(body).sealed
      if (!sealed || !(isBodyOf(recordKey, sealed) || isStub(sealed))) continue
      const described = describe(sealed)
      const deleters = [described.from, mailboxOwner(mailbox)]
      const isDeleted = deleters.some((user) => store.get(tombKey(placeOf(mailbox), recordKey, user)) !== undefined)
      const isServed = !isStub(sealed) && !isDeleted
      entries.push({ mailbox, key: toHex(recordKey), id: idFromBytes(recordKey), ...described, isServed })
    }
  }
  const mailboxes = [...new Set(entries.map(({ mailbox }) => mailbox))]
  const repeated = storeOf(node).flatMap((store) => mailboxes.flatMap((mailbox) => repeatedNumbers(store, mailbox)))
  return { peer: node.name, entries, repeated }
}

/** Is there an entry whose record has this digest (hex)? */
export const holdsDigest = (node: SimNode, digest: string): boolean =>
  storeOf(node).some((store) => store.range(allEntries).some(([key]) => toHex(key.slice(-16)) === digest))

/** Would a power cut at this moment leave the record with this id in this mailbox? */
const isDurableOn = (node: SimNode, mailbox: string, id: string): boolean => {
  const wanted = idBytes(id)
  const place = placeOf(mailbox)
  return storeOf(node).some((store) => {
    const prefix = shardStart(place.shard)
    const end = Buffer.from([...prefix, 0xff, 0xff, 0xff, 0xff])
    return store.range({ gte: prefix, lt: end }).some(([key]) => {
      const { hour, recordKey, mailbox: name } = openEntryKey(key)
      if (name !== mailbox || !recordKey.subarray(0, 16).equals(wanted)) return false
      const body = store.get(bodyKey(hour, recordKey))
      const sealed = body && openBodyValue(body).sealed
      if (!sealed || !(isBodyOf(recordKey, sealed) || isStub(sealed))) return false
      const unsynced = store.unsyncedKeys()
      return ![entryKey(place, hour, recordKey), bodyKey(hour, recordKey)].some((k) => unsynced.has(toMapKey(k)))
    })
  })
}

export interface Durability {
  found: number
  needed: number
}
/** The worst of the message's mailboxes, under one map: durable copies there, and how many the quorum asks for. */
export const durabilityOf = (
  nodes: SimNode[],
  map: ClusterMap,
  { id, users }: { id: string; users: string[] },
): Durability => {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const sets = users.flatMap((user) => {
    const { current, next } = homesOf(map, userMailbox(user))
    return [current, ...(next ? [next] : [])].map((homes) => ({ homes, mailbox: userMailbox(user) }))
  })
  const counts = sets.map(({ homes, mailbox }) => {
    const holders = homes.peers.filter((peer) => {
      const node = byName.get(peer)
      return node !== undefined && isDurableOn(node, mailbox, id)
    })
    return { found: holders.length, needed: homes.w }
  })
  return counts.reduce((worst, c) => (c.found - c.needed < worst.found - worst.needed ? c : worst), {
    found: 99,
    needed: 1,
  })
}
