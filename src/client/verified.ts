// Whose devices the user has compared, and which have come since: local to this device, for trust is not taken over from another.
import { fromUtf8, toHex, toUtf8 } from '../protocol/bytes.ts'
import { ChatError } from '../protocol/errors.ts'
import { sha256 } from '../protocol/signing.ts'
import type { DeviceFingerprint, UnverifiedUser } from './api.ts'
import type { Certificates } from './certificates.ts'
import { keys, ranges, textOfKey } from './keys.ts'
import type { LocalStore } from './local-store.ts'

/** Eight groups of four hexadecimal digits: to be compared by voice or in person. */
const fingerprintOf = (publicKey: Uint8Array): string =>
  (toHex(sha256(publicKey).subarray(0, 16)).match(/.{4}/g) ?? []).join(' ')

export class Verified {
  readonly #store: LocalStore
  readonly #certificates: Certificates

  constructor({ store, certificates }: { store: LocalStore; certificates: Certificates }) {
    this.#store = store
    this.#certificates = certificates
  }

  /** Asks the cluster. USER_UNKNOWN, NET_UNAVAILABLE. */
  async fingerprints(user: string): Promise<DeviceFingerprint[]> {
    const found = await this.#certificates.fetch(user)
    if (found.length === 0) throw new ChatError('USER_UNKNOWN')
    const compared = this.#compared(user)
    return found.map(({ dev, publicKey }) => {
      const fingerprint = fingerprintOf(publicKey)
      return { device: dev, fingerprint, verified: compared.has(fingerprint) }
    })
  }

  /** The user has compared these. */
  async accept(user: string, fingerprints: string[]): Promise<void> {
    const all = new Set([...this.#compared(user), ...fingerprints])
    this.#store.put(keys.verified(user), toUtf8(JSON.stringify([...all])))
    await this.#store.commit({ sync: true })
  }

  /** Users once compared who have devices that were not, as far as this device has heard. */
  async unverified(): Promise<UnverifiedUser[]> {
    const rows = await this.#store.range(ranges.verified())
    const found = await Promise.all(
      rows.map(async ([key]) => {
        const user = textOfKey(key)
        const compared = this.#compared(user)
        const known = await this.#certificates.known(user)
        const devices = known.filter(({ publicKey }) => !compared.has(fingerprintOf(publicKey))).map(({ dev }) => dev)
        return { user, devices }
      }),
    )
    return found.filter(({ devices }) => devices.length > 0)
  }

  #compared(user: string): Set<string> {
    const saved = this.#store.get(keys.verified(user))
    return new Set(saved ? (JSON.parse(fromUtf8(saved)) as string[]) : []) // written by accept()
  }
}
