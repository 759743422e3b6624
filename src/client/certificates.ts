// Certificates of the devices whose messages this client verifies: looked up in memory, then in the database, then asked of the gateway.
// A certificate is signed by the authority and never changes its meaning, so it is kept for ever.
import { fromBase64, toMapKey } from '../protocol/bytes.ts'
import { type Certificate, openCertificate } from '../protocol/certificate.ts'
import { asChatError } from '../protocol/errors.ts'
import type { Logger } from '../platform/ports.ts'
import { keys, ranges } from './keys.ts'
import type { LocalStore } from './local-store.ts'

export interface FetchedCertificates {
  /** Base64. */
  certificates: string[]
  /** False: the newest may be missing. */
  isWhole: boolean
}
export interface CertificatesOptions {
  store: LocalStore
  cluster: string
  log: Logger
  /** Asks the gateway; rejects when that is not possible now. */
  fetch: (user: string) => Promise<FetchedCertificates>
}

export class Certificates {
  readonly #options: CertificatesOptions
  readonly #open = new Map<string, Certificate>()

  constructor(options: CertificatesOptions) {
    this.#options = options
  }

  get(user: string, device: string): Certificate | undefined {
    const key = keys.certificate(user, device)
    const mapKey = toMapKey(key)
    const known = this.#open.get(mapKey)
    if (known) return known
    const sealed = this.#options.store.get(key)
    if (!sealed) return undefined
    const certificate = openCertificate(sealed, this.#options.cluster)
    this.#open.set(mapKey, certificate)
    return certificate
  }

  /** Those of a user that are here. */
  async known(user: string): Promise<Certificate[]> {
    const rows = await this.#options.store.range(ranges.certificatesOf(user))
    return rows.map(([, sealed]) => openCertificate(sealed, this.#options.cluster))
  }

  add(sealed: Uint8Array): Certificate {
    const certificate = openCertificate(sealed, this.#options.cluster)
    const key = keys.certificate(certificate.user, certificate.dev)
    const known = this.get(certificate.user, certificate.dev)
    if (known && known.exp >= certificate.exp) return known
    this.#open.set(toMapKey(key), certificate)
    this.#options.store.put(key, sealed)
    return certificate
  }

  /** All certificates of a user, newest expiry of each device. Rejects when the gateway cannot be asked, or cannot say. */
  async fetch(user: string): Promise<Certificate[]> {
    return (await this.fetchAll(user)).found
  }

  /** The same, and whether a device that is not among them does not exist. */
  async fetchAll(user: string): Promise<{ found: Certificate[]; isWhole: boolean }> {
    const found = new Map<string, Certificate>()
    const { certificates, isWhole } = await this.#options.fetch(user)
    for (const text of certificates) {
      try {
        const certificate = this.add(fromBase64(text))
        if (certificate.user === user) found.set(certificate.dev, certificate)
      } catch (error) {
        this.#options.log.warn({ user, code: asChatError(error).code }, 'a certificate that does not verify')
      }
    }
    return { found: [...found.values()], isWhole }
  }
}
