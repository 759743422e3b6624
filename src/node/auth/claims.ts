// Opens what devices signed for the authority: claims, approvals, revocations. Each is checked for its shape, for whose key
// signed it, and that the signer is a certified, unrevoked device. It changes nothing.
import { fromBase64, toHex } from '../../protocol/bytes.ts'
import {
  type ApprovalHeader,
  type Certificate,
  type ClaimHeader,
  openCertificate,
  type RevocationHeader,
} from '../../protocol/certificate.ts'
import { type ClusterMap, isRevoked } from '../../protocol/cluster-map.ts'
import { ChatError } from '../../protocol/errors.ts'
import { limits } from '../../protocol/limits.ts'
import { isUserName } from '../../protocol/names.ts'
import { isDeviceId } from '../../protocol/records.ts'
import { isSealedBy, openHeader } from '../../protocol/sealed.ts'
import { isStrongPublicKey } from '../../protocol/signing.ts'

export interface Claim {
  publicKey: Uint8Array
  /** The key as the tables know it. */
  keyHex: string
  name: string | undefined
  invite: string | undefined
  at: number
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const malformed = (what: string): ChatError => new ChatError('MESSAGE_INVALID', { message: `The ${what} is malformed` })

/** Proof of possession: the claim is sealed by the very key it names. AUTH_KEY_WEAK, AUTH_SIGNATURE, AUTH_NAME_ILLEGAL. */
export const openClaim = (sealed: Uint8Array, cluster: string): Claim => {
  const header: Partial<Record<keyof ClaimHeader, unknown>> = openHeader(sealed)
  if (header.k !== 'claim' || typeof header.key !== 'string' || typeof header.at !== 'number') throw malformed('claim')
  const publicKey = fromBase64(header.key)
  if (!isStrongPublicKey(publicKey)) throw new ChatError('AUTH_KEY_WEAK')
  if (!isSealedBy(sealed, cluster, publicKey)) throw new ChatError('AUTH_SIGNATURE')
  if (header.name !== undefined && !isUserName(header.name)) throw new ChatError('AUTH_NAME_ILLEGAL')
  return { publicKey, keyHex: toHex(publicKey), name: header.name, invite: text(header.invite), at: header.at }
}

/** A certificate whose device may act now: AUTH_EXPIRED, AUTH_REVOKED, AUTH_SIGNATURE. */
export const openActiveCertificate = (sealed: Uint8Array, map: ClusterMap, now: number): Certificate => {
  const certificate = openCertificate(sealed, map.cluster)
  if (certificate.exp < now) throw new ChatError('AUTH_EXPIRED')
  if (isRevoked(map, certificate.user, certificate.dev)) throw new ChatError('AUTH_REVOKED')
  return certificate
}

const openSignedBy = (
  sealed: Uint8Array,
  kind: string,
  signer: Certificate,
  cluster: string,
): Record<string, unknown> => {
  const header = openHeader(sealed)
  if (header.k !== kind) throw malformed(kind)
  if (header.user !== signer.user || header.dev !== signer.dev) throw new ChatError('AUTH_DENIED')
  if (!isSealedBy(sealed, cluster, signer.publicKey)) throw new ChatError('AUTH_SIGNATURE')
  return header
}

/** The signer lets `key` become a device of its user. */
export const openApproval = (
  sealed: Uint8Array,
  signer: Certificate,
  { cluster, now }: { cluster: string; now: number },
): Pick<ApprovalHeader, 'key' | 'user'> => {
  const { key, exp } = openSignedBy(sealed, 'link', signer, cluster)
  if (typeof key !== 'string' || typeof exp !== 'number') throw malformed('approval')
  if (exp + limits.clockSkewMs < now) throw new ChatError('AUTH_EXPIRED')
  return { key, user: signer.user }
}

/** The signer ends the device `target` of its own user. */
export const openRevocation = (
  sealed: Uint8Array,
  signer: Certificate,
  cluster: string,
): Pick<RevocationHeader, 'target' | 'user' | 'at'> => {
  const { target, at } = openSignedBy(sealed, 'revoke', signer, cluster)
  if (!isDeviceId(target) || typeof at !== 'number') throw malformed('revocation')
  return { target, user: signer.user, at }
}
