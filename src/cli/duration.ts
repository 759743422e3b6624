// Durations as flags take them.
import { InvalidArgumentError } from '@commander-js/extra-typings'

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
/** The longest time a timer of Node can wait. */
const MAX_MS = 2 ** 31 - 1

/** `500ms 30s 5m 1h`, in milliseconds. */
export const parseDuration = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text)
  const unit = UNITS[match?.[2] ?? '']
  if (!match || unit === undefined)
    throw new InvalidArgumentError('A duration is a number with a unit: 500ms, 30s, 5m, 1h.')
  return Math.min(MAX_MS, Math.round(Number(match[1]) * unit))
}
