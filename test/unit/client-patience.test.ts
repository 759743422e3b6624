// When a client leaves a gateway through which nothing can be stored.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Patience } from '../../src/client/patience.ts'
import { ChatError, type ErrorCode } from '../../src/protocol/errors.ts'

const test = suite('patience')

/** Fails once a second from `from` on; how long until it leaves, in seconds. */
const leavesAfter = (patience: Patience, from: number, code: ErrorCode = 'QUORUM_UNAVAILABLE'): number | undefined => {
  for (let second = 0; second <= 1_000; second++)
    if (patience.failed(new ChatError(code), (from + second) * 1_000)) return second
  return undefined
}

test('ten seconds, then twice as long each time, up to five minutes; as at first once something was stored', () => {
  const patience = new Patience()
  const waited: (number | undefined)[] = []
  for (let from = 0; waited.length < 7; from += 2_000) waited.push(leavesAfter(patience, from))
  assert.equal(waited, [10, 20, 40, 80, 160, 300, 300])
  patience.stored()
  assert.is(leavesAfter(patience, 100_000), 10)
})

test('a message that is stored in between begins it anew', () => {
  const patience = new Patience()
  const failsAt = (second: number): boolean => patience.failed(new ChatError('OUTCOME_UNKNOWN'), second * 1_000)
  assert.equal([0, 5, 9].map(failsAt), [false, false, false])
  patience.stored()
  assert.equal([11, 15, 20].map(failsAt), [false, false, false])
  assert.ok(failsAt(21))
})

test('failures far apart, and errors that say nothing about the stores, are no reason', () => {
  const patience = new Patience()
  for (let minute = 0; minute < 60; minute++)
    assert.not.ok(patience.failed(new ChatError('QUORUM_UNAVAILABLE'), minute * 60_000))
  assert.is(leavesAfter(patience, 10_000, 'RATE_LIMITED'), undefined)
})

test.run()
