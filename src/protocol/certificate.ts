// Certificates of devices, signed by the authority and verified offline by everybody; and what devices sign with them:
// capabilities (a gateway may read my mailbox for ten minutes) and approvals (that key is a new device of mine).
import { fromBase64, toBase64, toMapKey } from './bytes.ts'
import { ChatError } from './errors.ts'
import { limits } from './limits.ts'
import { isUserName } from './names.ts'
import { deviceIdOf } from './records.ts'
import { isSealedBy, openHeader, seal } from './sealed.ts'
import { verifierFor } from './signing.ts'

type Sign = (message: Uint8Array) => Uint8Array

export interface CertificateHeader {
  k: 'cert'
  /** UUIDv7; the record's id in the mailbox of certificates. */
  id: string
  user: string
  dev: string
  /** The device's public key, base64. */
  key: string
  serial: number
  at: number
  exp: number
}

export interface Certificate extends CertificateHeader {
  sealed: Uint8Array
  publicKey: Uint8Array
}

/** The cluster's id is the authority's public key in hex. */
export const makeCertificate = (cluster: string, header: CertificateHeader, sign: Sign): Buffer =>
  seal({ cluster, header, sign })

const opened = new Map<string, Certificate>()
const MAX_OPENED = 10_000

/**
 * Verifies a certificate offline. AUTH_SIGNATURE, AUTH_CLUSTER, AUTH_KEY_WEAK; expiry is the caller's question.
 * The same bytes are verified once: a login shows them to gateway, router and stores, which may be one process.
 */
export const openCertificate = (sealed: Uint8Array, cluster: string): Certificate => {
  const key = cluster + toMapKey(sealed)
  const known = opened.get(key)
  if (known) return known
  const certificate = verifyCertificate(sealed, cluster)
  if (opened.size >= MAX_OPENED) opened.delete(opened.keys().next().value ?? '')
  opened.set(key, certificate)
  return certificate
}

const verifyCertificate = (sealed: Uint8Array, cluster: string): Certificate => {
  const h = openHeader(sealed)
  if (
    h.k !== 'cert' ||
    !isUserName(h.user) ||
    typeof h.key !== 'string' ||
    typeof h.exp !== 'number' ||
    typeof h.at !== 'number'
  ) {
    throw new ChatError('AUTH_SIGNATURE', { message: 'The certificate is malformed' })
  }
  if (!isSealedBy(sealed, cluster, Buffer.from(cluster, 'hex'))) {
    throw new ChatError('AUTH_SIGNATURE', { message: 'The certificate was not signed by this cluster’s authority' })
  }
  const publicKey = fromBase64(h.key)
  verifierFor(publicKey) // AUTH_KEY_WEAK
  if (h.dev !== deviceIdOf(publicKey))
    throw new ChatError('AUTH_SIGNATURE', { message: 'The certificate names another device' })
  return { ...(h as unknown as CertificateHeader), sealed: Uint8Array.from(sealed), publicKey } // fields were checked above
}

interface CapabilityHeader {
  k: 'cap'
  user: string
  dev: string
  /** Peer id of the only gateway that may use it. */
  gw: string
  exp: number
  /** The device's certificate, base64 sealed: so that a capability verifies alone. */
  cert: string
}
/** `exp` is the signed one and what clocks may differ by: what everybody compares with a clock of his own. */
export interface Capability extends CapabilityHeader {
  sealed: Uint8Array
  certificate: Certificate
}

export interface CapabilityOptions {
  cluster: string
  certificate: Certificate
  gateway: string
  expiresAt: number
  sign: Sign
}
export const makeCapability = ({ cluster, certificate, gateway, expiresAt, sign }: CapabilityOptions): Buffer => {
  const header: CapabilityHeader = {
    k: 'cap',
    user: certificate.user,
    dev: certificate.dev,
    gw: gateway,
    exp: expiresAt,
    cert: toBase64(certificate.sealed),
  }
  return seal({ cluster, header, sign })
}

/** Verifies capability and certificate. AUTH_EXPIRED when over, AUTH_DENIED when it is for another gateway or longer than 10 minutes (plus 30 of clock skew). */
export const openCapability = (
  sealed: Uint8Array,
  cluster: string,
  expected: { gateway: string; now: number },
): Capability => {
  const h = openHeader(sealed) as unknown as CapabilityHeader // used only after the checks below
  if (h.k !== 'cap' || typeof h.cert !== 'string' || typeof h.exp !== 'number') throw new ChatError('AUTH_SIGNATURE')
  const certificate = openCertificate(fromBase64(h.cert), cluster)
  if (h.user !== certificate.user || h.dev !== certificate.dev || !isSealedBy(sealed, cluster, certificate.publicKey)) {
    throw new ChatError('AUTH_SIGNATURE', { message: 'The capability is not signed by the device it names' })
  }
  if (h.gw !== expected.gateway)
    throw new ChatError('AUTH_DENIED', { message: 'The capability is for another gateway' })
  const exp = h.exp + limits.clockSkewMs
  // A device whose clock is further off learns by how much.
  if (exp < expected.now) throw new ChatError('AUTH_EXPIRED', { details: { now: expected.now } })
  if (h.exp > expected.now + limits.capabilityMs + limits.maxAheadMs) {
    const message = 'The capability is valid for too long; is the clock of that device right?'
    throw new ChatError('AUTH_DENIED', { message, details: { now: expected.now } })
  }
  return { ...h, exp, sealed, certificate }
}

/** Signed by a device of `user`: the key `key` (base64) may become one of its devices. */
export interface ApprovalHeader {
  k: 'link'
  user: string
  dev: string
  key: string
  exp: number
}
/** Signed by a device of `user`: `target` is a device of it no longer. */
export interface RevocationHeader {
  k: 'revoke'
  user: string
  dev: string
  target: string
  at: number
}
/** Signed by the new key itself (base64 `key`): it claims `name`, or asks to be linked (no name). Proves possession. */
export interface ClaimHeader {
  k: 'claim'
  key: string
  name?: string
  invite?: string
  at: number
}
