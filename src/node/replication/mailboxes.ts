// The quorum client of mailboxes: what gateways and the authority use to write and read on the homes.
// It owns no data; every answer comes from homes under the epoch of the newest map this node knows.
import type { Certificate } from '../../protocol/certificate.ts'
import type { StoredRecord, StoreWrite } from '../../protocol/rpc.ts'
import type { CertificateCache } from '../core/ports.ts'
import { CertificateReader } from './certificate-reader.ts'
import { CertificateSharing } from './certificate-sharing.ts'
import { Confirmer, type Origin } from './confirmer.ts'
import { HomeCalls, type HomePorts } from './home-calls.ts'
import { type AppendOptions, QuorumWriter } from './quorum-writer.ts'

export class Mailboxes {
  /** For those who read a home directly: feeds. */
  readonly homes: HomeCalls
  readonly #writer: QuorumWriter
  readonly #certificates: CertificateReader
  readonly #confirmer: Confirmer

  /** `certificateCache`: the DHT, asked for certificates where too few homes answer. */
  constructor(ports: HomePorts, certificateCache?: CertificateCache) {
    this.homes = new HomeCalls(ports)
    this.#writer = new QuorumWriter(ports, this.homes)
    const sharing = certificateCache && new CertificateSharing(certificateCache, ports.clock)
    this.#certificates = new CertificateReader(ports, this.homes, sharing)
    this.#confirmer = new Confirmer(ports, this.homes, this.#writer)
  }

  /**
   * Resolves when W homes of each mailbox have the record on disk.
   * QUORUM_UNAVAILABLE, PEER_OVERLOADED, or what is wrong with the record: no home keeps it. OUTCOME_UNKNOWN: it may be there; the same write may be repeated any time.
   */
  append(write: StoreWrite, options: AppendOptions = {}): Promise<void> {
    return this.#writer.append(write, options)
  }

  /** QUORUM_UNAVAILABLE when an append to these mailboxes would be refused at once: to be asked before what cannot be taken back. */
  mustBeAvailable(mailboxes: string[]): void {
    this.#writer.mustBeAvailable(mailboxes)
  }

  /** All certificates of a user from R readable homes, verified. Empty: there is no such user. QUORUM_UNAVAILABLE. */
  certificates(user: string): Promise<Certificate[]> {
    return this.#certificates.read(user)
  }

  /** True of certificates that are the DHT's: too few homes answered, and devices may be missing. */
  isCached(certificates: readonly Certificate[]): boolean {
    return this.#certificates.isCached(certificates)
  }

  /** After a certificate of the user was made: the next question reads the homes again. */
  forgetCertificates(user: string): void {
    this.#certificates.forget(user)
  }

  /** True without asking when the user is known to exist; names are never given back. */
  isKnownUser(user: string): boolean {
    return this.#certificates.isKnown(user) === true
  }

  /** QUORUM_UNAVAILABLE with fewer than R readable homes. */
  async userExists(user: string): Promise<boolean> {
    return this.isKnownUser(user) || (await this.certificates(user)).length > 0
  }

  /** For each record read from a feed: is it on W homes of all its mailboxes now (written back where it lacked)? */
  confirm(records: readonly StoredRecord[], origin: Origin): Promise<boolean[]> {
    return this.#confirmer.confirm(records, origin)
  }

  /** Records that wait for their homes. */
  status(): { queued: number } {
    return { queued: this.#writer.waiting }
  }
}
