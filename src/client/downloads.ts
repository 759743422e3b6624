// Fetches attachments: chunk by chunk verified as they come, going on after a break where it stopped, into files or as a stream. Runs in
// the process that asked, whichever owns the profile. Nothing gets its name, or ends well, whose hash is not what the message says.
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { BLOB_CHUNK_BYTES, chunkCount, SEALED_CHUNK_BYTES } from '../protocol/blob.ts'
import { fromBase64 } from '../protocol/bytes.ts'
import type { Attachment } from '../protocol/content.ts'
import { asChatError, ChatError, hasCode } from '../protocol/errors.ts'
import { mutant } from '../platform/mutants.ts'
import type { Clock, RandomSource } from '../platform/ports.ts'
import { sleep } from '../platform/timing.ts'
import type { FetchedAttachment, FetchOptions } from './api.ts'
import { BlobCipher, piecesOf } from './blob-cipher.ts'
import { openDownloadDirectory, PartFile } from './download-directory.ts'
import { backoffMs } from './gateway-choice.ts'
import type { BlobAccess, BlobTransfer } from './ports.ts'
import { isTransient } from './uploads.ts'

/** Attempts without a new chunk, until it is given up: some ten seconds. */
const MAX_FAILURES = 8
/** Another home may have it whole; the same damage again is no accident. */
const MAX_DAMAGED = 3
/** From what an earlier attempt left, then anew. */
const MAX_TRIES = 2

export interface DownloadPorts {
  clock: Clock
  random: RandomSource
  blobs: Pick<BlobTransfer, 'get'>
  access: () => Promise<BlobAccess>
  /** Of a message. MESSAGE_UNKNOWN. */
  attachments: (id: string) => Promise<Attachment[]>
}

const never = new AbortController().signal

export class Downloads {
  readonly #ports: DownloadPorts

  constructor(ports: DownloadPorts) {
    this.#ports = ports
  }

  async fetch(id: string, options: FetchOptions = {}): Promise<FetchedAttachment[]> {
    const { name } = options
    const all = await this.#ports.attachments(id)
    const wanted = name === undefined ? all : all.filter((attachment) => attachment.name === name)
    if (wanted.length === 0) throw unknownFile(name)
    const directory = resolve(options.directory ?? '.')
    await openDownloadDirectory(directory)
    const fetched: FetchedAttachment[] = []
    for (const attachment of wanted) {
      fetched.push(
        await this.#fetchOne(attachment, directory, options).catch((error: unknown) => this.#fail(id, error)),
      )
    }
    return fetched
  }

  async *read(
    id: string,
    index: number,
    { signal = never }: { signal?: AbortSignal } = {},
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const attachment = (await this.#ports.attachments(id))[index]
    if (!attachment) throw unknownFile()
    const hash = createHash('sha256')
    try {
      for await (const plain of this.#chunks(attachment, { from: 0, signal })) {
        hash.update(plain)
        yield plain
      }
    } catch (error) {
      await this.#fail(id, error)
    }
    if (hash.digest('hex') !== attachment.sha256) throw otherFile(attachment)
  }

  /** An attachment that is gone with its message, perhaps in the middle: MESSAGE_UNKNOWN says so. */
  async #fail(id: string, error: unknown): Promise<never> {
    if (hasCode(error, 'BLOB_UNKNOWN')) await this.#ports.attachments(id)
    throw error
  }

  async #fetchOne(
    attachment: Attachment,
    directory: string,
    { signal = never, onProgress }: FetchOptions,
  ): Promise<FetchedAttachment> {
    const { name, size, sha256 } = attachment
    const show = (received: number): void => onProgress?.({ name, size, received })
    const part = await PartFile.open(directory, attachment.id)
    try {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        const found = await this.#fill(part, attachment, { signal, show })
        if (found === sha256 || mutant('whole-unverified')) {
          return { name, path: await part.finish(name), size, sha256 }
        }
        await part.truncate(0)
      }
    } finally {
      await part.close()
    }
    throw otherFile(attachment)
  }

  /** Fetches what lacks; the hash of the whole. */
  async #fill(
    part: PartFile,
    attachment: Attachment,
    { signal, show }: { signal: AbortSignal; show: (received: number) => void },
  ): Promise<string> {
    const { size } = attachment
    const hash = createHash('sha256')
    // Only whole chunks are written, but the last of them may not have reached the disk.
    await part.truncate(part.size >= size ? size : part.size - (part.size % BLOB_CHUNK_BYTES))
    for await (const bytes of part.read()) hash.update(bytes)
    show(part.size)
    if (part.size < size) {
      for await (const plain of this.#chunks(attachment, { from: part.size / BLOB_CHUNK_BYTES, signal })) {
        await part.append(plain)
        hash.update(plain)
        show(part.size)
      }
    }
    return hash.digest('hex')
  }

  /** Verified chunks from one on. Goes on after a break as long as something comes. */
  async *#chunks(
    attachment: Attachment,
    { from, signal }: { from: number; signal: AbortSignal },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const { clock, random, blobs, access } = this.#ports
    const { id, key, size } = attachment
    const cipher = new BlobCipher(fromBase64(key), size)
    const count = chunkCount(size)
    let next = from
    for (let failures = 0, damages = 0; ; ) {
      const open = await access()
      try {
        const bytes = blobs.get(open, { id, from: next * SEALED_CHUNK_BYTES }, signal)
        for await (const sealed of piecesOf(bytes, SEALED_CHUNK_BYTES)) {
          const plain = cipher.open(next, sealed)
          next += 1
          failures = 0
          damages = 0
          yield plain
          if (next === count) return
        }
        throw new ChatError('NET_CLOSED', { message: 'The attachment ended too early' })
      } catch (cause) {
        if (signal.aborted) throw cause
        const error = asChatError(cause)
        failures += 1
        if (error.code === 'BLOB_HASH') damages += 1
        const isHopeless = error.code === 'BLOB_HASH' ? damages >= MAX_DAMAGED : !isTransient(error)
        if (isHopeless || failures >= MAX_FAILURES) throw error
        await sleep(clock, backoffMs(failures, random), signal)
      }
    }
  }
}

/** FILE_UNKNOWN: no attachment of that name, or none at all. */
export const unknownFile = (name?: string): ChatError =>
  new ChatError('FILE_UNKNOWN', {
    message: name === undefined ? 'That message has no attachments' : `That message has no attachment ${name}`,
  })

const otherFile = ({ name }: Attachment): ChatError =>
  new ChatError('BLOB_HASH', { message: `${name} is not the file that the message says` })
