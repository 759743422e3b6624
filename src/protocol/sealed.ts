// The one signed format of the system: signature (64 bytes), a header as one line of JSON, a newline, then the body's bytes.
// Encoded once by its author and never again: everyone else carries, stores and verifies exactly these bytes.
// The signature covers a domain tag with the kind, the cluster's id, header and body; so nothing is valid elsewhere.
import { asBuffer, concat, toUtf8 } from './bytes.ts'
import { ChatError } from './errors.ts'
import { verifierFor } from './signing.ts'

const SIGNATURE_BYTES = 64
const NEWLINE = 0x0a
const empty = new Uint8Array(0)

/** Every header says its kind; the rest is declared by the file that owns the kind. */
export interface SealedHeader {
  k: string
}

const signedBytes = (kind: string, cluster: string, payload: Uint8Array): Buffer =>
  concat(toUtf8(`chatd/1/${kind}/${cluster}\n`), payload)

export interface SealOptions {
  /** The cluster's id in hex: it is part of what is signed. */
  cluster: string
  header: SealedHeader
  body?: Uint8Array
  sign: (message: Uint8Array) => Uint8Array
}

export const seal = ({ cluster, header, body = empty, sign }: SealOptions): Buffer => {
  const payload = concat(toUtf8(`${JSON.stringify(header)}\n`), body)
  return concat(sign(signedBytes(header.k, cluster, payload)), payload)
}

/** A header that nobody signed, in the same form: what is left of a record whose body is gone. */
export const unsealed = (header: SealedHeader): Buffer =>
  concat(Buffer.alloc(SIGNATURE_BYTES), toUtf8(`${JSON.stringify(header)}\n`))

/** The header's object as its author wrote it, unverified; MESSAGE_INVALID when there is none. */
export const openHeader = (sealed: Uint8Array): Record<string, unknown> & SealedHeader => {
  const bytes = asBuffer(sealed)
  const end = bytes.indexOf(NEWLINE, SIGNATURE_BYTES)
  if (end < 0) throw new ChatError('MESSAGE_INVALID', { message: 'The record has no header line' })
  let header: unknown
  try {
    header = JSON.parse(bytes.toString('utf8', SIGNATURE_BYTES, end))
  } catch (cause) {
    throw new ChatError('MESSAGE_INVALID', { message: 'The header of the record is not JSON', cause })
  }
  if (typeof header !== 'object' || header === null || !('k' in header) || typeof header.k !== 'string') {
    throw new ChatError('MESSAGE_INVALID', { message: 'The header of the record does not say its kind' })
  }
  return header as Record<string, unknown> & SealedHeader // checked just above
}

export const openBody = (sealed: Uint8Array): Buffer => {
  const bytes = asBuffer(sealed)
  return bytes.subarray(bytes.indexOf(NEWLINE, SIGNATURE_BYTES) + 1)
}

/** True if `publicKey` signed exactly these bytes as this kind for this cluster. About 0.1 ms. */
export const isSealedBy = (sealed: Uint8Array, cluster: string, publicKey: Uint8Array): boolean => {
  const { message, signature } = signedParts(sealed, cluster)
  return verifierFor(publicKey).verify(message, signature)
}

/** The same on a thread beside this one, for those who check many. Rejects like isSealedBy throws. */
export const isSealedByAside = async (sealed: Uint8Array, cluster: string, publicKey: Uint8Array): Promise<boolean> => {
  const { message, signature } = signedParts(sealed, cluster)
  return verifierFor(publicKey).verifyAside(message, signature)
}

const signedParts = (sealed: Uint8Array, cluster: string): { message: Buffer; signature: Buffer } => {
  const { k } = openHeader(sealed)
  const bytes = asBuffer(sealed)
  const message = signedBytes(k, cluster, bytes.subarray(SIGNATURE_BYTES))
  return { message, signature: bytes.subarray(0, SIGNATURE_BYTES) }
}
