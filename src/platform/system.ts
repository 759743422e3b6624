// The real clock and the real random source.
import { randomBytes } from 'node:crypto'
import type { Clock, RandomSource } from './ports.ts'

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms)
    return () => clearTimeout(timer)
  },
}

export const systemRandom: RandomSource = {
  bytes: (count) => randomBytes(count),
  float: () => Math.random(),
}
