// Brings a record to the mailboxes of a group's members, and then tells the group's homes that nobody need finish it.
// It promises nothing: what fails here is durable on those homes, and brought again by the node whose share it is.
import type { Logger } from '../../platform/ports.ts'
import { toMapKey } from '../../protocol/bytes.ts'
import { asChatError } from '../../protocol/errors.ts'
import { keyOfRecord } from '../../protocol/records.ts'
import type { FanOut, GroupLedgerPort } from '../replication/group-ledger-port.ts'
import type { Mailboxes } from '../replication/mailboxes.ts'
import type { Chunks } from './versions.ts'

export interface CopiesPorts {
  ledger: GroupLedgerPort
  mailboxes: Mailboxes
  log: Logger
}

export class Copies {
  readonly #ports: CopiesPorts
  readonly #underWay = new Map<string, Promise<void>>()
  #waiting = 0

  constructor(ports: CopiesPorts) {
    this.#ports = ports
  }

  /** Copies that wait for their homes. */
  get waiting(): number {
    return this.#waiting
  }

  isUnderWay({ sealed }: Pick<FanOut, 'sealed'>): boolean {
    return this.#underWay.has(toMapKey(keyOfRecord(sealed)))
  }

  /** Resolves when it is in all these mailboxes and done, or was left to be finished later. Never rejects. */
  bring(item: FanOut, chunks: Chunks): Promise<void> {
    return this.#start(item, chunks, [])
  }

  /** As `bring`, but settles with the author's own mailbox: when W homes of it have the record, or as its append fails. */
  bringOwnFirst(item: FanOut, chunks: Chunks, own: string): Promise<void> {
    const { sealed, acceptedAt } = item
    const isOwn = this.#ports.mailboxes.append({ mailboxes: [own], sealed, acceptedAt })
    void this.#start(item, chunks, [isOwn])
    return isOwn
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values())
  }

  #start(item: FanOut, chunks: Chunks, writes: Promise<void>[]): Promise<void> {
    const key = keyOfRecord(item.sealed)
    const mapKey = toMapKey(key)
    const known = this.#underWay.get(mapKey)
    if (known) return known
    const bringing = this.#bring(item, key, { chunks, writes }).finally(() => this.#underWay.delete(mapKey))
    this.#underWay.set(mapKey, bringing)
    return bringing
  }

  async #bring(
    { group, version, sealed, acceptedAt }: FanOut,
    key: Buffer,
    { chunks, writes }: { chunks: Chunks; writes: Promise<void>[] },
  ): Promise<void> {
    const { ledger, log } = this.#ports
    const copies = chunks.reduce((sum, { length }) => sum + length, 0)
    this.#waiting += copies
    for (const mailboxes of chunks) {
      writes.push(this.#ports.mailboxes.append({ mailboxes, sealed, acceptedAt }, { evenToFew: true }))
    }
    const failed = (await Promise.allSettled(writes)).find((result) => result.status === 'rejected')
    this.#waiting -= copies
    if (!failed) return ledger.done(group, version, [key])
    log.debug({ group, error: asChatError(failed.reason).message }, 'a record has not reached every member yet')
  }
}
