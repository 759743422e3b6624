// Issues device certificates: one key, one certificate, again and again the same. A certificate is on W homes of the user's
// mailbox of certificates before anybody gets it. The tables keep it first, so that a crash in between loses no name and
// makes no second certificate: whoever asks again finishes the work.
import { V7Generator } from 'uuidv7'
import type { Clock, DatabaseWrite, RandomSource } from '../../platform/ports.ts'
import { fromBase64, fromHex, toBase64 } from '../../protocol/bytes.ts'
import { type Certificate, makeCertificate, openCertificate } from '../../protocol/certificate.ts'
import { asChatError, ChatError, hasCode } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { certificateMailbox } from '../../protocol/names.ts'
import { deviceIdOf } from '../../protocol/records.ts'
import type { AuthTables, KeyEntry } from './tables.ts'

/** The homes as the authority needs them. */
export interface CertificateHomes {
  append(write: { mailboxes: string[]; sealed: Uint8Array; acceptedAt: number }): Promise<void>
  /** QUORUM_UNAVAILABLE when an append would be refused at once. */
  mustBeAvailable(mailboxes: string[]): void
  certificates(user: string): Promise<Certificate[]>
}

export interface IssuerPorts {
  tables: AuthTables
  homes: CertificateHomes
  clock: Clock
  random: RandomSource
  /** The cluster's id. */
  cluster: string
  /** By the authority's key. */
  sign: (message: Uint8Array) => Uint8Array
}

/** How far back a step of the clock may go before ids are made anew. */
const ID_ROLLBACK_MS = 10_000
const UNFINISHED =
  'The certificate of this device is made, but too few stores confirmed that they have it; repeat the same command when they are back'

export class Issuer {
  readonly #ports: IssuerPorts
  readonly #ids: V7Generator

  constructor(ports: IssuerPorts) {
    this.#ports = ports
    const { random } = ports
    this.#ids = new V7Generator({ nextUint32: () => Math.floor(random.float() * 2 ** 32) })
  }

  /** The certificate a key was given, once W homes have it; undefined for a key that has none. */
  async known(keyHex: string): Promise<Buffer | undefined> {
    const entry = this.#ports.tables.keys.get(keyHex)
    return entry && this.#finish(keyHex, entry)
  }

  /** A certificate for a new key of `user`; `writes` are kept in the same batch. */
  issue(keyHex: string, user: string, writes: DatabaseWrite[] = []): Promise<Buffer> {
    return this.#make(keyHex, { user, dev: deviceIdOf(fromHex(keyHex)) }, writes)
  }

  /** A certificate with a new expiry for a known key. One that is still young is handed out again. */
  renew(keyHex: string, entry: KeyEntry): Promise<Buffer> {
    const { exp } = openCertificate(fromBase64(entry.certificate), this.#ports.cluster)
    const isYoung = exp - this.#ports.clock.now() > limits.certificateMs * 0.9
    return isYoung ? this.#finish(keyHex, entry) : this.#make(keyHex, entry, [])
  }

  async #make(keyHex: string, { user, dev }: { user: string; dev: string }, writes: DatabaseWrite[]): Promise<Buffer> {
    const { tables, homes, clock, cluster, sign } = this.#ports
    // Before a name or an invite is spent on it: while it is known that it cannot be finished, nothing is begun.
    homes.mustBeAvailable([certificateMailbox(user)])
    const at = clock.now()
    const serial = tables.authority().serial + 1
    const id = this.#ids.generateOrResetCore(at, ID_ROLLBACK_MS).toString()
    const key = toBase64(fromHex(keyHex))
    const header = { k: 'cert', id, user, dev, key, serial, at, exp: at + limits.certificateMs } as const
    const certificate = toBase64(makeCertificate(cluster, header, sign))
    const entry: KeyEntry = { user, dev, certificate, stored: false }
    await tables.write(tables.keys.put(keyHex, entry), tables.putAuthority({ serial }), ...writes)
    return this.#finish(keyHex, entry)
  }

  async #finish(keyHex: string, entry: KeyEntry): Promise<Buffer> {
    const { tables, homes, clock } = this.#ports
    const sealed = fromBase64(entry.certificate)
    if (entry.stored) return sealed
    try {
      await homes.append({ mailboxes: [certificateMailbox(entry.user)], sealed, acceptedAt: clock.now() })
    } catch (error) {
      // The name is kept for this key already: a repeat finishes it, so nothing here was refused.
      const cause = asChatError(error)
      if (hasCode(cause, 'QUORUM_UNAVAILABLE', 'OUTCOME_UNKNOWN', 'PEER_OVERLOADED'))
        throw new ChatError('OUTCOME_UNKNOWN', { message: UNFINISHED, cause })
      throw new ChatError(cause.code, { message: cause.message, outcome: 'unknown', cause })
    }
    // Not waited for: if it is lost, the next who asks appends the same record again, which changes nothing.
    tables.write(tables.keys.put(keyHex, { ...entry, stored: true })).catch(() => {})
    return sealed
  }
}
