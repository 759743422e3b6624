// Codes that people read to each other: base32 without look-alike confusion of case, in groups of four.
import { asBuffer } from './bytes.ts'
import { sha256 } from './signing.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const CODE_BYTES = 10

/** Base32 (RFC 4648 section 6) without padding. */
const base32 = (bytes: Uint8Array): string => {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff // at most 4 bits are left over from the byte before
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(value >> bits) & 31]
    }
  }
  return bits > 0 ? text + ALPHABET[(value << (5 - bits)) & 31] : text
}

const inGroups = (text: string): string => (text.match(/.{1,4}/g) ?? []).join('-')

/** 80 bits as `ABCD-EFGH-IJKL-MNOP`. */
export const codeOf = (bytes: Uint8Array): string => inGroups(base32(asBuffer(bytes).subarray(0, CODE_BYTES)))
/** The code of a device's public key: whoever approves it can compute it too. */
export const linkCodeOf = (publicKey: Uint8Array): string => codeOf(sha256(publicKey))
/** As typed by a person: case, spaces and dashes do not matter. */
export const normalizeCode = (typed: string): string => inGroups(typed.toUpperCase().replace(/[^A-Z2-7]/g, ''))
