// The node's Ed25519 key: one seed gives its libp2p identity, its peer id in the map and its signatures towards clients.
import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { concat } from '../../protocol/bytes.ts'
import { fastSigner, keyPairFromSeed } from '../../protocol/signing.ts'
import type { NodeIdentity } from '../core/ports.ts'

const peerOf = (publicKey: Uint8Array): string => peerIdFromPublicKey(publicKeyFromRaw(publicKey)).toString()

/** From the 32-byte seed that the node keeps in its data directory. */
export const nodeIdentity = (seed: Uint8Array): NodeIdentity => {
  const { publicKey } = keyPairFromSeed(seed)
  return { peer: peerOf(publicKey), publicKey, sign: fastSigner(seed) }
}

/** The same key in the form libp2p takes. */
export const libp2pKey = (seed: Uint8Array): PrivateKey =>
  privateKeyFromRaw(concat(seed, keyPairFromSeed(seed).publicKey))
