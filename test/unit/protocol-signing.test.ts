// Signatures: node:crypto (in this turn and on another thread) and @noble/ed25519 accept and refuse the same, by RFC 8032 strict.
import * as ed from '@noble/ed25519'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { systemRandom } from '../../src/platform/system.ts'
import { fromHex } from '../../src/protocol/bytes.ts'
import { isSealedBy, isSealedByAside, seal } from '../../src/protocol/sealed.ts'
import { fastSigner, isStrongPublicKey, keyPairFromSeed, sign, verifierFor } from '../../src/protocol/signing.ts'

const signing = suite('signing')

const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

interface Vector {
  publicKey: Uint8Array
  message: Uint8Array
  signature: Uint8Array
}
/** What each of the three says; they must say the same. */
const verdictOf = async ({ publicKey, message, signature }: Vector): Promise<boolean> => {
  const verifier = verifierFor(publicKey)
  const strict = signature.length === 64 && ed.verify(signature, message, publicKey, { zip215: false })
  const verdicts = [verifier.verify(message, signature), await verifier.verifyAside(message, signature), strict]
  assert.equal(
    verdicts,
    verdicts.map(() => strict),
  )
  return strict
}

const honest = (length: number): Vector => {
  const { secretKey, publicKey } = keyPairFromSeed(systemRandom.bytes(32))
  const message = systemRandom.bytes(length)
  return { publicKey, message, signature: sign(message, secretKey) }
}
const withFlippedBit = (bytes: Uint8Array, bit: number): Uint8Array => {
  const changed = Uint8Array.from(bytes)
  const at = Math.floor(bit / 8) % changed.length
  changed[at] = (changed[at] ?? 0) ^ (1 << (bit % 8))
  return changed
}
/** The same point, and S + n times the group's order: valid to whoever does not look. */
const withHigherS = (signature: Uint8Array, n: bigint): Uint8Array | undefined => {
  const s = BigInt(`0x${Buffer.from(signature.slice(32)).reverse().toString('hex')}`) + n * GROUP_ORDER
  if (s >= 2n ** 256n) return undefined
  const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse()
  return Buffer.concat([signature.subarray(0, 32), bytes])
}

signing('both ways of signing give the same bytes, and they verify', async () => {
  for (let i = 0; i < 20; i += 1) {
    const { secretKey, publicKey } = keyPairFromSeed(systemRandom.bytes(32))
    const message = systemRandom.bytes(i * 7)
    const signature = sign(message, secretKey)
    assert.ok(Buffer.from(signature).equals(fastSigner(secretKey)(message)))
    assert.ok(await verdictOf({ publicKey, message, signature }))
  }
})

signing('one bit elsewhere, in the signature or in what it signs, is refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(511), fc.integer({ min: 1, max: 90 }), async (bit, length) => {
      const vector = honest(length)
      assert.not(await verdictOf({ ...vector, signature: withFlippedBit(vector.signature, bit) }))
      assert.not(await verdictOf({ ...vector, message: withFlippedBit(vector.message, bit) }))
    }),
    { numRuns: 15 },
  )
})

signing('an S above the order of the group, another length and a point that is none are refused', async () => {
  const vector = honest(40)
  for (let n = 1n; n <= 15n; n++) {
    const signature = withHigherS(vector.signature, n)
    if (signature) assert.not(await verdictOf({ ...vector, signature }), String(n))
  }
  for (const length of [0, 63, 65]) {
    const signature = new Uint8Array(length)
    assert.not(await verdictOf({ ...vector, signature }))
  }
  for (const point of ['ee'.padEnd(62, 'f') + '7f', 'ff'.repeat(32), '02'.padEnd(64, '0')]) {
    assert.not(await verdictOf({ ...vector, signature: Buffer.concat([fromHex(point), vector.signature.slice(32)]) }))
  }
})

signing('a key that is not canonical or of small order is no key', () => {
  for (const key of ['01'.padEnd(64, '0'), '00'.repeat(32), 'ec'.padEnd(62, 'f') + '7f', 'ee'.padEnd(62, 'f') + '7f']) {
    assert.not(isStrongPublicKey(fromHex(key)), key)
  }
})

signing('a seal checked aside says what it says at once, and who has no key at all proves nothing', async () => {
  const cluster = 'c'.repeat(64)
  const { secretKey, publicKey } = keyPairFromSeed(systemRandom.bytes(32))
  const sealed = seal({ cluster, header: { k: 'msg' }, sign: fastSigner(secretKey) })
  const other = keyPairFromSeed(systemRandom.bytes(32)).publicKey
  for (const [where, key, expected] of [
    [cluster, publicKey, true],
    ['d'.repeat(64), publicKey, false],
    [cluster, other, false],
  ] as const) {
    assert.is(isSealedBy(sealed, where, key), expected)
    assert.is(await isSealedByAside(sealed, where, key), expected)
  }
  const refusal = await isSealedByAside(sealed, cluster, fromHex('00'.repeat(32))).catch((error: unknown) => error)
  assert.instance(refusal, Error)
})

signing.run()
