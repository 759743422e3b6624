// What every Database must do, whatever it stands on: run by factory on LevelDB, in memory and on the disk with faults.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Database, DatabaseWrite, KeyRange } from '../../src/platform/ports.ts'

const b = (...bytes: number[]): Buffer => Buffer.from(bytes)
const put = (key: Buffer, value: string): DatabaseWrite => ({ key, value: Buffer.from(value) })
const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString()

export interface DatabaseFactory {
  open(): Promise<Database>
  cleanUp?(): Promise<void> | void
}

export function databaseConformance(name: string, makeFactory: () => DatabaseFactory): void {
  const test = suite<{ database: Database; factory: DatabaseFactory }>(`database: ${name}`)
  test.before.each(async (context) => {
    context.factory = makeFactory()
    context.database = await context.factory.open()
  })
  test.after.each(async ({ database, factory }) => {
    await database.close()
    await factory.cleanUp?.()
  })

  test('reads what was written, undefined for the rest', async ({ database }) => {
    await database.batch([put(b(1), 'one'), put(b(2), '')], { sync: true })
    assert.is(text(database.get(b(1))), 'one')
    assert.is(text(database.get(b(2))), '')
    assert.is(database.get(b(3)), undefined)
  })

  test('a later write replaces, undefined deletes, in the order of the batch', async ({ database }) => {
    await database.batch([put(b(1), 'a'), put(b(2), 'b')], { sync: false })
    await database.batch([put(b(1), 'c'), { key: b(2), value: undefined }, put(b(1), 'd')], { sync: true })
    assert.is(text(database.get(b(1))), 'd')
    assert.is(database.get(b(2)), undefined)
  })

  test('keys are ordered as unsigned bytes, the shorter first', async ({ database }) => {
    const keys = [b(255), b(0), b(128, 1), b(128), b(127, 255)]
    await database.batch(
      keys.map((key) => put(key, 'x')),
      { sync: true },
    )
    const found = (await database.keys({})).map((key) => Buffer.from(key).toString('hex'))
    assert.equal(found, ['00', '7fff', '80', '8001', 'ff'])
  })

  test('ranges: open and closed ends, reverse, limit', async ({ database }) => {
    await database.batch(
      [1, 2, 3, 4, 5].map((n) => put(b(n), String(n))),
      { sync: true },
    )
    const cases: [KeyRange, string][] = [
      [{}, '12345'],
      [{ gt: b(2) }, '345'],
      [{ gte: b(2), lt: b(4) }, '23'],
      [{ gt: b(1), lte: b(3) }, '23'],
      [{ gte: b(2), limit: 2 }, '23'],
      [{ reverse: true }, '54321'],
      [{ reverse: true, lt: b(4), limit: 2 }, '32'],
      [{ reverse: true, lte: b(4), gt: b(2) }, '43'],
      [{ gt: b(5) }, ''],
      [{ gte: b(4), lt: b(2) }, ''],
      [{ limit: 0 }, ''],
    ]
    for (const [range, expected] of cases) {
      const rows = await database.range(range)
      const label = JSON.stringify(range)
      assert.is(rows.map(([, value]) => text(value)).join(''), expected, label)
      assert.is((await database.keys(range)).map((key) => key[0]).join(''), expected, label)
    }
  })

  test('a range of rows that fill many read buffers comes whole', async ({ database }) => {
    const value = Buffer.alloc(2_000, 7)
    const writes = Array.from({ length: 900 }, (_, i) => ({ key: Buffer.from(String(i).padStart(5, '0')), value }))
    await database.batch(writes, { sync: false })
    assert.is((await database.range({})).length, 900)
    assert.is((await database.range({ limit: 700 })).length, 700)
    assert.is((await database.keys({ limit: 901 })).length, 900)
  })

  test('ranges of many thousand rows come whole', async ({ database }) => {
    const keys = Array.from({ length: 3_500 }, (_, index) => b(index >> 8, index & 255))
    await database.batch(
      keys.map((key) => put(key, 'x')),
      { sync: true },
    )
    assert.is((await database.range({})).length, 3_500)
    assert.is((await database.keys({ limit: 2_001 })).length, 2_001)
    assert.is((await database.keys({ gt: b(0, 255) })).length, 3_500 - 256)
  })

  test('bytes handed in may be reused by the caller, bytes handed out stay', async ({ database }) => {
    const value = Buffer.from('before')
    const key = b(7)
    await database.batch([{ key, value }], { sync: true })
    value.write('AFTER!')
    key[0] = 8
    assert.is(text(database.get(b(7))), 'before')
    const read = database.get(b(7))
    await database.batch([put(b(7), 'other!')], { sync: true })
    assert.is(text(read), 'before')
  })

  test('a synced batch is there for readers once it has resolved', async ({ database }) => {
    const done = database.batch([put(b(9), 'nine')], { sync: true })
    await done
    assert.is(text(database.get(b(9))), 'nine')
  })

  test('a closed database answers nothing', async ({ database }) => {
    await database.close()
    assert.throws(() => database.get(b(1)))
    let isRefused = false
    await database.batch([put(b(1), 'x')], { sync: true }).catch(() => {
      isRefused = true
    })
    assert.ok(isRefused)
  })

  test.run()
}
