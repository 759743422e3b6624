// One thorough look at all homes: damage that they find in themselves, every entry compared, every record verified, every id of the ledgers found.
import { homesOf, homesOfShard, SHARDS } from '../../node/replication/placement.ts'
import { toMapKey } from '../../protocol/bytes.ts'
import type { ClusterMap } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import { certificateMailbox } from '../../protocol/names.ts'
import { storeAudit, storeCertificates } from '../../protocol/rpc.ts'
import { BlobCheck } from './check-blobs.ts'
import { GroupLedgerCheck } from './check-group-ledgers.ts'
import { GroupCheck } from './check-groups.ts'
import { describe, type Entry, type Home, readBodies, type SharedEntry, shardEntries } from './check-homes.ts'
import { LedgerCheck } from './check-ledger.ts'
import { type CheckedRecord, RecordChecker, whyNot } from './check-records.ts'
import type { CheckReport, Problem } from './check-report.ts'

const MAX_PROBLEMS = 200

export interface InspectionOptions {
  home: (peer: string) => Home
  ledger: Set<string>
}

export class Inspection {
  readonly #map: ClusterMap
  readonly #options: InspectionOptions
  readonly #checker: RecordChecker
  readonly #ledger: LedgerCheck
  readonly #blobs: BlobCheck
  readonly #groups = new GroupCheck()
  readonly #problems: Problem[] = []
  readonly #mailboxes = new Set<string>()
  #entries = 0
  /** Ids of the ledgers. */
  #found = 0

  constructor(map: ClusterMap, options: InspectionOptions) {
    this.#map = map
    this.#options = options
    this.#ledger = new LedgerCheck(options.ledger)
    this.#blobs = new BlobCheck(map, options.home)
    this.#checker = new RecordChecker({ map, certificates: (user) => this.#certificates(user) })
  }

  async run(waitedMs: number): Promise<CheckReport> {
    const homes = this.#map.homes.current.peers.map(this.#options.home)
    for (const home of homes) await this.#audit(home)
    this.#problems.push(...(await GroupLedgerCheck.read(this.#map, homes)).problems)
    for (let shard = 0; shard < SHARDS; shard++) await this.#shard(shard)
    for (const problem of await this.#blobs.run(this.#checker.attachments)) this.#problem(problem)
    const { problems, places } = this.#groups.result()
    this.#problems.push(...problems)
    for (const { id, whole, wanted } of places) for (const mailbox of whole) this.#ledger.sawWhole(id, mailbox, wanted)
    for (const { id } of this.#checker.unexplained) {
      this.#problem({ kind: 'invalid', text: `${id} has lost its body, and nobody deleted it` })
    }
    const missing = this.#ledger.missing()
    for (const { id, reason } of missing) this.#problem({ kind: 'lost', text: `${id} ${reason}` })
    this.#found = this.#ledger.size - missing.length
    return this.report(waitedMs)
  }

  /** What was found so far. */
  report(waitedMs: number): CheckReport {
    const verified = [...this.#checker.verified]
    return {
      ok: this.#problems.length === 0,
      epoch: this.#map.epoch,
      homes: this.#map.homes.current.peers.map((peer) => this.#options.home(peer).name),
      shards: SHARDS,
      mailboxes: this.#mailboxes.size,
      entries: this.#entries,
      records: verified.length,
      kinds: countBy(verified, (record) => record.kind),
      blobs: this.#blobs.counts,
      ledger: { ids: this.#ledger.size, found: this.#found },
      waitedMs,
      problems: this.#problems.slice(0, MAX_PROBLEMS),
    }
  }

  #problem(problem: Problem): void {
    this.#problems.push(problem)
  }

  async #audit({ name, ask }: Home): Promise<void> {
    const { problems } = await ask(storeAudit, { epoch: this.#map.epoch })
    for (const text of problems) this.#problem({ kind: 'damage', home: name, text: `${name}: ${text}` })
  }

  async #shard(shard: number): Promise<void> {
    const homes = homesOfShard(this.#map, shard).current.peers.map(this.#options.home)
    const { epoch } = this.#map
    const entries = await shardEntries(homes, epoch, shard)
    const whole = new Set<Entry>()
    for (const entry of entries) {
      this.#entries += 1
      this.#mailboxes.add(entry.mailbox)
      if (entry.on.length === homes.length) whole.add(entry)
      else this.#problem({ kind: 'lag', text: `${describe(entry)} is on ${entry.on.join(', ')} only` })
    }
    const records = new Map<string, CheckedRecord>()
    for (const home of homes) await this.#bodies(home, entries, records)
    for (const entry of entries) {
      const key = toMapKey(entry.key)
      const record = records.get(key)
      const isWhole = whole.has(entry)
      if (record?.group) this.#groups.saw(key, record, { mailbox: entry.mailbox, isWhole })
      else if (record && isWhole) this.#ledger.sawWhole(record.id, entry.mailbox, record.mailboxes)
    }
  }

  async #bodies(home: Home, entries: SharedEntry[], records: Map<string, CheckedRecord>): Promise<void> {
    const mine = entries.filter((entry) => entry.on.includes(home.name))
    await readBodies(home, { epoch: this.#map.epoch, entries: mine }, async (entry, record) => {
      try {
        if (!record) throw new ChatError('MESSAGE_UNKNOWN', { message: 'its body is gone' })
        const checked = await this.#checker.check(entry, record.sealed)
        records.set(toMapKey(entry.key), checked)
      } catch (error) {
        this.#problem({
          kind: 'invalid',
          home: home.name,
          text: `${describe(entry)} on ${home.name}: ${whyNot(error)}`,
        })
      }
    })
  }

  async #certificates(user: string): Promise<Uint8Array[]> {
    const [peer] = homesOf(this.#map, certificateMailbox(user)).current.peers
    if (!peer) return []
    const { records } = await this.#options.home(peer).ask(storeCertificates, { epoch: this.#map.epoch, user })
    return records.map(({ sealed }) => sealed)
  }
}

const countBy = <T, Key extends string>(items: T[], keyOf: (item: T) => Key): Partial<Record<Key, number>> => {
  const counts: Partial<Record<Key, number>> = {}
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1
  return counts
}
