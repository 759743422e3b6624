// Reads what the homes of a shard hold and compares it entry by entry. Of `chatd cluster check`; it judges no record's content.
import { toMapKey } from '../../protocol/bytes.ts'
import { limits } from '../../protocol/limits.ts'
import { idFromBytes, splitKeys } from '../../protocol/records.ts'
import {
  type RpcMethod,
  repairDigests,
  repairEntries,
  repairHours,
  repairRecords,
  type StoredRecord,
} from '../../protocol/rpc.ts'

/** A store node that runs, asked through its admin endpoint. */
export interface Home {
  name: string
  peer: string
  ask: <Request, Response>(method: RpcMethod<Request, Response>, request: Request) => Promise<Response>
}
export interface Entry {
  mailbox: string
  key: Buffer
  hour: number
}
export interface SharedEntry extends Entry {
  /** Names of the homes that have it. */
  on: string[]
}

const DIGEST_BYTES = 16

/** The digest of each shard on a home, in hex. */
export const digestsOf = async (home: Home, epoch: number): Promise<string[]> => {
  const digests = Buffer.from((await home.ask(repairDigests, { epoch })).digests)
  return Array.from({ length: digests.length / DIGEST_BYTES }, (_, i) =>
    digests.toString('hex', i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES),
  )
}

async function* entriesOf(home: Home, epoch: number, shard: number): AsyncGenerator<Entry> {
  const { hours } = await home.ask(repairHours, { epoch, shard })
  for (const hour of hours) {
    let after: Uint8Array | undefined
    do {
      const page = await home.ask(repairEntries, { epoch, shard, hour, ...(after ? { after } : {}) })
      const keys = splitKeys(page.keys)
      for (const [i, key] of keys.entries()) yield { mailbox: page.mailboxes[i] ?? '', key, hour }
      after = page.more ? page.next : undefined
    } while (after)
  }
}

/** All entries that any of the homes holds in this shard, each with the homes that do. */
export const shardEntries = async (homes: Home[], epoch: number, shard: number): Promise<SharedEntry[]> => {
  const found = new Map<string, SharedEntry>()
  await Promise.all(
    homes.map(async (home) => {
      for await (const entry of entriesOf(home, epoch, shard)) {
        const id = `${entry.mailbox}\0${toMapKey(entry.key)}`
        const known = found.get(id)
        if (known) known.on.push(home.name)
        else found.set(id, { ...entry, on: [home.name] })
      }
    }),
  )
  return [...found.values()]
}

/** Calls with each body that the home has for these entries, or with null where it has none. */
export const readBodies = async (
  home: Home,
  { epoch, entries }: { epoch: number; entries: Entry[] },
  each: (entry: Entry, record: StoredRecord | null) => Promise<void>,
): Promise<void> => {
  for (const [hour, ofHour] of Map.groupBy(entries, (entry) => entry.hour)) {
    for (let at = 0; at < ofHour.length; ) {
      const asked = ofHour.slice(at, at + limits.maxFetchKeys)
      const { records } = await home.ask(repairRecords, {
        epoch,
        hour,
        keys: Buffer.concat(asked.map(({ key }) => key)),
      })
      for (const [i, record] of records.entries()) {
        const entry = asked[i]
        if (entry) await each(entry, record)
      }
      // It may answer fewer than asked, but never none.
      at += Math.max(1, records.length)
    }
  }
}

export const describe = (entry: Entry): string => `${idFromBytes(entry.key)} in ${entry.mailbox}`
