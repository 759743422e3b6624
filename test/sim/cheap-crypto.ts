// Ed25519 is half of what a simulated message costs, and a pure function: each signature is verified once a run, and one that was
// just made not at all. Only exact repetitions are remembered, so nothing that is forged ever passes.
import crypto, { type KeyObject } from 'node:crypto'
import { asBuffer } from '../../src/protocol/bytes.ts'

type Verify = (algorithm: null, message: Uint8Array, key: KeyObject, signature: Uint8Array) => boolean
type Sign = (algorithm: null, message: Uint8Array, key: KeyObject) => Buffer

const latin1 = (bytes: Uint8Array): string => asBuffer(bytes).toString('latin1')
const names = new WeakMap<KeyObject, string>()

/** The public key behind a key object of either kind. */
const nameOf = (key: KeyObject): string => {
  const known = names.get(key)
  if (known !== undefined) return known
  const open = key.type === 'private' ? crypto.createPublicKey(key) : key
  const name = open.export({ format: 'der', type: 'spki' }).toString('latin1')
  names.set(key, name)
  return name
}

/** `sign` and `verify` of node:crypto as services use them, remembering. */
export const cheapCrypto = (): { sign: Sign; verify: Verify } => {
  const realSign: Sign = crypto.sign
  const realVerify: Verify = crypto.verify
  const known = new Map<string, boolean>()
  const keyOf = (message: Uint8Array, key: KeyObject, signature: Uint8Array): string =>
    `${latin1(signature)}${nameOf(key)}${latin1(message)}`
  return {
    sign: (algorithm, message, key) => {
      const signature = realSign(algorithm, message, key)
      known.set(keyOf(message, key, signature), true)
      return signature
    },
    verify: (algorithm, message, key, signature) => {
      const question = keyOf(message, key, signature)
      const answer = known.get(question) ?? realVerify(algorithm, message, key, signature)
      known.set(question, answer)
      return answer
    },
  }
}
