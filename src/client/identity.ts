// Who this client is: the device's key and its certificate. The key never leaves this object; it only signs.
import { makeCapability, openCertificate, type Certificate } from '../protocol/certificate.ts'
import { limits } from '../protocol/limits.ts'
import { seal, type SealedHeader } from '../protocol/sealed.ts'
import { fastSigner } from '../protocol/signing.ts'

export class Identity {
  readonly user: string
  readonly device: string
  readonly cluster: string
  readonly #sign: (message: Uint8Array) => Uint8Array
  #certificate: Certificate

  /** `sealed` is the device's certificate; AUTH_SIGNATURE when it is not of this cluster. */
  constructor({ cluster, secretKey, sealed }: { cluster: string; secretKey: Uint8Array; sealed: Uint8Array }) {
    this.#certificate = openCertificate(sealed, cluster)
    this.#sign = fastSigner(secretKey)
    this.user = this.#certificate.user
    this.device = this.#certificate.dev
    this.cluster = cluster
  }

  get certificate(): Certificate {
    return this.#certificate
  }

  /** Takes a renewed certificate of the same device; false for any other. */
  renew(sealed: Uint8Array): boolean {
    const renewed = openCertificate(sealed, this.cluster)
    if (renewed.user !== this.user || renewed.dev !== this.device) return false
    this.#certificate = renewed
    return true
  }

  sign(message: Uint8Array): Uint8Array {
    return this.#sign(message)
  }

  seal<Header extends SealedHeader>(header: Header, body?: Uint8Array): Buffer {
    return seal({ cluster: this.cluster, header, sign: this.#sign, ...(body ? { body } : {}) })
  }

  /** `now`: the gateway's clock as well as it is known. */
  capability(gateway: string, now: number): Buffer {
    return makeCapability({
      cluster: this.cluster,
      certificate: this.#certificate,
      gateway,
      expiresAt: now + limits.capabilityMs,
      sign: this.#sign,
    })
  }
}
