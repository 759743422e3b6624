// The Marker port in a file of two slots of 32 bytes, written in turn and never synced: number (8), zeros (8), SHA-256 of both, cut to 16.
// A torn slot fails its checksum and the other one still holds. Beside it `<path>.clean` exists while nobody has the data open.

import { closeSync, existsSync, fsyncSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { equalBytes } from '../protocol/bytes.ts'
import { sha256 } from '../protocol/signing.ts'
import type { Marker } from './ports.ts'

const SLOT_BYTES = 32
const SIGNED_BYTES = 16
const FILE_MODE = 0o600

export const openFileMarker = (path: string): Marker => new FileMarker(path)

class FileMarker implements Marker {
  readonly #path: string
  readonly #file: number
  readonly #wasClean: boolean
  readonly #slot = Buffer.alloc(SLOT_BYTES)
  #last: number | undefined
  #nextSlot: number

  constructor(path: string) {
    this.#path = path
    this.#wasClean = !existsSync(path) || existsSync(`${path}.clean`)
    this.#file = openSync(path, existsSync(path) ? 'r+' : 'w+', FILE_MODE)
    rmSync(`${path}.clean`, { force: true })
    const numbers = [readSlot(this.#file, 0), readSlot(this.#file, 1)] as const
    this.#last = numbers[0] === undefined ? numbers[1] : Math.max(numbers[0], numbers[1] ?? 0)
    this.#nextSlot = this.#last !== undefined && this.#last === numbers[0] ? 1 : 0
  }

  read(): number | undefined {
    return this.#last
  }

  write(batch: number): void {
    this.#slot.writeBigUInt64BE(BigInt(batch), 0)
    sha256(this.#slot.subarray(0, SIGNED_BYTES)).copy(this.#slot, SIGNED_BYTES, 0, SLOT_BYTES - SIGNED_BYTES)
    writeSync(this.#file, this.#slot, 0, SLOT_BYTES, this.#nextSlot * SLOT_BYTES)
    this.#nextSlot = 1 - this.#nextSlot
    this.#last = batch
  }

  wasClosedCleanly(): boolean {
    return this.#wasClean
  }

  close(): void {
    fsyncSync(this.#file)
    closeSync(this.#file)
    writeFileSync(`${this.#path}.clean`, '', { mode: FILE_MODE })
  }
}

const readSlot = (file: number, index: number): number | undefined => {
  const slot = Buffer.alloc(SLOT_BYTES)
  if (readSync(file, slot, 0, SLOT_BYTES, index * SLOT_BYTES) < SLOT_BYTES) return undefined
  const checksum = sha256(slot.subarray(0, SIGNED_BYTES)).subarray(0, SLOT_BYTES - SIGNED_BYTES)
  return equalBytes(slot.subarray(SIGNED_BYTES), checksum) ? Number(slot.readBigUInt64BE(0)) : undefined
}
