// Brings the files of outbox entries to the cluster, and tells the outbox when a message may leave. Runs while a session is open; after
// a break, on another gateway or in another process it goes on at the byte that the cluster has safely. Owns no entry: the outbox does.
import { encryptedSize, largestFile } from '../protocol/blob.ts'
import { asChatError, ChatError } from '../protocol/errors.ts'
import { limits } from '../protocol/limits.ts'
import type { Clock, Logger, RandomSource } from '../platform/ports.ts'
import { sleep } from '../platform/timing.ts'
import type { Transfer } from './api.ts'
import { backoffMs } from './gateway-choice.ts'
import type { OutboxEntry } from './outbox-entry.ts'
import { blobBytes, type OutgoingFile, prepareFile } from './outgoing-file.ts'
import type { AttachmentPorts, BlobAccess } from './ports.ts'

/** Messages whose files move at once: a large one must not hold up the small ones of other conversations. */
const MAX_UNDER_WAY = 2
/** What we send was hashed before: it was damaged on the way. More than so often is no accident. */
const MAX_DAMAGED = 3

export interface UploadsOptions {
  clock: Clock
  random: RandomSource
  log: Logger
  attachments: AttachmentPorts
  /** What is known of the entry's files is to be kept. */
  onMoved: (entry: OutboxEntry) => void
  /** The cluster has all files of the message. */
  onStored: (entry: OutboxEntry) => void
  /** They cannot be sent, whatever is tried. */
  onFailed: (entry: OutboxEntry, error: ChatError) => void
  onProblem: (entry: OutboxEntry, error: ChatError) => void
  onChange: () => void
}

/** Trying again may help. A token ends with its session, and the next session has another. */
export const isTransient = (error: ChatError): boolean =>
  error.retryable || error.outcome === 'unknown' || error.code.startsWith('AUTH_')

export class Uploads {
  readonly #options: UploadsOptions
  readonly #waiting = new Set<OutboxEntry>()
  readonly #running = new Map<OutboxEntry, AbortController>()
  /** Bytes of the blob that are on their way or there. */
  readonly #moved = new Map<OutgoingFile, number>()
  #online: AbortController | undefined
  #access: () => Promise<BlobAccess> = () => Promise.reject(new ChatError('NET_CLOSED'))

  constructor(options: UploadsOptions) {
    this.#options = options
  }

  add(entry: OutboxEntry): void {
    this.#waiting.add(entry)
    this.#pump()
  }

  /** The message will not leave. */
  drop(entry: OutboxEntry): void {
    this.#waiting.delete(entry)
    this.#running.get(entry)?.abort()
  }

  /** `access`: of the session that is open now. */
  online(access: () => Promise<BlobAccess>): void {
    this.#access = access
    this.#online = new AbortController()
    this.#pump()
  }

  offline(): void {
    this.#online?.abort()
    this.#online = undefined
  }

  get transfers(): Transfer[] {
    return [...this.#waiting].flatMap((entry) => (entry.files ?? []).map((file) => this.#report(entry, file)))
  }

  #report({ id, to }: OutboxEntry, file: OutgoingFile): Transfer {
    const { name, size, isStored } = file
    const share = isStored ? 1 : (this.#moved.get(file) ?? 0) / encryptedSize(size)
    return { message: id, to, name, size, sent: Math.floor(size * share), isPrepared: file.prepared !== undefined }
  }

  #pump(): void {
    const online = this.#online?.signal
    if (!online) return
    for (const entry of this.#waiting) {
      if (this.#running.size >= MAX_UNDER_WAY) return
      if (!this.#running.has(entry)) void this.#run(entry, online)
    }
  }

  async #run(entry: OutboxEntry, online: AbortSignal): Promise<void> {
    const dropped = new AbortController()
    const signal = AbortSignal.any([online, dropped.signal])
    this.#running.set(entry, dropped)
    try {
      for (const file of entry.files ?? []) if (!file.isStored) await this.#bring(entry, file, signal)
      this.#waiting.delete(entry)
      this.#options.onStored(entry)
    } catch (error) {
      if (!signal.aborted) {
        this.#waiting.delete(entry)
        this.#options.onFailed(entry, asChatError(error))
      }
    } finally {
      for (const file of entry.files ?? []) this.#moved.delete(file)
      this.#running.delete(entry)
      this.#options.onChange()
      this.#pump()
    }
  }

  /** Resolves once the cluster has it; tries again until then, unless it is hopeless. */
  async #bring(entry: OutboxEntry, file: OutgoingFile, signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#options
    let failures = 0
    let damages = 0
    for (;;) {
      const before = this.#moved.get(file) ?? 0
      try {
        return await this.#attempt(entry, file, signal)
      } catch (cause) {
        if (signal.aborted) throw cause
        const error = asChatError(cause)
        if (error.code === 'BLOB_HASH') damages += 1
        const isHopeless = error.code === 'BLOB_HASH' ? damages >= MAX_DAMAGED : !isTransient(error)
        if (isHopeless) throw error
        log.debug({ code: error.code, error: error.message }, 'upload')
        this.#options.onProblem(entry, error)
        failures = (this.#moved.get(file) ?? 0) > before ? 1 : failures + 1
        await sleep(clock, backoffMs(failures, random), signal)
      }
    }
  }

  async #attempt(entry: OutboxEntry, file: OutgoingFile, signal: AbortSignal): Promise<void> {
    const { attachments, random, onMoved } = this.#options
    const { blobs, files } = attachments
    const size = encryptedSize(file.size)
    const access = await this.#access()
    mustFit(file, access.maxBlobBytes)
    if (!file.prepared) {
      const pictures = (entry.files ?? []).filter(({ type }) => type.startsWith('image/')).length
      const maxPreviewLength = Math.floor(limits.maxPreviewBytes / Math.max(1, pictures))
      file.prepared = await prepareFile(file, { files, random, signal, maxPreviewLength })
      onMoved(entry)
      signal.throwIfAborted()
    }
    const { prepared } = file
    const { id } = prepared.attachment
    const offset = (await blobs.confirmed(access, id, signal)) ?? 0
    this.#show(file, offset)
    const bytes = this.#counted(file, offset, blobBytes(file, prepared, { files, offset, signal }))
    // Even when all bytes are there: only the answer says that they are whole and safe.
    await blobs.put(access, { id, size, offset, bytes }, signal)
    file.isStored = true
    onMoved(entry)
  }

  async *#counted(
    file: OutgoingFile,
    offset: number,
    source: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let moved = offset
    for await (const bytes of source) {
      yield bytes
      moved += bytes.length
      this.#show(file, moved)
    }
  }

  #show(file: OutgoingFile, moved: number): void {
    this.#moved.set(file, moved)
    this.#options.onChange()
  }
}

const MIB = 1024 * 1024
const inMib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`
/** Both, so that they differ. */
const sizes = (...bytes: [number, number]): [string, string] => {
  const [first, second] = [inMib(bytes[0]), inMib(bytes[1])]
  return first === second ? [`${bytes[0]} bytes`, `${bytes[1]} bytes`] : [first, second]
}

/** BLOB_TOO_LARGE, before anything of it is read. */
export const mustFit = ({ name, size }: Pick<OutgoingFile, 'name' | 'size'>, maxBlobBytes: number): void => {
  const most = largestFile(maxBlobBytes)
  if (size <= most) return
  const [has, takes] = sizes(size, most)
  throw new ChatError('BLOB_TOO_LARGE', {
    message: `${name} has ${has}, and this cluster takes ${takes}; send a smaller one, or ask the operator to raise --max-blob`,
    details: { size, maxBlobBytes },
  })
}
