// What one fsync costs on this disk while three processes' worth of writers sync at once: the floor under every durable latency.
import { closeSync, fdatasync, mkdtempSync, openSync, rmSync, write } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { percentile } from './scenarios.ts'

const syncFile = promisify(fdatasync)
const writeFile = promisify(write)

/** Median milliseconds of write + fdatasync of 600 bytes with `writers` files written in parallel. */
export const fsyncMedianMs = async (writers = 3, rounds = 200): Promise<number> => {
  const dir = mkdtempSync(join(tmpdir(), 'chatd-fsync-'))
  const took: number[] = []
  const record = Buffer.alloc(600, 1)
  await Promise.all(
    Array.from({ length: writers }, async (_, i) => {
      const file = openSync(join(dir, `file-${i}`), 'w')
      for (let round = 0; round < rounds; round++) {
        const started = performance.now()
        await writeFile(file, record, 0, record.length, null)
        await syncFile(file)
        took.push(performance.now() - started)
      }
      closeSync(file)
    }),
  )
  rmSync(dir, { recursive: true, force: true })
  return percentile(took, 0.5)
}
