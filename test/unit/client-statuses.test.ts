// What receipts say of own messages: the earliest time of each state counts, and a receipt costs what it says that is new, however it says it.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Conversations } from '../../src/client/conversations.ts'
import { EventLog } from '../../src/client/event-log.ts'
import { keys } from '../../src/client/keys.ts'
import { LocalStore } from '../../src/client/local-store.ts'
import { Statuses } from '../../src/client/statuses.ts'
import { MemoryDatabase } from '../../src/platform/memory-database.ts'
import { silentLogger } from '../../src/platform/ports.ts'
import { systemClock } from '../../src/platform/system.ts'
import { conversationOf } from '../../src/protocol/names.ts'
import { type ReceiptHeader, recordKey } from '../../src/protocol/records.ts'
import { newId } from '../store-fixture.ts'

const COUNT = 1_000
const [me, device, other] = ['alice', 'a'.repeat(16), 'bob']
const conv = conversationOf(me, other)
const place = { conversation: conv, device }

const made = () => {
  let reads = 0
  const database = new MemoryDatabase()
  const store = new LocalStore({ database, clock: systemClock, log: silentLogger })
  const get = store.get.bind(store)
  store.get = (key) => {
    reads += 1
    return get(key)
  }
  const conversations = new Conversations(store)
  const events = new EventLog(store)
  const isRecipient = (_conversation: string, user: string): boolean => user === other
  const statuses = new Statuses({ store, conversations, events, me, isRecipient, onChange: () => {} })
  const coverage = conversations.coverage(conversations.of(conv), device, me)
  coverage.held.push([1, COUNT])
  for (let seq = 1; seq <= COUNT; seq++) store.put(keys.sequence(place, seq), recordKey(newId(), Buffer.of(seq & 0xff)))
  const told = (
    r: ReceiptHeader['r'],
    at: number,
    { st = 'read', from = other }: Partial<ReceiptHeader> = {},
  ): number => {
    const before = reads
    const author = { id: newId(), from, dev: 'b'.repeat(16), to: me, at }
    statuses.apply({ k: 'rcpt', ...author, conv, st, r }, at)
    return reads - before
  }
  return { statuses, told }
}

test('a receipt that names the same messages again and again costs no more than once', () => {
  const { statuses, told } = made()
  const r = Array.from({ length: 200 }, (): [string, number, number] => [device, 1, COUNT])
  assert.ok(told(r, 5) < 5 * COUNT)
  assert.equal(statuses.of(place, COUNT, other), { receivedAt: 5, readAt: 5 })
  assert.ok(told(r, 6) < 100, 'told once more it costs nothing')
  assert.ok(told([[device, 1, COUNT]], 6, { from: 'mallory' }) < 100, 'nor what a stranger says')
  assert.equal(statuses.of(place, 1, other), { receivedAt: 5, readAt: 5 })
})

test('what is told later and happened earlier counts; what is new among what is known does too', () => {
  const { statuses, told } = made()
  told([[device, 1, 10]], 8)
  told([[device, 5, 20]], 9)
  assert.equal(statuses.of(place, 5, other), { receivedAt: 8, readAt: 8 })
  assert.equal(statuses.of(place, 20, other), { receivedAt: 9, readAt: 9 })
  told([[device, 1, 20]], 3)
  for (const seq of [1, 5, 20]) assert.equal(statuses.of(place, seq, other), { receivedAt: 3, readAt: 3 })
  told([[device, 21, 21]], 7, { st: 'received' })
  assert.equal(statuses.of(place, 21, other), { receivedAt: 7, readAt: 0 })
  told([[device, 21, 21]], 9)
  assert.equal(statuses.of(place, 21, other), { receivedAt: 7, readAt: 9 })
})

test.run()
