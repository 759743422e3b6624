// Reads a whole range of a home's database, so many rows at a time, so that it never stands in memory whole and the loop stays live.

import { asBuffer } from '../../protocol/bytes.ts'
import type { Database, KeyRange } from '../../platform/ports.ts'

const ROWS_PER_TURN = 500

/** `visit` is called in the order of keys; what is written meanwhile may be seen or not. */
export const eachRow = async (
  database: Pick<Database, 'range'>,
  range: { gte: Uint8Array; lt: Uint8Array },
  visit: (key: Buffer, value: Uint8Array) => void,
): Promise<void> => {
  let next: KeyRange = range
  for (;;) {
    const rows = await database.range({ ...next, limit: ROWS_PER_TURN })
    for (const [key, value] of rows) visit(asBuffer(key), value)
    const last = rows.at(-1)
    if (rows.length < ROWS_PER_TURN || !last) return
    next = { gt: last[0], lt: range.lt }
  }
}
