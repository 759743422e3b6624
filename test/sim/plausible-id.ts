// The id of a record that nobody made: a UUIDv7 that names a plausible moment.
import { idFromBytes } from '../../src/protocol/records.ts'
import { EPOCH_MS } from './life.ts'
import type { SeededRandom } from './random.ts'

/** `now`: virtual milliseconds. */
export const plausibleId = (random: SeededRandom, now: number): string => {
  const bytes = Buffer.from(random.bytes(16))
  bytes.writeUIntBE(EPOCH_MS + Math.floor(now), 0, 6)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return idFromBytes(bytes)
}
