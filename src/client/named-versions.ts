// Which version of its group the messages of a device name, as runs of numbers: within a run all name the same. A message says itself where
// its run begins, so a run covers also what has not come. Pure.

export type NamedRun = [from: number, to: number, version: number]

/** The oldest are forgotten: of what lacks there it is said no more than that it may have been sent in an absence. */
const MAX_RUNS = 64

/** Index of the first run that ends at or above `seq`. */
const firstEndingAt = (runs: readonly NamedRun[], seq: number): number => {
  const index = runs.findLastIndex(([, to]) => to < seq)
  return index + 1
}

/** Adds a run in place. Where runs disagree the lower version stands: a message that was sealed anew names a higher one than those after it. */
export const addNamed = (runs: NamedRun[], [from, to, version]: NamedRun): void => {
  const start = firstEndingAt(runs, from)
  let end = start
  let [low, high, lowest] = [from, to, version]
  for (let run = runs[end]; run && run[0] <= to; run = runs[end]) {
    low = Math.min(low, run[0])
    high = Math.max(high, run[1])
    lowest = Math.min(lowest, run[2])
    end += 1
  }
  runs.splice(start, end - start, [low, high, lowest])
  if (runs.length > MAX_RUNS) runs.shift()
}

/** What the last message at or below a number names. */
export const namedUpTo = (runs: readonly NamedRun[], seq: number): number | undefined =>
  runs.findLast(([from]) => from <= seq)?.[2]

/** The first run that ends at or above a number. */
export const namedFrom = (runs: readonly NamedRun[], seq: number): NamedRun | undefined =>
  runs[firstEndingAt(runs, seq)]
