// Who exists, and with which devices: certificates read from R homes, united, verified, and remembered for a moment.
// That a user exists is remembered for good: names are never given back.
import { LruMap } from '../../platform/lru-map.ts'
import { mutant } from '../../platform/mutants.ts'
import { type Certificate, openCertificate } from '../../protocol/certificate.ts'
import { asChatError, ChatError } from '../../protocol/errors.ts'
import { certificateMailbox } from '../../protocol/names.ts'
import { storeCertificates, type StoredRecord } from '../../protocol/rpc.ts'
import type { HomeCalls, HomePorts } from './home-calls.ts'
import type { CertificateSharing } from './certificate-sharing.ts'
import { homesOf } from './placement.ts'
import { quorumRead } from './quorum-read.ts'

/** Short, since a device may be added any moment; long enough that a crowd asking at once is one read. */
const CACHE_MS = 1_000
const MAX_USERS = 100_000
const MAX_CACHED = 10_000

interface Cached {
  until: number
  certificates: Promise<Certificate[]>
}

export class CertificateReader {
  readonly #ports: HomePorts
  readonly #homes: HomeCalls
  readonly #sharing: CertificateSharing | undefined
  readonly #existing = new LruMap<string, true>({ max: MAX_USERS })
  readonly #cachedOnes = new WeakSet<readonly Certificate[]>()
  readonly #cache = new LruMap<string, Cached>({ max: MAX_CACHED })

  /** `sharing`: the DHT beside the homes; without it only homes are asked. */
  constructor(ports: HomePorts, homes: HomeCalls, sharing?: CertificateSharing) {
    this.#ports = ports
    this.#homes = homes
    this.#sharing = sharing
  }

  /** True at once for a user already seen; undefined when the homes must be asked. */
  isKnown(user: string): true | undefined {
    return this.#existing.get(user)
  }

  /** QUORUM_UNAVAILABLE with fewer than R readable homes. Empty: there is no such user. */
  read(user: string): Promise<Certificate[]> {
    const now = this.#ports.clock.monotonic()
    const cached = this.#cache.get(user)
    if (cached && cached.until > now) return cached.certificates
    const certificates = this.#readAnywhere(user)
    this.#cache.set(user, { until: now + CACHE_MS, certificates })
    certificates.then(
      (found) => (found.length > 0 ? this.#existing.set(user, true) : this.forget(user)),
      () => this.forget(user),
    )
    return certificates
  }

  /** True of what `read` had from the DHT: devices may be missing. */
  isCached(certificates: readonly Certificate[]): boolean {
    return this.#cachedOnes.has(certificates)
  }

  /** After a certificate of the user was made: the next read asks the homes. */
  forget(user: string): void {
    this.#cache.delete(user)
  }

  /** From the homes; where too few answer, from the DHT if it knows the user. */
  async #readAnywhere(user: string): Promise<Certificate[]> {
    try {
      const certificates = await this.#readHomes(user)
      this.#sharing?.share(user, certificates)
      return certificates
    } catch (error) {
      const found = this.#verified(user, (await this.#sharing?.find(user)) ?? [])
      if (found.length === 0) throw error
      this.#cachedOnes.add(found)
      return found
    }
  }

  async #readHomes(user: string): Promise<Certificate[]> {
    const { map } = this.#ports.view.current()
    const { current } = homesOf(map, certificateMailbox(user))
    const answers = await quorumRead({
      peers: current.peers.filter((peer) => this.#ports.transport.isConnected(peer)),
      needed: current.r,
      ask: (peer) => this.#askHome(peer, user),
    })
    return this.#verified(
      user,
      answers.flat().map(({ sealed }) => sealed),
    )
  }

  /** Each certificate of the user once. */
  #verified(user: string, sealedOnes: readonly Uint8Array[]): Certificate[] {
    const found = new Map<string, Certificate>()
    for (const sealed of sealedOnes) {
      const certificate = this.#open(sealed)
      if (certificate?.user === user) found.set(certificate.id, certificate)
    }
    return [...found.values()]
  }

  async #askHome(peer: string, user: string): Promise<StoredRecord[]> {
    try {
      return (await this.#homes.ask(peer, storeCertificates, { user })).records
    } catch (error) {
      if (mutant('syncing-home-counted') && error instanceof ChatError && error.code === 'STORE_SYNCING') return []
      throw error
    }
  }

  #open(sealed: Uint8Array): Certificate | undefined {
    try {
      return openCertificate(sealed, this.#ports.view.current().map.cluster)
    } catch (error) {
      this.#ports.log.warn({ error: asChatError(error).message }, 'a home holds a certificate that does not verify')
      return undefined
    }
  }
}
