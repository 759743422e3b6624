// The arithmetic of encrypted attachments, and which attachments of a message count.
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  BLOB_CHUNK_BYTES,
  BLOB_TAG_BYTES,
  chunkCount,
  chunkNonce,
  encryptedSize,
  isBlobId,
  isBlobList,
  largestFile,
  plainSize,
  SEALED_CHUNK_BYTES,
} from '../../src/protocol/blob.ts'
import { type Attachment, attachmentsOf } from '../../src/protocol/content.ts'
import { limits } from '../../src/protocol/limits.ts'

const test = suite('protocol: blobs')
const ID = 'ab'.repeat(32)

test('sizes at the edges of chunks', () => {
  const rows: [plain: number, chunks: number][] = [
    [0, 1],
    [1, 1],
    [BLOB_CHUNK_BYTES, 1],
    [BLOB_CHUNK_BYTES + 1, 2],
    [10 * BLOB_CHUNK_BYTES, 10],
  ]
  for (const [plain, chunks] of rows) {
    assert.is(chunkCount(plain), chunks)
    assert.is(encryptedSize(plain), plain + chunks * BLOB_TAG_BYTES)
  }
})

test('a blob’s size says the file’s, and sizes that no file has are known', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 40 }), (size) => {
      assert.is(plainSize(encryptedSize(size)), size)
    }),
  )
  const possible = new Set(Array.from({ length: 2 * BLOB_CHUNK_BYTES + 2 }, (_, size) => encryptedSize(size)))
  for (let size = 0; size <= 2 * SEALED_CHUNK_BYTES; size += 1) {
    assert.is(plainSize(size) !== undefined, possible.has(size), `${size}`)
  }
  for (const size of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) assert.is(plainSize(size), undefined)
})

test('the largest file that fits, and not one byte more', () => {
  fc.assert(
    fc.property(fc.integer({ min: BLOB_TAG_BYTES, max: 4 * SEALED_CHUNK_BYTES }), (most) => {
      assert.ok(encryptedSize(largestFile(most)) <= most)
      assert.ok(encryptedSize(largestFile(most) + 1) > most)
    }),
  )
  assert.is(largestFile(encryptedSize(limits.defaultMaxFileBytes)), limits.defaultMaxFileBytes)
})

test('no two chunks of a file share a nonce', () => {
  const nonces = [0, 1, 255, 256, 2 ** 32 - 1].flatMap((index) =>
    [false, true].map((isLast) => chunkNonce(index, isLast).toString('hex')),
  )
  assert.is(new Set(nonces).size, nonces.length)
  assert.is(chunkNonce(0x01020304, true).toString('hex'), '010000000000000001020304')
})

test('an id is a hash and no path', () => {
  assert.ok(isBlobId(ID))
  for (const id of ['', '../../etc/passwd', ID.toUpperCase(), `${ID}/`, ID.slice(1), `${ID}\n`, 7, null]) {
    assert.not(isBlobId(id))
  }
})

test('the list of a header names each blob once, with a size that it can have', () => {
  assert.ok(isBlobList([]))
  assert.ok(isBlobList([[ID, encryptedSize(0)]]))
  const wrong = [
    undefined,
    {},
    [[ID]],
    [[ID, 15]],
    [[ID, '16']],
    [[ID, 16, 1]],
    [
      [ID, 16],
      [ID, 17],
    ],
    Array.from({ length: limits.maxAttachments + 1 }, (_, i) => [i.toString(16).padStart(64, '0'), 16]),
  ]
  for (const list of wrong) assert.not(isBlobList(list), JSON.stringify(list))
})

const attachment: Attachment = {
  id: ID,
  name: 'a.txt',
  type: 'text/plain',
  size: 5,
  sha256: 'cd'.repeat(32),
  key: `${'A'.repeat(43)}=`,
}
const blobs: [string, number][] = [[ID, encryptedSize(5)]]

test('only attachments that the header announces count, and only well-formed ones', () => {
  assert.equal(attachmentsOf([attachment], blobs), [attachment])
  assert.equal(attachmentsOf([attachment]), [])
  assert.equal(attachmentsOf([attachment], [[ID, encryptedSize(6)]]), [])
  for (const value of [undefined, {}, 'x', [null], [7]]) assert.equal(attachmentsOf(value, blobs), [])
  const wrong: Record<string, unknown>[] = [
    { id: '../x' },
    { name: 7 },
    { name: 'x'.repeat(2_000) },
    { type: null },
    { size: -1 },
    { size: 5.5 },
    { sha256: 'CD'.repeat(32) },
    { key: 'short' },
  ]
  for (const change of wrong)
    assert.equal(attachmentsOf([{ ...attachment, ...change }], blobs), [], JSON.stringify(change))
})

test('previews are small pictures of known types, together within the limit', () => {
  const preview = { type: 'image/webp', data: 'A'.repeat(10_000), width: 100, height: 50 }
  const second = 'ef'.repeat(32)
  const two = [
    { ...attachment, preview },
    { ...attachment, id: second, preview },
  ]
  const shown = attachmentsOf(two, [...blobs, [second, encryptedSize(5)]])
  assert.equal(
    shown.map((each) => each.preview),
    [preview, undefined],
  )
  for (const change of [{ type: 'image/svg+xml' }, { data: '<>' }, { data: '' }, { width: 0 }, { height: 1e9 }]) {
    const [only] = attachmentsOf([{ ...attachment, preview: { ...preview, ...change } }], blobs)
    assert.equal(only, attachment, JSON.stringify(change))
  }
})

test.run()
