// What bulk bytes leave in buffers is collected while it is young: as often as it should be, and not by looking at everything.
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { leftInBuffers } from '../../src/platform/bulk-memory.ts'
import { eventually } from '../eventually.ts'

const test = suite('bulk memory')
const MIB = 1024 * 1024
const PIECES = 2_048
const PIECE_BYTES = MIB / 8

test('256 MiB in buffers are collected young every 8 MiB', async () => {
  const kinds: unknown[] = []
  const observer = new PerformanceObserver((list) => {
    // Entries of `gc` say their kind, which the type of all entries does not.
    for (const entry of list.getEntries()) kinds.push((entry as { detail?: { kind: number } }).detail?.kind)
  })
  observer.observe({ entryTypes: ['gc'] })
  const count = (kind: number): number => kinds.filter((one) => one === kind).length
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  for (let piece = 0; piece < PIECES; piece++) {
    leftInBuffers(Buffer.allocUnsafeSlow(PIECE_BYTES).length)
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  await eventually(() => count(constants.NODE_PERFORMANCE_GC_MINOR) >= (PIECES * PIECE_BYTES) / (8 * MIB))
  observer.disconnect()
  assert.ok(most < 48 * MIB, `${most} bytes in buffers at once`)
})

test.run()
