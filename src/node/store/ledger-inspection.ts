// What a home keeps of groups, in words that need no knowledge of its rows; for `chatd cluster check`. Changes nothing.
import type { ledgerInspect, ResponseOf } from '../../protocol/rpc.ts'
import { SHARDS } from '../replication/placement.ts'
import { groupOfFanOut, isRegisterKey, nameOfRegisterKey, recordKeyOf } from './keys.ts'
import type { Ledger } from './ledger.ts'
import { openFanOutValue, openRegisterValue } from './ledger-values.ts'

const ALL_SHARDS: ReadonlySet<number> = new Set(Array.from({ length: SHARDS }, (_, shard) => shard))

type Inspection = Omit<ResponseOf<typeof ledgerInspect>, 'takesPart'>

export const inspectLedger = async (ledger: Ledger, after?: Uint8Array): Promise<Inspection> => {
  const { rows, next } = await ledger.page(ALL_SHARDS, after)
  const found: Inspection = { registers: [], messages: [], damaged: [], ...(next ? { next } : {}) }
  for (const { key: bytes, value } of rows) {
    const key = Buffer.from(bytes)
    if (isRegisterKey(key)) {
      const name = nameOfRegisterKey(key)
      const state = openRegisterValue(key, value)
      if (!state) found.damaged.push(name)
      else
        found.registers.push({
          name,
          ...(state.accepted ? { value: state.accepted.value } : {}),
          isDecided: state.isDecided,
        })
    } else {
      const group = groupOfFanOut(key)
      const row = openFanOutValue(key, value)
      const openMs = ledger.fanOuts.ageOf(key)
      if (!row) found.damaged.push(`a message to ${group}`)
      else
        found.messages.push({
          group,
          version: row.version,
          key: recordKeyOf(key),
          ...(openMs === undefined ? {} : { openMs }),
        })
    }
  }
  return found
}
