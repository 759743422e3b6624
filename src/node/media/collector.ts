// Removes what nobody needs: pins past their hour; blobs older than a day without a pin; blobs that moved to other homes. Each blob under
// its lock and after one more look, only at a final epoch and where no pin can be missing: never a stored message without its blob.
import { repeat } from '../../platform/timing.ts'
import { mediaHomes } from '../../protocol/cluster-map.ts'
import type { ChatError } from '../../protocol/errors.ts'
import { hourOf } from '../../protocol/records.ts'
import { mediaStat } from '../../protocol/rpc.ts'
import { mediaHomesOf, shardOfBlob } from '../replication/placement.ts'
import { factsOf, type MediaContext } from './media-context.ts'
import type { MediaRepair } from './media-repair.ts'
import { isPinned } from './pins.ts'
import {
  allBlobs,
  blobKey,
  blobOfKey,
  hoursBefore,
  openHourKey,
  openPinValue,
  pinKey,
  pinOfKey,
  pinRange,
} from './rows.ts'

const ROWS_PER_TURN = 500

export class Collector {
  readonly #context: MediaContext
  readonly #repair: MediaRepair

  constructor(context: MediaContext, repair: MediaRepair) {
    this.#context = context
    this.#repair = repair
  }

  start(signal: AbortSignal, everyMs: number): void {
    const { clock, log } = this.#context
    const onError = (error: ChatError): void =>
      log.warn({ error: error.message }, 'attachments that nobody needs could not be removed')
    void repeat({ clock, everyMs, signal, onError }, async () => {
      if (!this.#context.index.isOpen) return
      await this.#expirePins()
      const removed = await this.#collect(signal)
      if (removed > 0) log.info({ removed }, 'removed attachments that nobody needs')
    })
  }

  async #expirePins(): Promise<void> {
    const { index, clock } = this.#context
    const now = hourOf(clock.now())
    for (;;) {
      const rows = await index.database.keys({ ...hoursBefore(now), limit: ROWS_PER_TURN })
      if (rows.length === 0) return
      await Promise.all(rows.map((row) => this.#expire(row, now)))
    }
  }

  /** Of a pin that was made anew since, for longer, only the old hour goes. */
  #expire(row: Uint8Array, now: number): Promise<void> {
    const { index, lock } = this.#context
    const { blob, pin } = openHourKey(row)
    return lock.run(blob, () => {
      const key = pinKey(blob, pin)
      const isOver = (openPinValue(key, index.database.get(key)) ?? 0) < now
      return index.write((isOver ? [row, key] : [row]).map((gone) => ({ key: gone, value: undefined })))
    })
  }

  async #collect(signal: AbortSignal): Promise<number> {
    const { index } = this.#context
    let removed = 0
    let next: { gt?: Uint8Array; gte?: Uint8Array; lt: Uint8Array } = allBlobs
    while (!signal.aborted) {
      const rows = await index.database.keys({ ...next, limit: ROWS_PER_TURN })
      for (const row of rows) if (!pinOfKey(row)) removed += Number(await this.#consider(blobOfKey(row)))
      const last = rows.at(-1)
      if (rows.length < ROWS_PER_TURN || !last) break
      next = { gt: last, lt: allBlobs.lt }
    }
    return removed
  }

  /** True when it is gone. */
  async #consider(blob: string): Promise<boolean> {
    const { transport, view, clock, unpinnedMs } = this.#context
    const { map } = view.current()
    const { all } = mediaHomesOf(map, blob)
    if (!all.includes(transport.self)) return (await this.#isKeptElsewhere(blob)) && this.#remove(blob, map.epoch, true)
    if (!this.#repair.isSettled(map, shardOfBlob(blob))) return false
    const at = factsOf(this.#context, blob)?.at ?? clock.now()
    if (at > clock.now() - unpinnedMs || (await isPinned(this.#context, blob))) return false
    return this.#remove(blob, map.epoch, false)
  }

  /** Looks again with the lock: nobody can pin it now. A crash in between leaves a file without a row, which is found at the next start. */
  #remove(blob: string, epoch: number, withPins: boolean): Promise<boolean> {
    const { index, blobs, clock, lock, view, unpinnedMs } = this.#context
    return lock.run(blob, async () => {
      const facts = factsOf(this.#context, blob)
      if (!facts || view.current().map.epoch !== epoch) return false
      const isYoung = facts.at > clock.now() - unpinnedMs
      if (!withPins && (isYoung || (await isPinned(this.#context, blob)))) return false
      const pins = withPins ? await index.database.keys(pinRange(blob)) : []
      await index.write([blobKey(blob), ...pins].map((key) => ({ key, value: undefined })))
      await blobs.remove(blob)
      return true
    })
  }

  /** The homes have moved, for good, and each of the present ones has it. */
  async #isKeptElsewhere(blob: string): Promise<boolean> {
    const { transport, view } = this.#context
    const { map } = view.current()
    const { current } = mediaHomesOf(map, blob)
    if (mediaHomes(map).next || current.peers.length === 0) return false
    for (const peer of current.peers) {
      if (!transport.isConnected(peer)) return false
      const { state } = await transport.call(peer, mediaStat, { epoch: map.epoch, blob })
      if (!state?.whole) return false
    }
    return true
  }
}
