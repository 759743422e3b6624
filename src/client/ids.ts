// Ids of messages and records: UUIDv7 (RFC 9562) from an injected clock and random source, rising within one process.
import { idFromBytes } from '../protocol/records.ts'
import type { Clock, RandomSource } from '../platform/ports.ts'

const COUNTER_LIMIT = 0x1000

/** Returns a maker of ids; ids of one millisecond are told apart by a counter of 12 bits, then by 62 random bits. */
export const idMaker = (clock: Pick<Clock, 'now'>, random: RandomSource): (() => string) => {
  let lastMs = 0
  let counter = 0
  return () => {
    const now = clock.now()
    counter = now > lastMs ? 0 : counter + 1
    lastMs = Math.max(lastMs, now)
    if (counter === COUNTER_LIMIT) {
      counter = 0
      lastMs += 1
    }
    const bytes = Buffer.alloc(16)
    bytes.writeUIntBE(lastMs, 0, 6)
    bytes.writeUInt16BE(0x7000 | counter, 6)
    bytes.set(random.bytes(8), 8)
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
    return idFromBytes(bytes)
  }
}
