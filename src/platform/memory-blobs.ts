// The BlobStore port in memory, with the faults of real disks: a crash loses what was not synced, a disk is full, bytes change.
// The blobs outlive their handles, as files outlive processes: after `crash()` what is unfinished can be gone on with.
import { toHex } from '../protocol/bytes.ts'
import { ChatError } from '../protocol/errors.ts'
import { sha256 } from '../protocol/signing.ts'
import { assertBlobId, assertSums, BlobSums, decodeSums, summedRange } from './blob-sums.ts'
import type { BlobStore, UnfinishedBlob } from './ports.ts'

interface Part {
  size: number
  parts: Uint8Array[]
  durable: number
  sums: BlobSums
  isOpen: boolean
}
interface Whole {
  bytes: Buffer
  sums: Buffer
}

export class MemoryBlobs implements BlobStore {
  readonly #parts = new Map<string, Part>()
  readonly #wholes = new Map<string, Whole>()
  readonly #settle: () => Promise<void>
  /** Nothing more can be written. */
  full = false

  /** `settle`: the time of an fsync, in the simulator virtual. */
  constructor({ settle = async () => {} }: { settle?: () => Promise<void> } = {}) {
    this.#settle = settle
  }

  async begin(id: string, size: number): Promise<UnfinishedBlob> {
    assertBlobId(id)
    this.#assertRoom()
    const known = this.#parts.get(id)
    const part = known?.size === size ? known : newPart(size)
    part.isOpen = true
    this.#parts.set(id, part)
    return new UnfinishedMemory(part, {
      assertRoom: () => this.#assertRoom(),
      settle: this.#settle,
      assertAlive: () => {
        if (this.#parts.get(id) !== part) throw new Error('the blob is not open')
      },
      remove: () => void this.#parts.delete(id),
      keep: (bytes) => {
        if (toHex(sha256(bytes)) !== id) throw new ChatError('BLOB_HASH')
        this.#wholes.set(id, { bytes, sums: part.sums.encode() })
      },
    })
  }

  async unfinished(): Promise<{ id: string; size: number }[]> {
    return [...this.#parts].filter(([, { isOpen }]) => !isOpen).map(([id, { size }]) => ({ id, size }))
  }

  async size(id: string): Promise<number | undefined> {
    assertBlobId(id)
    return this.#wholes.get(id)?.bytes.length
  }

  async read(id: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    assertBlobId(id)
    const whole = this.#wholes.get(id)
    const sums = whole && decodeSums(whole.sums)
    if (!whole || !sums) return undefined
    const { start, end } = summedRange(sums.size, offset, length)
    assertSums(sums, start, whole.bytes.subarray(start, end))
    return Uint8Array.from(whole.bytes.subarray(offset, Math.min(end, offset + length)))
  }

  async remove(id: string): Promise<void> {
    assertBlobId(id)
    this.#wholes.delete(id)
    this.#parts.delete(id)
  }

  async list(): Promise<string[]> {
    return [...this.#wholes.keys()]
  }

  /** The machine dies: what was not synced is gone, nobody has anything open. */
  crash(): void {
    for (const [id, part] of this.#parts) {
      const kept = Buffer.concat(part.parts).subarray(0, part.durable)
      const left = newPart(part.size)
      left.parts.push(kept)
      left.sums.update(kept)
      left.durable = part.durable
      this.#parts.set(id, left)
    }
  }

  /** Somebody replaced the disk. */
  wipe(): void {
    this.#parts.clear()
    this.#wholes.clear()
  }

  /** Ids and sizes, for whoever looks at the disk from outside. */
  wholes(): [id: string, size: number][] {
    return [...this.#wholes].map(([id, { bytes }]) => [id, bytes.length])
  }

  /** Changes a bit behind everybody's back. */
  damage(id: string, at: number): void {
    const whole = this.#wholes.get(id)
    if (whole) whole.bytes[at] = (whole.bytes[at] ?? 0) ^ 1
  }

  #assertRoom(): void {
    if (this.full) throw new ChatError('BLOB_FULL')
  }
}

const newPart = (size: number): Part => ({ size, parts: [], durable: 0, sums: new BlobSums(size), isOpen: false })

interface UnfinishedPorts {
  /** Throws when the machine has died since it was opened, or it is finished. */
  assertAlive: () => void
  assertRoom: () => void
  settle: () => Promise<void>
  remove: () => void
  keep: (bytes: Buffer) => void
}

class UnfinishedMemory implements UnfinishedBlob {
  readonly #part: Part
  readonly #ports: UnfinishedPorts
  #written: number

  constructor(part: Part, ports: UnfinishedPorts) {
    this.#part = part
    this.#ports = ports
    this.#written = part.parts.reduce((sum, { length }) => sum + length, 0)
  }

  get size(): number {
    return this.#part.size
  }
  get written(): number {
    return this.#written
  }
  get durable(): number {
    return this.#part.durable
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#ports.assertAlive()
    if (this.#written + bytes.length > this.size) throw new ChatError('RPC_INVALID')
    try {
      this.#ports.assertRoom()
    } catch (error) {
      this.#ports.remove()
      throw error
    }
    this.#part.parts.push(Uint8Array.from(bytes))
    this.#part.sums.update(bytes)
    this.#written += bytes.length
  }

  async sync(): Promise<void> {
    const { summedBytes } = this.#part.sums
    await this.#ports.settle()
    this.#ports.assertAlive()
    this.#part.durable = summedBytes
  }

  async finish(): Promise<void> {
    if (this.#written < this.size) throw new ChatError('BLOB_INCOMPLETE', { details: { offset: this.#written } })
    await this.sync()
    this.#ports.remove()
    this.#ports.keep(Buffer.concat(this.#part.parts))
  }

  async close(): Promise<void> {
    this.#part.isOpen = false
  }
}
