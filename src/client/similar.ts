// Which of some names may have been meant by one that is none of them: for the hint of an error. Must not decide anything.

/** One slip in a word of three, two in six. */
const LETTERS_PER_SLIP = 3

/** Letters that were left out, put in, changed, or swapped with the next: the optimal string alignment distance. */
const slipsBetween = (a: string, b: string): number => {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, at) => at)]
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const ways = [(row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (isSame ? 0 : 1)]
      next.push(Math.min(...ways, ...(isSwapped ? [(before[j - 2] ?? 0) + 1] : [])))
    }
    ;[before, row] = [row, next]
  }
  return row[b.length] ?? 0
}

/** The nearest first; what begins like it counts as one slip. Names are short, as names of users and emoji are. */
export const similarTo = (typed: string, names: readonly string[], max = 3): string[] => {
  if (typed === '' || typed.length > 64) return []
  const allowed = Math.max(1, Math.floor(typed.length / LETTERS_PER_SLIP))
  return names
    .map((name) => ({ name, slips: typed.length > 1 && name.startsWith(typed) ? 1 : slipsBetween(typed, name) }))
    .filter(({ slips }) => slips <= allowed)
    .sort((a, b) => a.slips - b.slips)
    .slice(0, max)
    .map(({ name }) => name)
}
