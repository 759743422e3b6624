// Which gateway to try next and how long to wait before it: every one before any again, those that go away last,
// exponential backoff with full jitter. Pure but for the random source.
import type { RandomSource } from '../platform/ports.ts'

const FIRST_WAIT_MS = 100
/** A cluster that starts again must find its clients back within seconds. */
const LONGEST_WAIT_MS = 5_000
/** A gateway that said it goes away is tried last for so long. */
const AVOID_MS = 30_000
const MAX_LEARNED = 64

/** Full jitter: anything from nothing to twice the last bound. */
export const backoffMs = (failures: number, random: Pick<RandomSource, 'float'>): number =>
  random.float() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 16))

export class GatewayChoice {
  readonly #random: RandomSource
  readonly #configured: string[]
  #learned: string[] = []
  readonly #avoidUntil = new Map<string, number>()
  #queue: string[] = []

  constructor(configured: string[], random: RandomSource) {
    this.#configured = configured
    this.#random = random
  }

  get all(): string[] {
    return [...new Set([...this.#configured, ...this.#learned])]
  }

  /** Where else to go, as a gateway told. */
  learn(urls: string[]): void {
    this.#learned = [...new Set([...urls.filter((url) => /^wss?:\/\//.test(url)), ...this.#learned])].slice(
      0,
      MAX_LEARNED,
    )
  }

  avoid(url: string, now: number): void {
    this.#avoidUntil.set(url, now + AVOID_MS)
    this.#queue = []
  }

  /** `isRound`: every known gateway was tried since the last time it was true; `isLast`: the next one begins a round. */
  next(now: number): { url: string | undefined; isRound: boolean; isLast: boolean } {
    const isRound = this.#queue.length === 0
    if (isRound) this.#queue = this.#shuffled(now)
    const url = this.#queue.shift()
    return { url, isRound, isLast: this.#queue.length === 0 }
  }

  #shuffled(now: number): string[] {
    const isAvoided = (url: string): number => ((this.#avoidUntil.get(url) ?? 0) > now ? 1 : 0)
    return this.all
      .map((url) => ({ url, rank: isAvoided(url) + this.#random.float() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ url }) => url)
  }
}
