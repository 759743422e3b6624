// The real clock and the real random source.
import { randomBytes } from 'node:crypto'
import type { Clock, RandomSource } from './ports.ts'

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, call) => {
    if (ms <= 0) {
      const turn = setImmediate(call)
      return () => clearImmediate(turn)
    }
    const timer = setTimeout(call, ms)
    return () => clearTimeout(timer)
  },
}

export const systemRandom: RandomSource = {
  bytes: (count) => randomBytes(count),
  float: () => Math.random(),
}
