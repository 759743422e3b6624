// Sets of sequence numbers as sorted ranges that do not touch, both ends inclusive. Pure.
// Adding at the end, by far the most frequent case, costs nothing.

export type SequenceRange = [from: number, to: number]
export type SequenceRanges = SequenceRange[]

/** Index of the first range that ends at or above `value`. */
const firstEndingAt = (set: SequenceRanges, value: number): number => {
  let low = 0
  let high = set.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((set[middle]?.[1] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** The range that holds `value`. */
export const rangeAround = (set: SequenceRanges, value: number): SequenceRange | undefined => {
  const range = set[firstEndingAt(set, value)]
  return range && range[0] <= value ? range : undefined
}
export const includes = (set: SequenceRanges, value: number): boolean => rangeAround(set, value) !== undefined

/** The lowest number of the set that is not below `value`. */
export const firstFrom = (set: SequenceRanges, value: number): number | undefined => {
  const range = set[firstEndingAt(set, value)]
  return range && Math.max(range[0], value)
}
/** The highest number of the set that is not above `value`. */
export const lastUpTo = (set: SequenceRanges, value: number): number | undefined =>
  rangeAround(set, value) ? value : set[firstEndingAt(set, value) - 1]?.[1]

/** Adds from..to in place. */
export const addRange = (set: SequenceRanges, from: number, to: number): void => {
  const last = set.at(-1)
  if (last && last[1] === from - 1) {
    last[1] = to
    return
  }
  const start = firstEndingAt(set, from - 1)
  let end = start
  let low = from
  let high = to
  for (let range = set[end]; range && range[0] <= to + 1; range = set[end]) {
    low = Math.min(low, range[0])
    high = Math.max(high, range[1])
    end += 1
  }
  set.splice(start, end - start, [low, high])
}
export const addAll = (set: SequenceRanges, more: SequenceRanges): void => {
  for (const [from, to] of more) addRange(set, from, to)
}

/** What is in `set` and not in `taken`. */
export const without = (set: SequenceRanges, taken: SequenceRanges): SequenceRanges => {
  const rest: SequenceRanges = []
  for (const [from, to] of set) {
    let next = from
    for (let at = firstEndingAt(taken, from); next <= to; at += 1) {
      const hole = taken[at]
      if (!hole || hole[0] > to) break
      if (hole[0] > next) rest.push([next, hole[0] - 1])
      next = hole[1] + 1
    }
    if (next <= to) rest.push([next, to])
  }
  return rest
}

/** What is in both. */
export const common = (a: SequenceRanges, b: SequenceRanges): SequenceRanges => without(a, without(a, b))

export const countOf = (set: SequenceRanges): number => set.reduce((sum, [from, to]) => sum + to - from + 1, 0)

/** What lacks between `from` and the highest number. */
export const holesOf = (set: SequenceRanges, from: number): SequenceRanges => {
  const highest = set.at(-1)?.[1] ?? 0
  return from <= highest ? without([[from, highest]], set) : []
}
