// The media service: attachments on their homes, as files beside the database of what is known of them. Wires the parts of a media
// home together and runs its loops. It sees encrypted bytes only, and knows nothing of messages but the keys that pins carry.
import type { BlobStore, Clock, Disk, Logger } from '../../platform/ports.ts'
import { repeat, sleep } from '../../platform/timing.ts'
import { mediaHomes } from '../../protocol/cluster-map.ts'
import type { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { mediaState, type MediaState } from '../../protocol/rpc.ts'
import { KeyedLock } from '../core/keyed-lock.ts'
import type { ClusterView, PeerTransport } from '../core/ports.ts'
import type { Service } from '../core/service.ts'
import { Collector } from './collector.ts'
import { assertCaller, enterEpoch, factsOf, type MediaContext, putFacts } from './media-context.ts'
import { handleMedia } from './media-handlers.ts'
import { MediaIndex } from './media-index.ts'
import { MediaRepair } from './media-repair.ts'
import { allBlobs, blobOfKey, pinOfKey } from './rows.ts'
import { Uploads } from './uploads.ts'

export interface MediaPorts {
  transport: PeerTransport
  view: ClusterView
  clock: Clock
  disk: Disk
  blobs: BlobStore
  log: Logger
}
export interface MediaOptions {
  /** What one user's uploads may take here. */
  quotaBytes?: number
  /** Pause between two comparisons with each other home. */
  repairEveryMs?: number
  /** Pause between two removals of what nobody needs. */
  collectEveryMs?: number
  /** How old a blob without a pin becomes. */
  unpinnedMs?: number
  /** Pause between two readings of everything, in search of damage. */
  scrubEveryMs?: number
  /** Pause between two tries to open a broken or full disk. */
  reopenEveryMs?: number
}
const defaults = {
  quotaBytes: limits.defaultBlobQuotaBytes,
  repairEveryMs: 5_000,
  collectEveryMs: 60_000,
  unpinnedMs: limits.unpinnedBlobMs,
  scrubEveryMs: 24 * 3_600_000,
  reopenEveryMs: 1_000,
}

export interface MediaStatus extends MediaState {
  uploads: number
}

export class MediaService implements Service {
  readonly name = 'media'
  readonly #ports: MediaPorts
  readonly #options: Required<MediaOptions>
  readonly #index: MediaIndex
  readonly #context: MediaContext
  readonly #uploads: Uploads
  readonly #repair: MediaRepair
  readonly #collector: Collector

  constructor(ports: MediaPorts, options: MediaOptions = {}) {
    this.#ports = ports
    this.#options = { ...defaults, ...options }
    const { repairEveryMs, reopenEveryMs, quotaBytes, unpinnedMs } = this.#options
    this.#index = new MediaIndex({ ...ports, isAlone: () => this.#isAlone(), reopenEveryMs })
    const wanted = (blob: string): void => this.#repair.want(blob)
    this.#context = { ...ports, index: this.#index, lock: new KeyedLock(), unpinnedMs, wanted }
    this.#uploads = new Uploads(this.#context, quotaBytes)
    this.#repair = new MediaRepair(this.#context, this.#uploads, repairEveryMs)
    this.#collector = new Collector(this.#context, this.#repair)
  }

  async start(signal: AbortSignal): Promise<void> {
    const { transport, clock, log } = this.#ports
    await this.#index.open(signal)
    await this.#agree()
    handleMedia(this.#context, this.#uploads)
    transport.handle(mediaState, async ({ epoch }, from) => {
      assertCaller(this.#context, from, ['member'])
      await enterEpoch(this.#context, epoch)
      return this.#state()
    })
    this.#uploads.start(signal)
    this.#repair.start(signal)
    this.#collector.start(signal, this.#options.collectEveryMs)
    const onError = (error: ChatError): void =>
      log.warn({ error: error.message }, 'the search for damaged attachments was broken off')
    const everyMs = this.#options.scrubEveryMs
    // Not at the start: all nodes of a cluster that was switched on would read their disks at once.
    void sleep(clock, everyMs, signal).then(() =>
      repeat({ clock, everyMs, signal, onError }, () => this.#scrub(signal)),
    )
  }

  async stop(): Promise<void> {
    await this.#uploads.stop()
    await this.#index.close()
  }

  /** For the operator; of this home only. */
  status(): MediaStatus {
    return { ...this.#state(), uploads: this.#uploads.count }
  }

  /** The operator knows that pins may be lost and wants to go on with what there is. */
  acceptLoss(): Promise<void> {
    return this.#index.saveFacts({ condition: 'up' })
  }

  #state(): MediaState {
    const { isOpen, facts, digests } = this.#index
    const state = !isOpen ? 'read-only' : facts.condition
    const { epoch } = this.#ports.view.current().map
    return { state, epoch, reconciled: this.#repair.reconciled, blobs: digests.blobs, bytes: digests.bytes }
  }

  #isAlone(): boolean {
    const { current, next } = mediaHomes(this.#ports.view.current().map)
    return !next && current.peers.length === 1 && current.peers[0] === this.#ports.transport.self
  }

  /** A crash may have left a file without its row, which is young again; and a row without its file is a blob that lacks here. */
  async #agree(): Promise<void> {
    const { blobs, clock } = this.#ports
    const files = new Set(await blobs.list())
    for (const blob of files) {
      if (factsOf(this.#context, blob)) continue
      const size = await blobs.size(blob).catch(() => undefined)
      if (size === undefined) await blobs.remove(blob)
      else await putFacts(this.#context, blob, { size, user: '', at: clock.now() })
    }
    for (const row of await this.#index.database.keys(allBlobs)) {
      if (!pinOfKey(row) && !files.has(blobOfKey(row))) this.#repair.want(blobOfKey(row))
    }
  }

  /** Reads every blob; what is damaged is fetched from another home. */
  async #scrub(signal: AbortSignal): Promise<void> {
    const { blobs } = this.#ports
    for (const blob of await blobs.list()) {
      const size = factsOf(this.#context, blob)?.size ?? 0
      for (let at = 0; at < size && !signal.aborted; at += limits.maxBlobPieceBytes) {
        const isWhole = await blobs.read(blob, at, limits.maxBlobPieceBytes).catch(() => undefined)
        if (isWhole) continue
        this.#repair.want(blob)
        break
      }
    }
  }
}
