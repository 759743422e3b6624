// Blobs on their way in: pieces in order, each upload under its blob's lock. What was taken is synced now and then, so that an upload
// that is broken off, by whoever's death, goes on from there; after a day without a step it is given up.
import { repeat } from '../../platform/timing.ts'
import type { UnfinishedBlob } from '../../platform/ports.ts'
import { ChatError } from '../../protocol/errors.ts'
import type { BlobState } from '../../protocol/rpc.ts'
import { KeyedLock } from '../core/keyed-lock.ts'
import { factsOf, type MediaContext, putFacts, wholeSize } from './media-context.ts'
import { allUploads, type BlobFacts, blobOfKey, jsonValue, uploadKey } from './rows.ts'

/** In the background, so that the last sync of a large blob has little left to do. */
const SYNC_EVERY_BYTES = 8 * 1024 * 1024
/** An upload without a step for so long is closed; it can be gone on with. */
const IDLE_MS = 60_000
const SWEEP_MS = 10_000
/** Open files; far above what gateways let through. */
const MAX_OPEN = 512

interface Upload {
  blob: UnfinishedBlob
  steppedAt: number
  syncedTo: number
}
export interface Announced {
  blob: string
  user: string
  size: number
}

export class Uploads {
  readonly #context: MediaContext
  readonly #quotaBytes: number
  readonly #open = new Map<string, Upload>()
  /** By user, one after the other: what was announced counts once it is on disk. */
  readonly #announcing = new KeyedLock()

  constructor(context: MediaContext, quotaBytes: number) {
    this.#context = context
    this.#quotaBytes = quotaBytes
  }

  get count(): number {
    return this.#open.size
  }

  start(signal: AbortSignal): void {
    const { clock, log } = this.#context
    const onError = (error: ChatError): void => log.warn({ error: error.message }, 'old uploads could not be given up')
    void repeat({ clock, everyMs: SWEEP_MS, signal, onError }, () => this.#sweep())
  }

  async stop(): Promise<void> {
    for (const { blob } of [...this.#open.values()]) await blob.close()
    this.#open.clear()
  }

  /** How far it is now, not synced. */
  write(announced: Announced & { offset: number; bytes: Uint8Array }): Promise<{ offset: number }> {
    const { blob: id, size, offset, bytes } = announced
    return this.#context.lock.run(id, async () => {
      // A look at the disk for each piece would cost as much as writing it.
      if (!this.#open.has(id) && (await wholeSize(this.#context, id)) === size) return { offset: size }
      const upload = await this.#begin(announced)
      const { blob } = upload
      if (offset > blob.written) throw new ChatError('BLOB_INCOMPLETE', { details: { offset: blob.written } })
      const news = bytes.subarray(blob.written - offset)
      if (news.length > 0) await this.#step(id, () => blob.append(news))
      upload.steppedAt = this.#context.clock.monotonic()
      if (blob.written - upload.syncedTo >= SYNC_EVERY_BYTES) {
        upload.syncedTo = blob.written
        blob.sync().catch(() => {}) // the next step meets the same error
      }
      return { offset: blob.written }
    })
  }

  /** Whole, readable, and known: or an error that says why not. */
  finish(announced: Announced): Promise<BlobState> {
    const { blob: id, user, size } = announced
    return this.#context.lock.run(id, async () => {
      const known = await wholeSize(this.#context, id)
      if (known === undefined) {
        const { blob } = await this.#begin(announced)
        await this.#step(id, () => blob.finish())
        this.#open.delete(id)
      } else if (known !== size) throw new ChatError('BLOB_HASH')
      await putFacts(this.#context, id, { user, size, at: this.#context.clock.now() })
      return { size, offset: size, whole: true }
    })
  }

  /** After an fsync of what was taken. */
  stat(id: string): Promise<BlobState | undefined> {
    return this.#context.lock.run(id, async () => {
      const size = await wholeSize(this.#context, id)
      if (size !== undefined) return { size, offset: size, whole: true }
      const announced = this.#context.index.json<BlobFacts>(uploadKey(id))
      if (!announced) return undefined
      const { blob } = await this.#begin({ blob: id, ...announced })
      await this.#step(id, () => blob.sync())
      return { size: blob.size, offset: blob.durable, whole: false }
    })
  }

  /** Before another way than an upload makes the blob whole: under its lock. */
  async giveUp(id: string): Promise<void> {
    const upload = this.#open.get(id)
    this.#open.delete(id)
    await upload?.blob.close()
  }

  async #begin({ blob: id, user, size }: Announced): Promise<Upload> {
    const known = this.#open.get(id)
    if (known?.blob.size === size) return known
    if (known) throw new ChatError('BLOB_HASH', { message: 'The attachment was announced with another size' })
    const { blobs, clock } = this.#context
    if (this.#open.size >= MAX_OPEN) throw new ChatError('PEER_OVERLOADED')
    await this.#announcing.run(user, () => this.#announce({ blob: id, user, size }))
    const blob = await blobs.begin(id, size).catch((error: unknown) => this.#dropped(id, error))
    const upload = { blob, steppedAt: clock.monotonic(), syncedTo: blob.durable }
    this.#open.set(id, upload)
    return upload
  }

  /** From now on it counts. BLOB_QUOTA. */
  async #announce({ blob, user, size }: Announced): Promise<void> {
    const { index, clock } = this.#context
    const row = uploadKey(blob)
    const announced = index.json<BlobFacts>(row)
    const usage = index.digests.usageOf(user) - (announced?.user === user ? announced.size : 0)
    if (usage + size > this.#quotaBytes)
      throw new ChatError('BLOB_QUOTA', { details: { usage, quota: this.#quotaBytes } })
    await index.write([{ key: row, value: jsonValue(row, { user, size, at: clock.now() }) }])
  }

  /** A blob that failed to take something is gone, unless it only lacks bytes. */
  async #step(id: string, step: () => Promise<void>): Promise<void> {
    try {
      await step()
    } catch (error) {
      if (error instanceof ChatError && (error.code === 'BLOB_INCOMPLETE' || error.code === 'RPC_INVALID')) throw error
      await this.#dropped(id, error)
    }
  }

  async #dropped(id: string, error: unknown): Promise<never> {
    this.#open.delete(id)
    await this.#context.index.write([{ key: uploadKey(id), value: undefined }])
    throw error
  }

  async #sweep(): Promise<void> {
    const { clock, index, lock, blobs, unpinnedMs } = this.#context
    if (!index.isOpen) return
    const idleSince = clock.monotonic() - IDLE_MS
    for (const [id, { steppedAt }] of this.#open) if (steppedAt < idleSince) await lock.run(id, () => this.giveUp(id))
    const oldest = clock.now() - unpinnedMs
    for (const row of await index.database.keys(allUploads)) {
      const id = blobOfKey(row)
      await lock.run(id, async () => {
        const facts = index.json<BlobFacts>(row)
        if (this.#open.has(id) || (facts && facts.at > oldest)) return
        if (!factsOf(this.#context, id)) await blobs.remove(id)
        await index.write([{ key: row, value: undefined }])
      })
    }
  }
}
