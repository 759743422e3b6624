// Certificates in the DHT: a cache beside their homes, for the minutes in which too few homes of a user answer. What homes said is put
// there now and then, one user a second at most; what comes from there is verified like everything else, and may be old.
import { LruMap } from '../../platform/lru-map.ts'
import type { Clock } from '../../platform/ports.ts'
import { sleep } from '../../platform/timing.ts'
import type { Certificate } from '../../protocol/certificate.ts'
import type { CertificateCache } from '../core/ports.ts'

/** A DHT record lasts 48 hours; holders put it again well before. */
const REFRESH_MS = 12 * 3_600_000
/** A put asks every router: slow enough not to be felt. */
const PACE_MS = 1_000
const MAX_WAITING = 1_000
const MAX_USERS = 20_000

export class CertificateSharing {
  readonly #cache: CertificateCache
  readonly #clock: Clock
  readonly #waiting = new Map<string, Uint8Array[]>()
  readonly #shared = new LruMap<string, { count: number; until: number }>({ max: MAX_USERS })
  #isPutting = false

  constructor(cache: CertificateCache, clock: Clock) {
    this.#cache = cache
    this.#clock = clock
  }

  /** Puts them into the DHT soon, unless that was done lately; dropped when too many wait. */
  share(user: string, certificates: readonly Certificate[]): void {
    const last = this.#shared.get(user)
    const isFresh = last?.count === certificates.length && last.until > this.#clock.monotonic()
    if (isFresh || certificates.length === 0 || this.#waiting.size >= MAX_WAITING) return
    this.#shared.set(user, { count: certificates.length, until: this.#clock.monotonic() + REFRESH_MS })
    this.#waiting.set(
      user,
      certificates.map(({ sealed }) => sealed),
    )
    if (!this.#isPutting) void this.#putAll()
  }

  /** What the DHT has of a user, unverified. */
  find(user: string): Promise<Uint8Array[]> {
    return this.#cache.getCertificates(user)
  }

  async #putAll(): Promise<void> {
    this.#isPutting = true
    for (const [user, certificates] of this.#waiting) {
      this.#waiting.delete(user)
      await this.#cache.putCertificates(user, certificates).catch(() => {}) // a cache: the next reader puts them again
      await sleep(this.#clock, PACE_MS)
    }
    this.#isPutting = false
  }
}
