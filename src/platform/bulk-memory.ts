// Gives the memory of buffers back while bulk bytes go by. V8 frees what is young for little, but it does so by the size of objects, and a
// buffer is a small object with its bytes elsewhere: these count only towards collections that look at everything, of which each few dozen
// MiB bring one. That was half of a node's CPU time and all of its growth. So whoever moves bulk bytes says what it left in buffers.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** A collection takes a millisecond; of what it finds, some may still wait to be freed when the next begins. */
const COLLECT_EVERY_BYTES = 8 * 1024 * 1024

type Collect = (options: { type: 'minor' }) => void

let left = 0
let collect: Collect | undefined

export const leftInBuffers = (bytes: number): void => {
  left += bytes
  if (left < COLLECT_EVERY_BYTES) return
  left = 0
  collect ??= collector()
  collect({ type: 'minor' })
}

/** Hands the buffers of a stream on, each of which leaves so many `copies` of itself on its way. No encoding is set, so it gives buffers. */
export async function* passingOn(
  stream: AsyncIterable<unknown>,
  copies: number,
): AsyncGenerator<Buffer, void, undefined> {
  for await (const bytes of stream as AsyncIterable<Buffer>) {
    leftInBuffers(copies * bytes.length)
    yield bytes
  }
}

/** V8's own function, which only a context that is made while the flag is set has. */
const collector = (): Collect => {
  // The heap of a node that was idle may grow by 30 % until everything is looked at, and buffers that are still young count as growth.
  setFlagsFromString('--heap-growing-percent=100')
  setFlagsFromString('--expose-gc')
  const found: unknown = runInNewContext('globalThis.gc')
  setFlagsFromString('--no-expose-gc')
  return typeof found === 'function' ? (found as Collect) : () => {} // a runtime without it does as it always did
}
