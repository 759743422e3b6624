// The peer id of an Ed25519 key as libp2p writes it: base58btc of the identity multihash of the protobuf-encoded public key.
// Here, so that the authority and clients can check that an id belongs to a key without loading libp2p.
// Source: libp2p specs, peer-ids/peer-ids.md.
import { concat, fromHex } from './bytes.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** identity multihash, 36 bytes long; protobuf: key type 1 (Ed25519), data of 32 bytes. */
const PREFIX = fromHex('002408011220')

const base58 = (bytes: Uint8Array): string => {
  const digits: number[] = []
  for (const byte of bytes) {
    let carry = byte
    for (let i = 0; i < digits.length || carry > 0; i++) {
      carry += (digits[i] ?? 0) << 8
      digits[i] = carry % 58
      carry = Math.floor(carry / 58)
    }
  }
  const leadingZeros = bytes.findIndex((byte) => byte !== 0)
  return (
    '1'.repeat(Math.max(0, leadingZeros)) +
    digits
      .reverse()
      .map((digit) => ALPHABET[digit])
      .join('')
  )
}

export const peerIdOf = (publicKey: Uint8Array): string => base58(concat(PREFIX, publicKey))
