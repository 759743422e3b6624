// A message is what was written last, however often it was read before.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { HeldRecords } from '../../src/client/held-records.ts'
import { idMaker } from '../../src/client/ids.ts'
import { LocalStore } from '../../src/client/local-store.ts'
import { MemoryDatabase } from '../../src/platform/memory-database.ts'
import { silentLogger } from '../../src/platform/ports.ts'
import { systemClock, systemRandom } from '../../src/platform/system.ts'
import { type MessageHeader, recordKey } from '../../src/protocol/records.ts'
import { seal } from '../../src/protocol/sealed.ts'

const LONG_BYTES = 8_192
const makeId = idMaker(systemClock, systemRandom)
const makeMessage = (bytes: number) => {
  const id = makeId()
  const author = { id, from: 'alice', dev: '0123456789abcdef', to: 'bob', at: 1_790_000_000_000 }
  const header: MessageHeader = { k: 'msg', ...author, conv: 'alice:bob', seq: 1, ct: 'text' }
  const sealed = seal({ cluster: '00', header, body: Buffer.alloc(bytes, 'x'), sign: () => Buffer.alloc(64) })
  return { header, sealed, key: recordKey(id, sealed) }
}

for (const [name, bytes] of Object.entries({ short: 20, long: LONG_BYTES })) {
  test(`a ${name} message that was read, then changed`, async () => {
    const store = new LocalStore({ database: new MemoryDatabase(), clock: systemClock, log: silentLogger })
    const records = new HeldRecords(store)
    const { header, sealed, key } = makeMessage(bytes)
    const state = () => {
      const { acceptedAt, isRefused, isDeleted, sealed: held } = records.message(key) ?? {}
      return { acceptedAt, isRefused, isDeleted, isWhole: held?.equals(sealed) }
    }
    const whole = { isRefused: false, isDeleted: false, isWhole: true }
    assert.is(records.message(key), undefined)
    records.keep(key, sealed, { acceptedAt: 0 })
    assert.equal(state(), { acceptedAt: 0, ...whole })
    assert.equal(state(), { acceptedAt: 0, ...whole })
    records.keep(key, sealed, { acceptedAt: 5 })
    assert.equal(state(), { acceptedAt: 5, ...whole })
    assert.is(records.refusalOf(key), undefined)
    records.keepRefused(key, sealed, 'Nobody is called so')
    assert.equal([state().isRefused, records.refusalOf(key)], [true, 'Nobody is called so'])
    records.keepDeleted(key, header, 6)
    assert.equal(state(), { acceptedAt: 6, isRefused: false, isDeleted: true, isWhole: false })
    records.mark(key, 'deleted')
    assert.is(records.message(key), undefined)
    await store.close()
  })
}

test.run()
