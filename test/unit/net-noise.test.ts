// The encryption between peers is the library's own, whatever the size: each opens what the other sealed, and neither what was changed.
import { randomBytes } from 'node:crypto'
import { type ICryptoInterface } from '@libp2p/noise'
import { defaultCrypto } from '@libp2p/noise/crypto'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { noiseCrypto } from '../../src/node/net/peer-noise.ts'

const test = suite('noise')
const key = Uint8Array.from(randomBytes(32))
const nothing = new Uint8Array(0)

const seal = (crypto: ICryptoInterface, plain: Uint8Array, nonce: Uint8Array): Uint8Array =>
  Uint8Array.from(crypto.chaCha20Poly1305Encrypt(plain, nonce, nothing, key).subarray())
const open = (crypto: ICryptoInterface, sealed: Uint8Array, nonce: Uint8Array): Buffer =>
  Buffer.from(crypto.chaCha20Poly1305Decrypt(sealed, nonce, nothing, key).subarray())

for (const bytes of [0, 583, 584, 599, 600, 1_300, 65_519]) {
  test(`${bytes} bytes are sealed and opened as by the library`, () => {
    const plain = Uint8Array.from(randomBytes(bytes))
    const nonce = Uint8Array.from(randomBytes(12))
    assert.ok(open(defaultCrypto, seal(noiseCrypto, plain, nonce), nonce).equals(plain))
    assert.ok(open(noiseCrypto, seal(defaultCrypto, plain, nonce), nonce).equals(plain))
    const changed = seal(noiseCrypto, plain, nonce)
    changed[0] = (changed[0] ?? 0) ^ 1
    assert.throws(() => open(noiseCrypto, changed, nonce))
  })
}

test.run()
