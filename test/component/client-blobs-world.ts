// The cluster's side of attachments for tests of the client: blobs in memory behind the port BlobTransfer, cut, lost, damaged or full as
// a test says; and the files of a machine, in memory too.
import { createHash } from 'node:crypto'
import type { BlobAccess, BlobTransfer, BlobUpload, SourceFiles } from '../../src/client/ports.ts'
import { ChatError } from '../../src/protocol/errors.ts'

interface Blob {
  size: number
  bytes: Buffer
  isWhole: boolean
}

export class MemoryBlobs implements BlobTransfer {
  readonly held = new Map<string, Blob>()
  /** The offset of every upload that began, in order, with its token. */
  readonly uploads: { id: string; offset: number; token: string }[] = []
  readonly fetches: { id: string; from: number }[] = []
  /** After so many bytes of an upload or a download the connection breaks; called once for each. */
  cutAfter: (upload: { id: string; offset: number }) => number | undefined = () => undefined
  /** Called when it does. */
  onCut: () => void = () => {}
  /** Refuses an upload at its beginning. */
  refuse: () => ChatError | undefined = () => undefined
  /** What is read is changed on the way. */
  damage: (bytes: Buffer, at: number) => Buffer = (bytes) => bytes
  /** Bytes that the cluster took and did not confirm are gone after a break. */
  unconfirmed = 0

  async confirmed(_access: BlobAccess, id: string): Promise<number | undefined> {
    const blob = this.held.get(id)
    return blob && (blob.isWhole ? blob.size : blob.bytes.length)
  }

  async put({ token }: BlobAccess, { id, size, offset, bytes }: BlobUpload, signal: AbortSignal): Promise<void> {
    const refused = this.refuse()
    if (refused) throw refused
    const blob = this.held.get(id) ?? { size, bytes: Buffer.alloc(0), isWhole: false }
    if (offset !== blob.bytes.length) throw new ChatError('BLOB_INCOMPLETE', { details: { offset: blob.bytes.length } })
    this.held.set(id, blob)
    this.uploads.push({ id, offset, token })
    const room = this.cutAfter({ id, offset }) ?? Number.POSITIVE_INFINITY
    let taken = 0
    for await (const part of bytes) {
      await new Promise((resolve) => setImmediate(resolve))
      signal.throwIfAborted()
      const fitting = Buffer.from(part.subarray(0, room - taken))
      blob.bytes = Buffer.concat([blob.bytes, fitting])
      taken += fitting.length
      if (taken >= room) {
        blob.bytes = blob.bytes.subarray(0, Math.max(offset, blob.bytes.length - this.unconfirmed))
        this.onCut()
        throw new ChatError('NET_UNAVAILABLE')
      }
    }
    if (blob.bytes.length !== size) throw new ChatError('BLOB_INCOMPLETE', { details: { offset: blob.bytes.length } })
    if (createHash('sha256').update(blob.bytes).digest('hex') !== id) {
      this.held.delete(id)
      throw new ChatError('BLOB_HASH')
    }
    blob.isWhole = true
  }

  async *get(_access: BlobAccess, { id, from }: { id: string; from: number }): AsyncGenerator<Uint8Array> {
    const blob = this.held.get(id)
    if (!blob?.isWhole) throw new ChatError('BLOB_UNKNOWN')
    this.fetches.push({ id, from })
    const room = this.cutAfter({ id, offset: from }) ?? Number.POSITIVE_INFINITY
    const PART = 10_007 // never a whole chunk
    for (let at = from; at < blob.size; at += PART) {
      if (at - from >= room) throw new ChatError('NET_UNAVAILABLE')
      yield this.damage(Buffer.from(blob.bytes.subarray(at, at + PART)), at)
    }
  }

  isWhole(id: string): boolean {
    return this.held.get(id)?.isWhole === true
  }

  /** As the collector does with what nobody refers to. */
  lose(): void {
    this.held.clear()
  }
}

export class MemoryFiles implements SourceFiles {
  readonly #files = new Map<string, { bytes: Buffer; modifiedAt: number }>()
  #clock = 1
  /** Called before each read from a file's beginning. */
  onRead: (path: string) => void = () => {}

  write(path: string, bytes: Uint8Array): void {
    this.#files.set(path, { bytes: Buffer.from(bytes), modifiedAt: this.#clock++ })
  }

  /** Other bytes, and nothing that tells. */
  swap(path: string, bytes: Uint8Array): void {
    this.#files.set(path, { bytes: Buffer.from(bytes), modifiedAt: this.#find(path).modifiedAt })
  }

  remove(path: string): void {
    this.#files.delete(path)
  }

  async stat(path: string): Promise<{ size: number; modifiedAt: number }> {
    const { bytes, modifiedAt } = this.#find(path)
    return { size: bytes.length, modifiedAt }
  }

  async *read(path: string, { from }: { from: number }): AsyncGenerator<Uint8Array> {
    if (from === 0) this.onRead(path)
    const PART = 30_011 // never a whole chunk
    for (let at = from; at < this.#find(path).bytes.length; at += PART)
      yield this.#find(path).bytes.subarray(at, at + PART)
  }

  /** Of pictures there are none; a test may hold it up. */
  preview: SourceFiles['preview'] = async () => undefined

  #find(path: string): { bytes: Buffer; modifiedAt: number } {
    const file = this.#files.get(path)
    if (!file) throw new ChatError('FILE_UNKNOWN')
    return file
  }
}
