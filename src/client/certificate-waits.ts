// Records whose author's certificate is not known here yet: one question per user, and all that need it wait for the answer. Refused is
// only what the whole answer, asked for again once it may be newer, does not certify. Owns the waiting only.
import { hasCode } from '../protocol/errors.ts'
import type { Clock } from '../platform/ports.ts'
import type { Certificates } from './certificates.ts'

const RETRY_MS = 1_000
/** A gateway remembers certificates for a second: a device that is not among them is asked for again after it. */
const AGAIN_MS = 1_500

interface Waiting {
  device: string
  /** It is known now; or it will never be. */
  again: () => void
  refuse: () => void
  /** It was not among its user's certificates; the answer may have been older than the device. */
  isAsked?: boolean
}

export class CertificateWaits {
  readonly #clock: Clock
  readonly #certificates: Certificates
  readonly #waiting = new Map<string, Waiting[]>()
  #isStopped = false

  constructor({ clock, certificates }: { clock: Clock; certificates: Certificates }) {
    this.#clock = clock
    this.#certificates = certificates
  }

  add(user: string, waiting: Waiting): void {
    const others = this.#waiting.get(user)
    if (others) return void others.push(waiting)
    this.#waiting.set(user, [waiting])
    void this.#ask(user)
  }

  stop(): void {
    this.#isStopped = true
  }

  async #ask(user: string): Promise<void> {
    let devices = new Set<string>()
    let isWhole = true
    try {
      const fetched = await this.#certificates.fetchAll(user)
      devices = new Set(fetched.found.map((certificate) => certificate.dev))
      isWhole = fetched.isWhole
    } catch (error) {
      if (!hasCode(error, 'USER_UNKNOWN')) return this.#askLater(user, RETRY_MS)
    }
    if (this.#isStopped) return
    const waiting = this.#waiting.get(user) ?? []
    const known = waiting.filter(({ device }) => devices.has(device))
    const unknown = waiting.filter(({ device }) => !devices.has(device))
    const open = unknown.filter(({ isAsked }) => !isAsked || !isWhole)
    this.#waiting.delete(user)
    if (open.length > 0) {
      const asked = open.map((one) => ({ ...one, isAsked: isWhole }))
      this.#waiting.set(user, asked)
      this.#askLater(user, AGAIN_MS)
    }
    for (const { again } of known) again()
    for (const one of unknown) if (!open.includes(one)) one.refuse()
  }

  #askLater(user: string, afterMs: number): void {
    this.#clock.after(afterMs, () => !this.#isStopped && void this.#ask(user))
  }
}
