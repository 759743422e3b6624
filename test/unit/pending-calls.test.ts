// Requests that wait for their answers: what an answer carried is free as soon as whoever asked is done with it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { PendingCalls } from '../../src/node/net/pending-calls.ts'
import { leftInBuffers } from '../../src/platform/bulk-memory.ts'

const test = suite('pending calls')

const MIB = 2 ** 20
const PIECE_BYTES = 256 * 1024
const PIECES = 1_000

test('answers of bulk bytes do not pile up until everything is looked at', async () => {
  const calls = new PendingCalls()
  const open = (): { id: number; answer: Promise<unknown> } => calls.open(60_000)
  const ahead = Array.from({ length: 4 }, open)
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  for (let i = 0; i < PIECES; i++) {
    const first = ahead.shift()
    if (!first) break
    calls.settle(first.id, Buffer.alloc(PIECE_BYTES))
    await first.answer
    ahead.push(open())
    leftInBuffers(PIECE_BYTES)
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  assert.ok(most < 24 * MIB, `${Math.round(most / MIB)} MiB lay about`)
})

test.run()
