// The files of attachments as one run of a process sees them: each step takes the disk's time and ends with the process. The bytes,
// and what a power cut takes of them, are MemoryBlobs'; whole blobs that are removed are told to whoever judges that.
import type { MemoryBlobs } from '../../src/platform/memory-blobs.ts'
import type { BlobStore, UnfinishedBlob } from '../../src/platform/ports.ts'

type Kind = 'readMs' | 'writeMs' | 'syncMs'
export interface BlobDiskOptions {
  blobs: MemoryBlobs
  /** Resolves when the disk has done such a thing; never when the process has died meanwhile. */
  settle: (kind: Kind) => Promise<void>
  onRemove: (id: string) => void
}

export const blobDisk = ({ blobs, settle, onRemove }: BlobDiskOptions): BlobStore => {
  const after = async <T>(kind: Kind, make: () => Promise<T>): Promise<T> => {
    await settle(kind)
    return make()
  }
  return {
    begin: (id, size) => after('writeMs', async () => unfinishedOn(await blobs.begin(id, size), after)),
    unfinished: () => after('readMs', () => blobs.unfinished()),
    size: (id) => after('readMs', () => blobs.size(id)),
    read: (id, offset, length) => after('readMs', () => blobs.read(id, offset, length)),
    list: () => after('readMs', () => blobs.list()),
    remove: (id) =>
      after('writeMs', async () => {
        if ((await blobs.size(id)) !== undefined) onRemove(id)
        await blobs.remove(id)
      }),
  }
}

const unfinishedOn = (
  blob: UnfinishedBlob,
  after: <T>(kind: Kind, make: () => Promise<T>) => Promise<T>,
): UnfinishedBlob => ({
  get size() {
    return blob.size
  },
  get written() {
    return blob.written
  },
  get durable() {
    return blob.durable
  },
  append: (bytes) => after('writeMs', () => blob.append(bytes)),
  sync: () => after('syncMs', () => blob.sync()),
  finish: () => after('syncMs', () => blob.finish()),
  close: () => after('writeMs', () => blob.close()),
})
