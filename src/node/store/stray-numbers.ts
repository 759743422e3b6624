// Numbers of a feed that lead to no entry of theirs: the entry was lost and read back under a new number, or it is gone. They are removed
// once nothing can come back by them: a number is the last trace of an entry that this home has lost. Never touches an entry.

import { toMapKey } from '../../protocol/bytes.ts'
import { homesOf } from '../replication/placement.ts'
import type { StoreContext } from './context.ts'
import type { Home } from './home.ts'
import { entryKey, mailboxOfNumberKey, numberKey, numberOfKey, type Place, placeOf } from './keys.ts'
import { bodyOrStub } from './tombstones.ts'
import { type NumberValue, openEntryValue, openNumberValue } from './values.ts'

/** What a number is to this home. `renumbered`, `lost`: its entry has another number, or is not there. */
type Standing = { is: 'whole' | 'damaged' } | { is: 'renumbered'; to: number } | { is: 'lost'; value: NumberValue }

const standingOf = (home: Home, place: Place, number: number): Standing => {
  const key = numberKey(place, number)
  const bytes = home.database.get(key)
  if (bytes === undefined) return { is: 'whole' } // it went meanwhile
  const value = openNumberValue(key, bytes)
  if (!value) return { is: 'damaged' }
  const expected = entryKey(place, value.hour, value.recordKey)
  const found = home.database.get(expected)
  if (!found) return { is: 'lost', value }
  const to = openEntryValue(expected, found)?.number
  // An entry that is damaged itself is mended from this number.
  return to === undefined || to === number ? { is: 'whole' } : { is: 'renumbered', to }
}

interface Stray {
  place: Place
  number: number
}
const strayOf = (key: Buffer): Stray => ({ place: placeOf(mailboxOfNumberKey(key)), number: numberOfKey(key) })

export const isStray = (home: Home, key: Buffer): boolean => {
  const { place, number } = strayOf(key)
  return standingOf(home, place, number).is !== 'whole'
}

/** Removes those that may go, in one batch; what is left. To be called while no entry is damaged: one of them may want its number. */
export const clearStrays = async (context: StoreContext, strays: readonly Buffer[]): Promise<Buffer[]> => {
  const home = context.home()
  const draft = home.queue.draft()
  for (const key of strays) if (mayGo(context, strayOf(key))) draft.delete(key)
  await home.queue.commit()
  const left = strays.filter((key) => isStray(home, key))
  if (left.length < strays.length)
    context.log.info({ numbers: strays.length - left.length }, 'removed numbers of feeds that led to no entry')
  return left
}

/** False for one that stays named by the audit: a home without others has the record itself still, and only this leads to it. */
export const canBeCleared = (context: StoreContext, key: Buffer): boolean => {
  const { place, number } = strayOf(key)
  const standing = standingOf(context.home(), place, number)
  return standing.is !== 'lost' || !isOnlyTrace(context, place, standing.value)
}

const mayGo = (context: StoreContext, { place, number }: Stray): boolean => {
  const home = context.home()
  const standing = standingOf(home, place, number)
  if (standing.is === 'damaged') return true
  if (standing.is === 'renumbered') return home.database.get(numberKey(place, standing.to)) !== undefined
  if (standing.is !== 'lost') return false
  // Until this home has read back what it lost, and the operator knows of it, the entry may come, or be looked for.
  const { condition, missing } = home.facts
  if (condition !== 'up' || missing > 0 || isOnlyTrace(context, place, standing.value)) return false
  const { hour, recordKey } = standing.value
  return !home.queue.isStaged(toMapKey(entryKey(place, hour, recordKey)))
}

const isOnlyTrace = (context: StoreContext, place: Place, { hour, recordKey }: NumberValue): boolean => {
  const { transport, view } = context
  const others = homesOf(view.current().map, place.mailbox).all.filter((peer) => peer !== transport.self)
  return others.length === 0 && bodyOrStub(context.home(), hour, recordKey) !== undefined
}
