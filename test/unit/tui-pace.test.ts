// How often the screen is read again.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Pace } from '../../src/tui/pace.ts'

/** Readings that take so long each, one after another from `at` on; when each begins. */
const readings = (pace: Pace, { at, count, tookMs }: { at: number; count: number; tookMs: number }): number[] => {
  let now = at
  return Array.from({ length: count }, () => {
    const startedAt = now
    now += tookMs
    now += pace.pauseAfter({ startedAt, endedAt: now })
    return startedAt
  })
}

test('a few changes after a quiet time wait for nothing', () => {
  assert.equal(readings(new Pace(), { at: 1_000, count: 4, tookMs: 2 }), [1_000, 1_002, 1_004, 1_006])
})

test('changes that do not end are read at the pace', () => {
  const pace = new Pace()
  const starts = readings(pace, { at: 1_000, count: 50, tookMs: 2 })
  assert.equal(starts.slice(-3), [1_000 + 47 * 20 - 80, 1_000 + 48 * 20 - 80, 1_000 + 49 * 20 - 80])
})

test('readings that take long leave half of the time', () => {
  const starts = readings(new Pace(), { at: 1_000, count: 10, tookMs: 50 })
  assert.is((starts.at(-1) ?? 0) - (starts.at(-2) ?? 0), 100)
})

test('it is quick again after a quiet time', () => {
  const pace = new Pace()
  readings(pace, { at: 1_000, count: 50, tookMs: 2 })
  assert.equal(readings(pace, { at: 5_000, count: 3, tookMs: 2 }), [5_000, 5_002, 5_004])
})

test.run()
