// A disk that takes all bytes of an attachment and only a part of its checksums, for real, on a file system of 96 MB: the attachment is
// refused, and not called whole.
// Needs the right to mount a tmpfs; says so and passes over it elsewhere.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fileBlobs } from '../../src/platform/file-blobs.ts'
import { toHex } from '../../src/protocol/bytes.ts'
import { hasCode } from '../../src/protocol/errors.ts'
import { sha256 } from '../../src/protocol/signing.ts'
import { smallDisk } from '../small-disk.ts'

const MIB = 1024 * 1024
/** Its checksums take more than a page of memory. */
const SIZE = 72 * MIB

const test = suite('checksums on a full disk')
const { dir, isMounted, remove } = smallDisk('chatd-sums-', 96)
test.after(remove)
const fill = (bytes: number): void => {
  try {
    for (let count = 0; ; count++) writeFileSync(join(dir, `ballast-${bytes}-${count}`), Buffer.alloc(bytes))
  } catch {
    // Full.
  }
}

test('an attachment whose checksums do not fit is refused', async () => {
  if (!isMounted) return console.log('skipped: this user may not mount a tmpfs')
  const blobs = fileBlobs(join(dir, 'blobs'))
  const bytes = Buffer.alloc(SIZE, 7)
  const blob = await blobs.begin(toHex(sha256(bytes)), SIZE)
  for (let at = 0; at < SIZE; at += MIB) await blob.append(bytes.subarray(at, at + MIB))
  for (const size of [MIB, 64 * 1024, 4 * 1024]) fill(size)
  const outcome: unknown = await blob.finish().catch((error: unknown) => error)
  assert.ok(hasCode(outcome, 'BLOB_FULL'), String(outcome))
  assert.is(await blobs.size(toHex(sha256(bytes))), undefined)
})

test.run()
