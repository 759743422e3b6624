// Users and their devices at the authority: names are claimed, devices linked, renewed and revoked here, and nowhere else.
// Every request may be repeated; the key of the device says who asks.
import type { Clock } from '../../platform/ports.ts'
import { fromBase64, toHex } from '../../protocol/bytes.ts'
import { type ClusterMap, isRevoked } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { isUserName } from '../../protocol/names.ts'
import { deviceIdOf } from '../../protocol/records.ts'
import { type Claim, openActiveCertificate, openApproval, openClaim, openRevocation } from './claims.ts'
import { linkCodeOf, normalizeCode } from '../../protocol/codes.ts'
import type { Invites } from './invites.ts'
import type { Issuer } from './issuer.ts'
import { KeyedLock } from '../core/keyed-lock.ts'
import { type Rate, TokenBuckets } from '../core/token-bucket.ts'
import type { AuthTables } from './tables.ts'

const LINK_MS = 10 * 60_000
/**
 * Devices that a user links: each may be revoked, and stands in the map then for good, which every node and client carries. Revoking costs
 * nothing: whoever stole a device must not be able to use up what its owner needs to revoke it.
 */
const LINK_RATE: Rate = { perSecond: 1 / 600, burst: 30 }
const MAX_USERS = 10_000
/** Codes that wait for approval; past it the oldest goes, and its device asks again. */
const MAX_LINKS = 1_000

interface PendingLink {
  sealed: Uint8Array
  claim: Claim
  expiresAt: number
}

export interface DevicesPorts {
  tables: AuthTables
  issuer: Issuer
  invites: Invites
  clock: Clock
  map: () => ClusterMap
  /** Enters a revocation into the map; resolves with the epoch that has it. */
  revoke: (revocation: { user: string; dev: string; at: number }) => Promise<number>
  openRegistration: boolean
}

export class Devices {
  readonly #ports: DevicesPorts
  readonly #lock = new KeyedLock()
  readonly #links = new Map<string, PendingLink>()
  /** How many devices each user may still link. */
  readonly #linking = new TokenBuckets(LINK_RATE, { max: MAX_USERS })

  constructor(ports: DevicesPorts) {
    this.#ports = ports
  }

  /** AUTH_NAME_TAKEN, AUTH_NAME_ILLEGAL, AUTH_INVITE, AUTH_KEY_WEAK, AUTH_SIGNATURE, AUTH_REVOKED. */
  async register(sealed: Uint8Array): Promise<Buffer> {
    const claim = openClaim(sealed, this.#ports.map().cluster)
    const { name } = claim
    if (!isUserName(name)) throw new ChatError('AUTH_NAME_ILLEGAL')
    const claimName = (): Promise<Buffer> => this.#lock.run(`name/${name}`, () => this.#claimName(claim, name))
    const { invites, openRegistration } = this.#ports
    const inTurn = openRegistration ? claimName : () => this.#lock.run(invites.lockOf(claim.invite), claimName)
    return this.#lock.run(claim.keyHex, inTurn)
  }

  async #claimName(claim: Claim, name: string): Promise<Buffer> {
    const { tables, issuer, invites, clock, openRegistration } = this.#ports
    const entry = tables.keys.get(claim.keyHex)
    if (entry && entry.user !== name) {
      throw new ChatError('AUTH_DENIED', { message: `This device already belongs to ${entry.user}` })
    }
    if (entry) this.#refuseRevoked(entry.user, entry.dev)
    const known = await issuer.known(claim.keyHex)
    if (known) return known
    if (tables.names.get(name))
      throw new ChatError('AUTH_NAME_TAKEN', { message: `The name ${name} is taken; choose another` })
    const paid = openRegistration ? [] : [invites.spend(claim.invite)]
    const named = tables.names.put(name, { key: claim.keyHex, at: clock.now() })
    return issuer.issue(claim.keyHex, name, [named, ...paid])
  }

  /** A new key asks for a code; once approved, for its certificate. */
  async beginLink(sealed: Uint8Array): Promise<{ code: string; certificate?: Buffer }> {
    const claim = openClaim(sealed, this.#ports.map().cluster)
    const code = linkCodeOf(claim.publicKey)
    const entry = this.#ports.tables.keys.get(claim.keyHex)
    if (entry) this.#refuseRevoked(entry.user, entry.dev)
    const certificate = await this.#ports.issuer.known(claim.keyHex)
    if (certificate) return { code, certificate }
    this.#forgetOldLinks()
    this.#links.delete(code) // so that it becomes the youngest
    this.#links.set(code, { sealed: Uint8Array.from(sealed), claim, expiresAt: this.#ports.clock.now() + LINK_MS })
    return { code }
  }

  lookupLink(code: string): Uint8Array {
    return this.#link(code).sealed
  }

  /** LINK_UNKNOWN, AUTH_DENIED, AUTH_SIGNATURE, AUTH_EXPIRED, AUTH_REVOKED, RATE_LIMITED. */
  approveLink(code: string, sealedApproval: Uint8Array, sealedCertificate: Uint8Array): Promise<Buffer> {
    const { claim } = this.#link(code)
    const { clock, issuer, tables } = this.#ports
    const map = this.#ports.map()
    const signer = openActiveCertificate(sealedCertificate, map, clock.now())
    const approval = openApproval(sealedApproval, signer, { cluster: map.cluster, now: clock.now() })
    if (toHex(fromBase64(approval.key)) !== claim.keyHex) {
      throw new ChatError('AUTH_DENIED', {
        message: 'The approval is for another device than the one that shows this code',
      })
    }
    return this.#lock.run(claim.keyHex, async () => {
      const entry = tables.keys.get(claim.keyHex)
      if (entry && entry.user !== approval.user) {
        throw new ChatError('AUTH_DENIED', { message: `This device already belongs to ${entry.user}` })
      }
      const known = await issuer.known(claim.keyHex)
      if (known) return known
      this.#spend(approval.user)
      return issuer.issue(claim.keyHex, approval.user)
    })
  }

  /** The signer may be the device itself. DEVICE_UNKNOWN, AUTH_DENIED, AUTH_REVOKED. */
  async revoke(sealedRevocation: Uint8Array, sealedCertificate: Uint8Array): Promise<number> {
    const { clock, tables, revoke } = this.#ports
    const map = this.#ports.map()
    const signer = openActiveCertificate(sealedCertificate, map, clock.now())
    const { target, user } = openRevocation(sealedRevocation, signer, map.cluster)
    if (isRevoked(map, user, target)) return map.epoch
    const devices = (await tables.keys.entries()).filter(([, entry]) => entry.user === user && entry.dev === target)
    if (devices.length === 0) throw new ChatError('DEVICE_UNKNOWN')
    return revoke({ user, dev: target, at: clock.now() })
  }

  /** The claim proves that the key is there now: an old one does not renew. The table certifies the key, so an expired device may come back. */
  async renew(sealedClaim: Uint8Array): Promise<Buffer> {
    const { clock, issuer, tables } = this.#ports
    const { cluster } = this.#ports.map()
    const claim = openClaim(sealedClaim, cluster)
    const entry = tables.keys.get(claim.keyHex)
    if (!entry || deviceIdOf(claim.publicKey) !== entry.dev) throw new ChatError('DEVICE_UNKNOWN')
    this.#refuseRevoked(entry.user, entry.dev)
    if (Math.abs(clock.now() - claim.at) > limits.maxAheadMs) throw new ChatError('AUTH_EXPIRED')
    return this.#lock.run(claim.keyHex, () => issuer.renew(claim.keyHex, tables.keys.get(claim.keyHex) ?? entry))
  }

  #link(code: string): PendingLink {
    const link = this.#links.get(normalizeCode(code))
    if (!link || link.expiresAt < this.#ports.clock.now()) throw new ChatError('LINK_UNKNOWN')
    return link
  }

  #forgetOldLinks(): void {
    const now = this.#ports.clock.now()
    for (const [code, link] of this.#links) {
      if (link.expiresAt >= now && this.#links.size < MAX_LINKS) break // oldest first
      this.#links.delete(code)
    }
  }

  /** RATE_LIMITED. */
  #spend(user: string): void {
    if (this.#linking.take(user, 1, this.#ports.clock.monotonic())) return
    throw new ChatError('RATE_LIMITED', { message: 'Too many devices were linked; wait ten minutes' })
  }

  #refuseRevoked(user: string, dev: string): void {
    if (isRevoked(this.#ports.map(), user, dev)) throw new ChatError('AUTH_REVOKED')
  }
}
