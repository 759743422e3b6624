// Seeded randomness of the simulator: one independent stream for each component, so that a change of one does not shift the others.
// Must never touch the machine's own randomness.
import { sha256 } from '../../src/protocol/signing.ts'
import { toUtf8 } from '../../src/protocol/bytes.ts'
import type { RandomSource } from '../../src/platform/ports.ts'

/** sfc32 by Chris Doty-Humphrey: passes PractRand, four words of state, a few operations a number. */
export class SeededRandom implements RandomSource {
  readonly #name: string
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(name: string) {
    this.#name = name
    const seed = sha256(toUtf8(name))
    this.#a = seed.readInt32LE(0)
    this.#b = seed.readInt32LE(4)
    this.#c = seed.readInt32LE(8)
  }

  /** An independent stream; the same name gives the same stream. */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.#name}/${name}`)
  }

  #next(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t
    return t >>> 0
  }

  float(): number {
    return this.#next() / 2 ** 32
  }

  bytes(count: number): Uint8Array {
    const out = Buffer.alloc(count)
    for (let i = 0; i < count; i++) out[i] = this.#next() & 0xff
    return out
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.float() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return this.float() < probability
  }

  /** Throws for an empty list: that is an error of the scenario. */
  pick<T>(list: readonly T[]): T {
    const item = list[this.between(0, list.length - 1)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  /** One key of the table, as often as its weight says. */
  weighted<K extends string>(weights: Record<K, number>): K {
    const entries = Object.entries(weights) as [K, number][] // Object.entries forgets the keys' type
    let left = this.float() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [key, weight] of entries) {
      left -= weight
      if (left < 0) return key
    }
    return this.pick(entries)[0]
  }

  shuffle<T>(list: readonly T[]): T[] {
    const out = [...list]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.between(0, i)
      const [x, y] = [out[i], out[j]]
      if (x !== undefined && y !== undefined) [out[i], out[j]] = [y, x]
    }
    return out
  }

  /** Mostly short, sometimes long: how networks and disks are late. */
  latency(typicalMs: number, worstMs: number): number {
    return this.chance(0.02) ? typicalMs + this.float() * worstMs : typicalMs * (0.5 + this.float())
  }
}
