// Reads everything a home holds and names what does not fit together. Changes nothing; for `chatd cluster check`.

import type { StoreAudit } from '../../protocol/rpc.ts'
import { eachRow } from './each-row.ts'
import type { Home } from './home.ts'
import {
  allEntries,
  allNumbers,
  bodyKey,
  entryKey,
  mailboxOfNumberKey,
  numberKey,
  numberOfKey,
  openEntryKey,
  placeOf,
} from './keys.ts'
import { isStub } from './tombstones.ts'
import { isBodyOf, openBodyValue, openEntryValue, openNumberValue } from './values.ts'

const MAX_PROBLEMS = 100

export const auditHome = async (home: Home): Promise<StoreAudit> => {
  const problems: string[] = []
  const report = (problem: string | undefined): void => {
    if (problem !== undefined && problems.length < MAX_PROBLEMS) problems.push(problem)
  }
  const { missing } = home.facts
  if (missing > 0) report(`${missing} entries were once counted here and were gone when the database was opened`)
  let entries = 0
  await eachRow(home.database, allEntries, (key, value) => {
    entries += 1
    report(checkEntry(home, key, value))
  })
  await eachRow(home.database, allNumbers, (key, value) => report(checkNumber(home, key, value)))
  return { entries, problems }
}

const checkEntry = (home: Home, key: Buffer, bytes: Uint8Array): string | undefined => {
  const { mailbox, hour, recordKey } = openEntryKey(key)
  const name = `${recordKey.toString('hex')} in ${mailbox}`
  const entry = openEntryValue(key, bytes)
  if (!entry) return `the entry of ${name} is damaged`
  const body = home.database.get(bodyKey(hour, recordKey))
  if (!body) return `the body of ${name} is missing`
  const { sealed } = openBodyValue(body)
  if (!isBodyOf(recordKey, sealed) && !isStub(sealed)) return `the body of ${name} is damaged`
  if (!home.database.get(numberKey(placeOf(mailbox), entry.number))) return `the feed number of ${name} is missing`
  return undefined
}

const checkNumber = (home: Home, key: Buffer, bytes: Uint8Array): string | undefined => {
  const mailbox = mailboxOfNumberKey(key)
  const number = numberOfKey(key)
  const name = `number ${number} of ${mailbox}`
  const value = openNumberValue(key, bytes)
  if (!value) return `the feed’s ${name} is damaged`
  const expected = entryKey(placeOf(mailbox), value.hour, value.recordKey)
  const found = home.database.get(expected)
  if (!found) return `the entry of the feed’s ${name} is missing`
  if (openEntryValue(expected, found)?.number !== number) return `the feed’s ${name} is not the number of its entry`
  return undefined
}
