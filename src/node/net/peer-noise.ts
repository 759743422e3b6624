// Noise whose keys are prepared once: the library hands node:crypto the bytes of the key for each message, which costs more than
// encrypting 8 KiB. On the wire nothing differs.
import { createSecretKey } from 'node:crypto'
import { type ICryptoInterface, noise } from '@libp2p/noise'
import { defaultCrypto, nodeCrypto } from '@libp2p/noise/crypto'
import { leftInBuffers } from '../../platform/bulk-memory.ts'
import { openWithoutCopy, SMALL_BYTES, writeTogether } from './peer-connection.ts'

/** Batches of what people write seldom are as long. */
const BULK_BYTES = 32 * 1024
/** What came is read, opened, and joined to a frame. */
const OPENED_COPIES = 3

const prepared = new WeakMap<Uint8Array, Uint8Array>()
/** By the array that holds the key: each direction of a connection keeps its own, unchanged. */
const preparedKey = (key: Uint8Array): Uint8Array => {
  const known = prepared.get(key)
  if (known) return known
  // Not what it is declared to be: nodeCrypto hands it on to node:crypto, which takes both.
  const made = createSecretKey(key) as unknown as Uint8Array
  prepared.set(key, made)
  return made
}

export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,
  chaCha20Poly1305Encrypt: (plain, nonce, ad, key) => {
    if (plain.byteLength < SMALL_BYTES) return defaultCrypto.chaCha20Poly1305Encrypt(plain, nonce, ad, key)
    if (plain.byteLength > BULK_BYTES) leftInBuffers(plain.byteLength)
    return nodeCrypto.chaCha20Poly1305Encrypt(plain, nonce, ad, preparedKey(key))
  },
  chaCha20Poly1305Decrypt: (sealed, nonce, ad, key, target) => {
    if (sealed.byteLength < SMALL_BYTES) return defaultCrypto.chaCha20Poly1305Decrypt(sealed, nonce, ad, key, target)
    if (sealed.byteLength > BULK_BYTES) leftInBuffers(OPENED_COPIES * sealed.byteLength)
    return nodeCrypto.chaCha20Poly1305Decrypt(sealed, nonce, ad, preparedKey(key), target)
  },
}

export const peerNoise = (): ReturnType<typeof noise> => (components) => {
  const encrypter = noise({ crypto: noiseCrypto })(components)
  const inbound = encrypter.secureInbound.bind(encrypter)
  const outbound = encrypter.secureOutbound.bind(encrypter)
  encrypter.secureInbound = async (stream, options) => openWithoutCopy(await inbound(writeTogether(stream), options))
  encrypter.secureOutbound = async (stream, options) => openWithoutCopy(await outbound(writeTogether(stream), options))
  return encrypter
}
