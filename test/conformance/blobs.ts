// What every BlobStore must do, whatever it stands on: run by factory on files and in memory.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { BlobStore, UnfinishedBlob } from '../../src/platform/ports.ts'
import { toHex } from '../../src/protocol/bytes.ts'
import { ChatError } from '../../src/protocol/errors.ts'
import { sha256 } from '../../src/protocol/signing.ts'

export interface BlobFactory {
  blobs: BlobStore
  /** The machine dies and starts again: what was not synced is gone. */
  crash: () => BlobStore | Promise<BlobStore>
  /** Flips a bit of a whole blob behind the store's back. */
  damage: (id: string, at: number) => void
  end?: () => void
}

const CHUNK = 64 * 1024
let made = 0
/** Bytes that are never the same. */
export const bytesOf = (length: number): Buffer => {
  const bytes = Buffer.alloc(length, (made += 1))
  for (let at = 0; at < length; at += 1_000) bytes.writeUInt8((at / 1_000 + made) & 255, at)
  return bytes
}
export const idOf = (bytes: Uint8Array): string => toHex(sha256(bytes))

export const put = async (blobs: BlobStore, bytes: Uint8Array): Promise<string> => {
  const blob = await blobs.begin(idOf(bytes), bytes.length)
  await blob.append(bytes)
  await blob.finish()
  return idOf(bytes)
}

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'nothing thrown'
  } catch (error) {
    return error instanceof ChatError ? error.code : String(error)
  }
}
const appendAll = async (blob: UnfinishedBlob, bytes: Uint8Array, piece: number): Promise<void> => {
  for (let at = blob.written; at < bytes.length; at += piece) await blob.append(bytes.subarray(at, at + piece))
}

export const blobConformance = (name: string, make: () => BlobFactory): void => {
  const test = suite<BlobFactory>(name)
  test.before.each((context) => void Object.assign(context, make()))
  test.after.each(({ end }) => end?.())

  for (const length of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5]) {
    test(`${length} bytes in pieces come back as they were, in any range`, async ({ blobs }) => {
      const bytes = bytesOf(length)
      const blob = await blobs.begin(idOf(bytes), length)
      assert.is(await blobs.size(idOf(bytes)), undefined)
      await appendAll(blob, bytes, 30_001)
      await blob.finish()
      assert.is(await blobs.size(idOf(bytes)), length)
      assert.equal(await blobs.list(), [idOf(bytes)])
      for (const [offset, count] of [
        [0, length],
        [0, length + 100],
        [length, 10],
        [Math.floor(length / 2), CHUNK + 10],
        [CHUNK, 1],
      ] as const) {
        const read = await blobs.read(idOf(bytes), offset, count)
        assert.ok(read && Buffer.from(read).equals(bytes.subarray(offset, offset + count)), `${offset}+${count}`)
      }
    })
  }

  test('what is not there is undefined, what is removed too', async ({ blobs }) => {
    const id = idOf(bytesOf(10))
    assert.is(await blobs.size(id), undefined)
    assert.is(await blobs.read(id, 0, 10), undefined)
    await blobs.remove(id)
    const kept = await put(blobs, bytesOf(20))
    await blobs.remove(kept)
    assert.is(await blobs.read(kept, 0, 10), undefined)
    assert.equal(await blobs.list(), [])
  })

  test('an id that is none is refused before anything is touched', async ({ blobs }) => {
    const hash = idOf(bytesOf(10))
    const ids = [
      '',
      '..',
      '../../etc/passwd',
      `../${hash}`,
      hash.toUpperCase(),
      `${hash}/x`,
      `${hash}\0`,
      hash.slice(1),
    ]
    for (const id of ids) {
      assert.is(await codeOf(blobs.begin(id, 10)), 'RPC_INVALID', id)
      assert.is(await codeOf(blobs.size(id)), 'RPC_INVALID', id)
      assert.is(await codeOf(blobs.read(id, 0, 1)), 'RPC_INVALID', id)
      assert.is(await codeOf(blobs.remove(id)), 'RPC_INVALID', id)
    }
  })

  test('too few bytes are not whole, too many are refused, others than those of the id are thrown away', async ({
    blobs,
  }) => {
    const bytes = bytesOf(CHUNK + 10)
    const short = await blobs.begin(idOf(bytes), bytes.length)
    await short.append(bytes.subarray(0, CHUNK))
    assert.is(await codeOf(short.finish()), 'BLOB_INCOMPLETE')
    assert.is(await codeOf(short.append(bytes)), 'RPC_INVALID')
    await short.append(bytes.subarray(CHUNK))
    await short.finish()
    const wrong = await blobs.begin(idOf(bytesOf(10)), 10)
    await wrong.append(bytesOf(10))
    assert.is(await codeOf(wrong.finish()), 'BLOB_HASH')
    assert.equal(await blobs.list(), [idOf(bytes)])
    assert.equal(await blobs.unfinished(), [])
  })

  test('after a crash it goes on from what was synced', async ({ blobs, crash }) => {
    const bytes = bytesOf(5 * CHUNK + 100)
    const before = await blobs.begin(idOf(bytes), bytes.length)
    await before.append(bytes.subarray(0, 2 * CHUNK + 50))
    await before.sync()
    assert.is(before.durable, 2 * CHUNK)
    await before.append(bytes.subarray(2 * CHUNK + 50, 4 * CHUNK))
    const after = await crash()
    assert.equal(await after.unfinished(), [{ id: idOf(bytes), size: bytes.length }])
    const blob = await after.begin(idOf(bytes), bytes.length)
    assert.equal(await after.unfinished(), [])
    assert.is(blob.written, blob.durable)
    assert.ok(blob.durable >= 2 * CHUNK && blob.durable < bytes.length, String(blob.durable))
    await appendAll(blob, bytes, CHUNK)
    await blob.finish()
    assert.ok(Buffer.from((await after.read(idOf(bytes), 0, bytes.length)) ?? []).equals(bytes))
  })

  test('one that was closed goes on where it was durable; announced with another size it begins anew', async ({
    blobs,
  }) => {
    const bytes = bytesOf(3 * CHUNK)
    const first = await blobs.begin(idOf(bytes), bytes.length)
    await first.append(bytes.subarray(0, 2 * CHUNK))
    await first.sync()
    await first.close()
    const other = await blobs.begin(idOf(bytes), bytes.length + 1)
    assert.is(other.written, 0)
    await other.close()
    await blobs.remove(idOf(bytes))
    assert.equal(await blobs.unfinished(), [])
  })

  test('a whole one survives a crash', async ({ blobs, crash }) => {
    const bytes = bytesOf(CHUNK + 7)
    const id = await put(blobs, bytes)
    const after = await crash()
    assert.is(await after.size(id), bytes.length)
    assert.equal(await after.unfinished(), [])
  })

  test('a damaged piece is not served, the others are, and another copy takes its place', async ({ blobs, damage }) => {
    const bytes = bytesOf(4 * CHUNK)
    const id = await put(blobs, bytes)
    assert.ok(await blobs.read(id, 0, CHUNK))
    damage(id, CHUNK + 5)
    assert.is(await codeOf(blobs.read(id, CHUNK, CHUNK)), 'BLOB_HASH')
    assert.is(await codeOf(blobs.read(id, 0, 4 * CHUNK)), 'BLOB_HASH')
    assert.ok(await blobs.read(id, 2 * CHUNK, 2 * CHUNK))
    await put(blobs, bytes)
    assert.ok(Buffer.from((await blobs.read(id, 0, bytes.length)) ?? []).equals(bytes))
  })

  test.run()
}
