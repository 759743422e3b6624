// The files that people send. What is in one follows from its name, so that whoever fetches it knows what it must be.
import type { SourceFiles } from '../../src/client/ports.ts'
import { toHex } from '../../src/protocol/bytes.ts'
import { sha256 } from '../../src/protocol/signing.ts'
import { SeededRandom } from './random.ts'

const PART = 30_011 // never a whole chunk
/** Empty, of one chunk, of just two, of several pieces. */
const SIZES = [0, 1, 3_000, 65_536, 65_537, 300_000]

const contentOfFile = (path: string): Uint8Array => {
  const random = new SeededRandom(path)
  const size = random.pick(SIZES)
  const block = random.bytes(Math.min(size, 1_024))
  const bytes = Buffer.alloc(size, block.length > 0 ? block : 0)
  return bytes
}
export const hashOfFile = (path: string): string => toHex(sha256(contentOfFile(path)))

export const simFiles: SourceFiles = {
  stat: async (path) => ({ size: contentOfFile(path).length, modifiedAt: 1 }),
  async *read(path, { from }) {
    const bytes = contentOfFile(path)
    for (let at = from; at < bytes.length; at += PART) yield bytes.subarray(at, at + PART)
  },
  preview: async () => undefined,
}
