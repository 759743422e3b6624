// What a store writes: keys sort as their numbers, values notice damage, digests tell sets apart, the filter never denies what is there.

import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { EntryFilter } from '../../src/node/store/entry-filter.ts'
import {
  entryKey,
  hourOfId,
  mailboxOfNumberKey,
  numberKey,
  numberOfKey,
  openEntryKey,
  placeOf,
} from '../../src/node/store/keys.ts'
import { DIGEST_BYTES, ShardDigests } from '../../src/node/store/shard-digests.ts'
import {
  bodyValue,
  entryDigest,
  entryValue,
  flagsOf,
  hasExpiry,
  isTomb,
  metaValue,
  numberValue,
  openBodyValue,
  openEntryValue,
  openMetaValue,
  openNumberValue,
} from '../../src/node/store/values.ts'
import { compareBytes } from '../../src/protocol/bytes.ts'
import { hourOf } from '../../src/protocol/records.ts'
import { sha256 } from '../../src/protocol/signing.ts'

const recordKeyOf = (n: number): Buffer => sha256(Buffer.from(`record ${n}`))
const alice = placeOf('u:alice')
const bob = placeOf('u:bob')

const keys = suite('keys')
keys('numbers of a mailbox are ordered, and not mixed with those of longer names', () => {
  const sorted = [1, 2, 255, 256, 70_000, 2 ** 40].map((number) => numberKey(alice, number))
  assert.equal([...sorted].sort(compareBytes), sorted)
  const other = numberKey(placeOf('u:alice2'), 1)
  assert.ok(compareBytes(other, sorted[0] ?? other) < 0 || compareBytes(other, sorted.at(-1) ?? other) > 0)
  assert.equal(sorted.map(numberOfKey), [1, 2, 255, 256, 70_000, 2 ** 40])
  assert.is(mailboxOfNumberKey(numberKey(alice, 9)), 'u:alice')
})
keys('an entry’s key says where it belongs', () => {
  const key = entryKey(alice, 497_000, recordKeyOf(1))
  const { shard, hour, mailbox, recordKey } = openEntryKey(key)
  assert.equal({ shard, hour, mailbox }, { shard: alice.shard, hour: 497_000, mailbox: 'u:alice' })
  assert.ok(recordKey.equals(recordKeyOf(1)))
})
keys('the hour of a UUIDv7 is the hour it was made in', () => {
  const at = 1_790_000_000_000
  const id = Buffer.alloc(32)
  id.writeUIntBE(at, 0, 6)
  assert.is(hourOfId(id), hourOf(at))
})
keys.run()

const values = suite('values')
const flipEachByte = (value: Buffer, check: (damaged: Buffer) => void): void => {
  for (let at = 0; at < value.length; at++) {
    const damaged = Buffer.from(value)
    damaged[at] = (damaged[at] ?? 0) ^ 0x10
    check(damaged)
  }
}
values('entries come back whole, and any damage or another key is noticed', () => {
  const key = entryKey(alice, 5, recordKeyOf(1))
  const entry = entryValue(key, { number: 2 ** 33, flags: flagsOf('msg', true) })
  assert.equal(openEntryValue(key, entry), { number: 2 ** 33, flags: flagsOf('msg', true) })
  assert.is(openEntryValue(entryKey(bob, 5, recordKeyOf(1)), entry), undefined)
  flipEachByte(entry, (damaged) => assert.is(openEntryValue(key, damaged), undefined))
  const byNumber = numberKey(alice, 7)
  const value = numberValue(byNumber, { hour: 5, recordKey: recordKeyOf(1), flags: flagsOf('tomb', false) })
  assert.is(openNumberValue(byNumber, value)?.hour, 5)
  flipEachByte(value, (damaged) => assert.is(openNumberValue(byNumber, damaged), undefined))
})
values('flags say kind and expiry', () => {
  assert.ok(hasExpiry(flagsOf('msg', true)) && !hasExpiry(flagsOf('msg', false)))
  assert.ok(isTomb(flagsOf('tomb', true)) && !isTomb(flagsOf('set', true)))
})
values('bodies keep the time of acceptance and the bytes; facts are checked', () => {
  const { acceptedAt, sealed } = openBodyValue(bodyValue(1_790_000_000_123, Buffer.from('sealed')))
  assert.is(acceptedAt, 1_790_000_000_123)
  assert.is(sealed.toString(), 'sealed')
  const key = Buffer.from('Mfacts')
  assert.equal(openMetaValue(key, metaValue(key, { feed: 'f' })), { feed: 'f' })
  flipEachByte(metaValue(key, { feed: 'f' }), (damaged) => assert.is(openMetaValue(key, damaged), undefined))
  assert.is(openMetaValue(key, undefined), undefined)
})
values.run()

const digests = suite('digests')
digests('do not depend on the order, and tell one entry more or less apart', () => {
  const add = (into: ShardDigests, numbers: number[]): ShardDigests => {
    for (const n of numbers) into.add(3, 100 + (n % 4), entryDigest(alice.salt, recordKeyOf(n)))
    return into
  }
  const forwards = add(new ShardDigests(), [1, 2, 3, 4, 5])
  const backwards = add(new ShardDigests(), [5, 4, 3, 2, 1])
  assert.ok(forwards.ofAll(0).equals(backwards.ofAll(0)))
  add(forwards, [6])
  assert.not(forwards.ofShard(3, 0).equals(backwards.ofShard(3, 0)))
  forwards.remove(3, 102, entryDigest(alice.salt, recordKeyOf(6)))
  assert.ok(forwards.ofAll(0).equals(backwards.ofAll(0)))
  assert.is(forwards.count, 5)
  assert.is(forwards.ofAll(0).length, 256 * DIGEST_BYTES)
})
digests('leave out the hours below a cut-off', () => {
  const all = new ShardDigests()
  const young = new ShardDigests()
  all.add(1, 10, entryDigest(alice.salt, recordKeyOf(1)))
  for (const each of [all, young]) each.add(1, 20, entryDigest(alice.salt, recordKeyOf(2)))
  assert.not(all.ofShard(1, 5).equals(young.ofShard(1, 5)))
  assert.ok(all.ofShard(1, 11).equals(young.ofShard(1, 11)))
  assert.equal(
    all.hoursOf(1, 11).map(({ hour }) => hour),
    [20],
  )
  assert.equal(all.expiredHours(11), [{ shard: 1, hour: 10 }])
})
digests('records swapped between two mailboxes do not cancel', () => {
  const sum = (pairs: [Buffer, number][]): string => {
    const result = Buffer.alloc(16)
    for (const [salt, n] of pairs)
      for (const [i, byte] of entryDigest(salt, recordKeyOf(n)).entries()) result[i] = (result[i] ?? 0) ^ byte
    return result.toString('hex')
  }
  assert.is.not(
    sum([
      [alice.salt, 1],
      [bob.salt, 2],
    ]),
    sum([
      [alice.salt, 2],
      [bob.salt, 1],
    ]),
  )
  assert.is(new Set(Array.from({ length: 20_000 }, (_, n) => sum([[alice.salt, n]]))).size, 20_000)
})
digests.run()

const filter = suite('entry filter')
const mixOf = (n: number): number => placeOf(`u:user-${n % 256}`).mix
filter(
  'never denies what was added, and hardly ever claims what was not, while it is small and when it has grown',
  () => {
    const made = new EntryFilter()
    let count = 0
    for (const [entries, most] of [
      [8_000, 100],
      [20_000, 20],
    ] as const) {
      for (; count < entries; count++) made.add(mixOf(count), recordKeyOf(count))
      for (let n = 0; n < entries; n++) assert.ok(made.mayHave(mixOf(n), recordKeyOf(n)))
      let wrong = 0
      for (let n = entries; n < entries + 20_000; n++) if (made.mayHave(mixOf(n), recordKeyOf(n))) wrong += 1
      assert.ok(wrong < most, `${wrong} of 20,000`)
    }
  },
)
filter.run()
