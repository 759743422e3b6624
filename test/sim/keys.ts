// Key pairs of everybody in the simulator, by name and the same in every run: making one costs a millisecond,
// and so does the first verification under it.
import { toUtf8 } from '../../src/protocol/bytes.ts'
import { fastSigner, type KeyPair, keyPairFromSeed, sha256 } from '../../src/protocol/signing.ts'

export interface NamedKey extends KeyPair {
  sign: (message: Uint8Array) => Uint8Array
}
const known = new Map<string, NamedKey>()

export const keyOf = (name: string): NamedKey => {
  const made = known.get(name)
  if (made) return made
  const pair = keyPairFromSeed(sha256(toUtf8(`simulator/${name}`)))
  const key = { ...pair, sign: fastSigner(pair.secretKey) }
  known.set(name, key)
  return key
}
