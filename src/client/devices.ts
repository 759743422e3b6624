// The user's devices and those of others: lists, ends and approves them. Everything here needs a gateway; what it answers is
// verified against the authority's key.
import { fromBase64, toBase64 } from '../protocol/bytes.ts'
import type { ApprovalHeader, Certificate, RevocationHeader } from '../protocol/certificate.ts'
import { type ClusterMap, isRevoked } from '../protocol/cluster-map.ts'
import { linkCodeOf, normalizeCode } from '../protocol/codes.ts'
import { ChatError, hasCode } from '../protocol/errors.ts'
import { isDeviceId } from '../protocol/records.ts'
import { isSealedBy, openHeader } from '../protocol/sealed.ts'
import type { DeviceFingerprint, DeviceReport } from './api.ts'
import type { Certificates, FetchedCertificates } from './certificates.ts'
import type { Identity } from './identity.ts'
import { timestamp } from './message-view.ts'
import type { Online } from './online.ts'
import type { Session } from './session.ts'
import type { Verified } from './verified.ts'

const APPROVAL_MS = 10 * 60_000

export interface DevicesOptions {
  identity: Identity
  certificates: Certificates
  verified: Verified
  now: () => number
  map: () => ClusterMap | undefined
  /** The one that is open now; `online` waits for one. */
  session: () => Session | undefined
  online: Online
}

export class Devices {
  readonly #options: DevicesOptions

  constructor(options: DevicesOptions) {
    this.#options = options
  }

  async list(): Promise<DeviceReport[]> {
    const { identity, certificates, map } = this.#options
    await this.#options.online()
    const found = await certificates.fetch(identity.user)
    const current = map()
    return found
      .map(({ dev, at, exp }) => ({
        device: dev,
        current: dev === identity.device,
        since: timestamp(at),
        expires: timestamp(exp),
        revoked: current !== undefined && isRevoked(current, identity.user, dev),
      }))
      .sort((a, b) => a.since.localeCompare(b.since))
  }

  /** Of each device of a user, and whether it was compared before. */
  async fingerprints(user: string): Promise<DeviceFingerprint[]> {
    await this.#options.online()
    return this.#options.verified.fingerprints(user)
  }

  /** The user compared all devices that this user has now. */
  async accept(user: string): Promise<DeviceFingerprint[]> {
    const found = await this.fingerprints(user)
    await this.#options.verified.accept(
      user,
      found.map(({ fingerprint }) => fingerprint),
    )
    return found.map((device) => ({ ...device, verified: true }))
  }

  async revoke(device: string): Promise<void> {
    const { identity, now } = this.#options
    const session = await this.#options.online()
    const known =
      isDeviceId(device) && (await this.#options.certificates.fetch(identity.user)).some((c) => c.dev === device)
    if (!known) throw new ChatError('DEVICE_UNKNOWN')
    const author = { user: identity.user, dev: identity.device }
    const header: RevocationHeader = { k: 'revoke', ...author, target: device, at: now() }
    try {
      await session.request('device.revoke', { revocation: toBase64(identity.seal(header)) }, 'ok')
    } catch (error) {
      // Whoever ends this very device may hear of it only by being refused.
      if (device !== identity.device || !(await this.#isRevoked())) throw error
    }
  }

  async #isRevoked(): Promise<boolean> {
    try {
      await this.#options.online()
      return false
    } catch (error) {
      return hasCode(error, 'AUTH_REVOKED')
    }
  }

  async approve(code: string): Promise<{ device: string }> {
    const { identity, certificates, now } = this.#options
    const session = await this.#options.online()
    const { claim } = await session.request('link.lookup', { code: normalizeCode(code) }, 'link.claim')
    const key = checkClaim(fromBase64(claim), { code, cluster: identity.cluster })
    const author = { user: identity.user, dev: identity.device }
    const header: ApprovalHeader = { k: 'link', ...author, key: toBase64(key), exp: now() + APPROVAL_MS }
    const approval = toBase64(identity.seal(header))
    const reply = await session.request('link.approve', { code: normalizeCode(code), approval }, 'auth.certified')
    const certificate: Certificate = certificates.add(fromBase64(reply.certificate))
    return { device: certificate.dev }
  }

  async fetchCertificates(user: string): Promise<FetchedCertificates> {
    const session = this.#options.session()
    if (!session) throw new ChatError('NET_UNAVAILABLE')
    const reply = await session.request('certificate.get', { user }, 'certificate.list')
    return { certificates: reply.certificates, isWhole: reply.cached !== true }
  }
}

/** The claim must be signed by the key whose hash is the code that its owner reads out: the authority cannot slip in another. */
const checkClaim = (claim: Uint8Array, { code, cluster }: { code: string; cluster: string }): Uint8Array => {
  const header = openHeader(claim)
  if (header.k !== 'claim' || typeof header.key !== 'string') throw new ChatError('LINK_UNKNOWN')
  const key = fromBase64(header.key)
  if (linkCodeOf(key) !== normalizeCode(code) || !isSealedBy(claim, cluster, key)) {
    throw new ChatError('AUTH_SIGNATURE', { message: 'The device behind that code is not the one that shows it' })
  }
  return key
}
