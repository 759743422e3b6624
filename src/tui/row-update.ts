// What Ink is given in place of its own lineUpdate (lean-modules.ts): how a row that changed is drawn over the one before it. Ink's own looks for
// what both begin with among graphemes and styles, in nearly every row when a message arrives; here only plain text is spared, as the input
// mostly is.

const PLAIN = /^[ -~]*$/
const paint = (column: number, text: string): string => `\x1b[${column + 1}G\x1b[K${text}`

const sharedLength = (a: string, b: string): number => {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

/** A row that was filled to its last cell leaves the cursor where no column is: its end is drawn anew. */
const rowUpdate = (before: string, next: string, columns: number | undefined): string => {
  if (!PLAIN.test(before) || !PLAIN.test(next)) return paint(0, next)
  const shared = Math.min(sharedLength(before, next), Math.max(0, (columns ?? 1) - 1))
  return paint(shared, next.slice(shared))
}

// oxlint-disable-next-line import/no-default-export -- as Ink's own, whose place it takes
export default rowUpdate
