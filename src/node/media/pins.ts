// Pins: what a blob is kept for. One ends with its hour, or when the author of its message has deleted it for everybody; then what proves
// that stands in its place, so that no home that was away brings it back. Merged like sets: an ended pin beats a live one for good.
// Everything here that writes runs under the blob's lock.
import { mutant } from '../../platform/mutants.ts'
import type { DatabaseWrite } from '../../platform/ports.ts'
import { concat, fromHex } from '../../protocol/bytes.ts'
import { type Deletion, openDeletion, partiesOf } from '../../protocol/deletion.ts'
import { hourOf, type TombstoneHeader } from '../../protocol/records.ts'
import { openHeader } from '../../protocol/sealed.ts'
import type { MediaContext } from './media-context.ts'
import {
  endedPin,
  hourKey,
  hourValue,
  isEndedPin,
  isOwnedPin,
  openEndValue,
  openPinValue,
  pinKey,
  pinOfKey,
  pinRange,
  pinValue,
} from './rows.ts'

export interface Pin {
  blob: string
  /** Record key of the message; then the hash of author and recipient, if an author's deletion may end it. */
  pin: Uint8Array
  /** The last hour since 1970 in which the message may still be there. */
  hour: number
}

/** Only when the blob is whole here. A pin that was ended stays so, as long as it would last now. */
export const putPin = async (context: MediaContext, pinned: Pin): Promise<void> => {
  const { blob, pin, hour } = pinned
  const end = endOf(context, blob, pin)
  const writes = end ? kept(context, { blob, pin: endedPin(pin), hour }, end) : kept(context, pinned)
  if (writes.length > 0) await context.index.write(writes)
}

/** What a deletion ends, by whoever shows it. Throws as openDeletion does: nobody's word is enough, no gateway's and no home's. */
export const openUnpin = (deletion: Deletion, cluster: string): { pin: Buffer; header: TombstoneHeader } => {
  const header = mutant('unpin-unchecked')
    ? (openHeader(deletion.tombstone) as unknown as TombstoneHeader) // whatever it is
    : openDeletion(deletion, cluster)
  return { pin: ownedPin(fromHex(header.target), partiesOf(header)), header }
}

export const ownedPin = (message: Uint8Array, parties: Uint8Array): Buffer => concat(message, parties)

/** `deletion` was verified. */
export const endPin = async (context: MediaContext, { blob, pin, hour }: Pin, deletion: Deletion): Promise<void> => {
  const live = hourOfPin(context, blob, pin)
  const over = live === undefined ? [] : [pinKey(blob, pin), hourKey(live, blob, pin)]
  const writes = [
    ...kept(context, { blob, pin: endedPin(pin), hour: Math.max(hour, live ?? 0) }, deletion),
    ...over.map((key) => ({ key, value: undefined })),
  ]
  if (writes.length > 0) await context.index.write(writes)
}

/** undefined: there is no such pin here, or it was ended. */
export const hourOfPin = ({ index }: MediaContext, blob: string, pin: Uint8Array): number | undefined => {
  const key = pinKey(blob, pin)
  return openPinValue(key, index.database.get(key))
}

export const isEnded = (context: MediaContext, blob: string, pin: Uint8Array): boolean =>
  endOf(context, blob, pin) !== undefined

const endOf = ({ index }: MediaContext, blob: string, pin: Uint8Array): Deletion | undefined => {
  if (!isOwnedPin(pin) || mutant('ended-pin-revived')) return undefined
  const key = pinKey(blob, endedPin(pin))
  return openEndValue(key, index.database.get(key))
}

/** Some message is still to have it. */
export const isPinned = async ({ index, clock }: MediaContext, blob: string): Promise<boolean> => {
  if (mutant('pins-ignored')) return false
  const now = hourOf(clock.now())
  const pins = await index.database.range(pinRange(blob))
  return pins.some(([key, value]) => !isEndedPin(pinOfKey(key) ?? key) && (openPinValue(key, value) ?? now) >= now)
}

/** The rows of a pin that lasts at least to this hour; none when they stand there already. */
const kept = ({ index }: MediaContext, { blob, pin, hour }: Pin, deletion?: Deletion): DatabaseWrite[] => {
  const key = pinKey(blob, pin)
  const known = openPinValue(key, index.database.get(key))
  if (known !== undefined && known >= hour) return []
  const byHour = hourKey(hour, blob, pin)
  return [
    { key, value: pinValue(key, hour, deletion) },
    { key: byHour, value: hourValue(byHour) },
    ...(known === undefined ? [] : [{ key: hourKey(known, blob, pin), value: undefined }]),
  ]
}
