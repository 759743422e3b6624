// The blob stores against their conformance suite, and what only files can show: a torn file, lost checksums, leftovers, no room.
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fileBlobs } from '../../src/platform/file-blobs.ts'
import { MemoryBlobs } from '../../src/platform/memory-blobs.ts'
import type { BlobStore } from '../../src/platform/ports.ts'
import { hasCode } from '../../src/protocol/errors.ts'
import { blobConformance, bytesOf, idOf, put } from '../conformance/blobs.ts'

const pathOf = (dir: string, id: string): string => join(dir, id.slice(0, 2), id)
const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'chatd-blobs-'))
const flip = (path: string, at: number): void => {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

blobConformance('blobs in files', () => {
  const dir = newDirectory()
  return {
    blobs: fileBlobs(dir),
    // The page cache survives, so nothing more than what was written can be tested here: the torn files below do the rest.
    crash: () => fileBlobs(dir),
    damage: (id, at) => flip(pathOf(dir, id), at),
    end: () => rmSync(dir, { recursive: true }),
  }
})
blobConformance('blobs in memory', () => {
  const blobs = new MemoryBlobs()
  const crash = (): BlobStore => {
    blobs.crash()
    return blobs
  }
  return { blobs, crash, damage: (id, at) => blobs.damage(id, at) }
})

const CHUNK = 64 * 1024
const never = (): void => assert.unreachable()
const test = suite<{ dir: string }>('blob files')
test.before.each((context) => void (context.dir = newDirectory()))
test.after.each(({ dir }) => rmSync(dir, { recursive: true }))

const halfWritten = async (dir: string, bytes: Buffer): Promise<string> => {
  const blob = await fileBlobs(dir).begin(idOf(bytes), bytes.length)
  await blob.append(bytes.subarray(0, 3 * CHUNK))
  await blob.sync()
  await blob.close()
  return `${pathOf(dir, idOf(bytes))}.part`
}

test('of a torn unfinished file only what fits its sums is gone on with', async ({ dir }) => {
  const bytes = bytesOf(4 * CHUNK)
  const cases: [number, (part: string) => void][] = [
    [3 * CHUNK, (part) => appendFileSync(part, 'garbage that was never synced')],
    [CHUNK, (part) => flip(part, CHUNK + 1)],
    [2 * CHUNK, (part) => truncateSync(part, 2 * CHUNK + 17)],
    [0, (part) => truncateSync(`${part}.sums`, 3)],
    [2 * CHUNK, (part) => truncateSync(`${part}.sums`, 8 + 2 * 4 + 3)],
    [0, (part) => rmSync(part)],
  ]
  for (const [index, [expected, tear]] of cases.entries()) {
    tear(await halfWritten(dir, bytes))
    const blob = await fileBlobs(dir).begin(idOf(bytes), bytes.length)
    assert.is(blob.written, expected, String(index))
    await blob.append(bytes.subarray(expected))
    await blob.finish()
    await fileBlobs(dir).remove(idOf(bytes))
  }
})

test('a file that was removed is gone, also while it is held open for readers', async ({ dir }) => {
  const [bytes, blobs] = [bytesOf(2 * CHUNK), fileBlobs(dir)]
  await put(blobs, bytes)
  await blobs.read(idOf(bytes), 0, CHUNK)
  rmSync(pathOf(dir, idOf(bytes)))
  assert.is(await blobs.size(idOf(bytes)), undefined)
  assert.is(await blobs.read(idOf(bytes), 0, CHUNK), undefined)
})

test('a blob without its sums, or of another length, is damaged, not gone', async ({ dir }) => {
  for (const harm of [
    (path: string) => rmSync(`${path}.sums`),
    (path: string) => truncateSync(path, 100),
    (path: string) => truncateSync(`${path}.sums`, 9),
  ]) {
    const id = await put(fileBlobs(dir), bytesOf(2 * CHUNK))
    harm(pathOf(dir, id))
    const blobs = fileBlobs(dir)
    assert.equal(await blobs.list(), [id])
    await blobs.read(id, 0, 10).then(never, (error: unknown) => assert.ok(hasCode(error, 'BLOB_HASH')))
    await blobs.remove(id)
    assert.equal(readdirSync(join(dir, id.slice(0, 2))), [])
  }
})

test('a blob that never fits is refused before a byte is written', async ({ dir }) => {
  const id = idOf(bytesOf(10))
  await fileBlobs(dir)
    .begin(id, 2 ** 60)
    .then(never, (error: unknown) => assert.ok(hasCode(error, 'BLOB_FULL')))
  assert.equal(readdirSync(dir), [])
})

test('reading many blobs keeps few files open', async ({ dir }) => {
  const blobs = fileBlobs(dir)
  const before = readdirSync('/proc/self/fd').length
  for (let i = 0; i < 60; i++) {
    const bytes = bytesOf(1_000)
    assert.ok(await blobs.read(await put(blobs, bytes), 0, 1_000))
  }
  assert.ok(readdirSync('/proc/self/fd').length < before + 40)
})

test.run()
