// The stores' disks seen from outside: what each home holds, and on how many a message would survive a power cut now.
// The only file of the simulator that knows how a store lays out its database.
import {
  allEntries,
  allFanOuts,
  allRegisters,
  bodyKey,
  entryKey,
  groupOfFanOut,
  nameOfRegisterKey,
  numberKey,
  openEntryKey,
  placeOf,
  recordKeyOf,
  shardStart,
  tombKey,
} from '../../src/node/store/keys.ts'
import { openRegisterValue } from '../../src/node/store/ledger-values.ts'
import { isStub } from '../../src/node/store/tombstones.ts'
import { isBodyOf, openBodyValue, openNumberValue } from '../../src/node/store/values.ts'
import { openRegisterName } from '../../src/node/replication/ledger-keys.ts'
import { allBlobs, blobOfKey, isEndedPin, pinOfKey, pinRange } from '../../src/node/media/rows.ts'
import { homesOf, mediaHomesOf } from '../../src/node/replication/placement.ts'
import type { ClusterMap } from '../../src/protocol/cluster-map.ts'
import { toHex, toMapKey } from '../../src/protocol/bytes.ts'
import { decodeContent } from '../../src/protocol/content.ts'
import { idBytes, idFromBytes, RECORD_KEY_BYTES } from '../../src/protocol/records.ts'
import { openBody, openHeader } from '../../src/protocol/sealed.ts'
import { sha256 } from '../../src/protocol/signing.ts'
import { openGroup } from '../../src/protocol/group.ts'
import { groupMailbox, mailboxOwner, userMailbox } from '../../src/protocol/names.ts'
import type { HomeEntry, HomeState, SeenVersion } from './checker.ts'
import type { SimDisk } from './disk.ts'
import type { SimNode } from './node.ts'
import type { SortedStore } from './sorted-store.ts'

const storeOf = (node: SimNode): SortedStore[] => node.disk.databases().map(([, store]) => store)

const isNumber = (value: unknown): value is number => typeof value === 'number'

/** A record that cannot be read is still an entry. */
const describe = (sealed: Uint8Array): Pick<HomeEntry, 'from' | 'text' | 'seq' | 'gv'> => {
  try {
    const header = openHeader(sealed)
    const text = header.k === 'msg' ? decodeContent(openBody(sealed)).text : header.k === 'stub' ? '' : header.k
    const { from, seq, gv } = header
    return { from: String(from), text, ...(isNumber(seq) ? { seq } : {}), ...(isNumber(gv) ? { gv } : {}) }
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

export const seenVersion = (where: string, sealed: Uint8Array): SeenVersion => {
  const { header, state } = openGroup(sealed)
  const { id, from: by, change, users = [] } = header
  const { group, version, name, members } = state
  return {
    where,
    digest: toHex(sha256(sealed)),
    id,
    by,
    change,
    users,
    group,
    version,
    name,
    members: [...members.keys()],
    roles: Object.fromEntries(members),
  }
}

/** Nothing of what a home that lies may have told this one, and is no version. */
const seenIn = (where: string, value: Uint8Array): SeenVersion[] => {
  try {
    return [seenVersion(where, value)]
  } catch {
    return []
  }
}

/** The versions that this home knows to be decided. */
export const versionsOn = (peer: string, disk: SimDisk): SeenVersion[] =>
  disk.databases().flatMap(([, store]) =>
    store.range(allRegisters).flatMap(([bytes, value]) => {
      const key = Buffer.from(bytes)
      const name = nameOfRegisterKey(key)
      const state = openRegisterName(name).version && openRegisterValue(key, value)
      return state?.isDecided && state.accepted ? seenIn(peer, state.accepted.value) : []
    }),
  )

export interface Durability {
  found: number
  needed: number
}
export interface Measured {
  id: string
  /** Whose mailboxes have it. */
  users: string[]
  /** The homes of a group answer for it, until every member has it and after. */
  isToGroup: boolean
}
interface Kept {
  /** What is hashed to find the homes. */
  place: string
  isOn: (node: SimNode) => boolean
}

const fanOutsOf = (nodes: SimNode[], id: string): Kept[] => {
  const keys = nodes.flatMap((node) => storeOf(node).flatMap((store) => store.range(allFanOuts).map(([key]) => key)))
  const own = keys.map((key) => Buffer.from(key)).filter((key) => recordKeyOf(key).subarray(0, 16).equals(idBytes(id)))
  return [...new Map(own.map((key) => [toHex(key), key])).values()].map((key) => ({
    place: groupMailbox(groupOfFanOut(key)),
    isOn: (node) => storeOf(node).some((store) => store.durable(key) !== undefined),
  }))
}

/** The worst of the places where the message is, under one map: durable copies there, and how many the quorum asks for. */
export const durabilityOf = (nodes: SimNode[], map: ClusterMap, { id, users, isToGroup }: Measured): Durability => {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const places: Kept[] = users.map((user) => {
    const place = userMailbox(user)
    return { place, isOn: (node) => isDurableOn(node, place, id) }
  })
  if (isToGroup) places.push(...fanOutsOf(nodes, id))
  const counts = places.flatMap(({ place, isOn }) => {
    const { current, next } = homesOf(map, place)
    return [current, ...(next ? [next] : [])].map(({ peers, w }) => {
      const holders = peers.filter((peer) => {
        const node = byName.get(peer)
        return node !== undefined && isOn(node)
      })
      return { found: holders.length, needed: w }
    })
  })
  // A message to a group that none of its homes took is nowhere.
  const none = places.length > users.length || !isToGroup ? { found: 99, needed: 1 } : { found: 0, needed: 2 }
  return counts.reduce((worst, c) => (c.found - c.needed < worst.found - worst.needed ? c : worst), none)
}

/**
 * Ids of the messages for which this home promised to keep the blob, and of those that it was told are deleted: as far as no power cut
 * takes that back.
 */
export const pinsOn = (node: SimNode, blob: string): { live: string[]; ended: string[] } => {
  const { store } = node.disk.database('media')
  const keys = store.range(pinRange(blob)).map(([key]) => key)
  const pins = keys.filter((key) => store.durable(key) !== undefined).flatMap((key) => pinOfKey(key) ?? [])
  const ended = pins.filter(isEndedPin).map(idFromBytes)
  return { live: pins.filter((pin) => !isEndedPin(pin)).map(idFromBytes), ended }
}
/** What a home keeps for which record. */
export const livePins = (node: SimNode): { blob: string; message: Uint8Array }[] =>
  node.disk
    .database('media')
    .store.range(allBlobs)
    .flatMap(([key]) => {
      const pin = pinOfKey(key)
      return pin && !isEndedPin(pin) ? [{ blob: blobOfKey(key), message: pin.subarray(0, RECORD_KEY_BYTES) }] : []
    })
export const holdsBlob = (node: SimNode, blob: string): boolean => node.disk.blobs.wholes().some(([id]) => id === blob)

/** Homes that hold a blob, pinned for this message if one is named. */
export const blobDurabilityOf = (
  nodes: SimNode[],
  map: ClusterMap,
  { blob, message }: { blob: string; message?: string | undefined },
): Durability => {
  const { current, next } = mediaHomesOf(map, blob)
  const isKept = (node: SimNode): boolean =>
    holdsBlob(node, blob) && (message === undefined || Object.values(pinsOn(node, blob)).flat().includes(message))
  const counts = [current, ...(next ? [next] : [])].map(({ peers, w }) => ({
    found: nodes.filter((node) => peers.includes(node.name) && isKept(node)).length,
    needed: w,
  }))
  return counts.reduce((worst, c) => (c.found - c.needed < worst.found - worst.needed ? c : worst))
}
