// Puts the timeline where it belongs whatever the terminal thinks of the widths beside it. Terminals disagree about many characters
// (Thai and Indic vowels, emoji, jamo); a name with one of them in the list must not push or leave anything in the timeline.
// A private character between the two, which no text of others can hold (safeText replaces it), becomes a jump to the column.

/** One cell wide, as the layout counts. */
export const ANCHOR = '\ue000'

/** Erases what is left in the cells before, then jumps; the anchor's own cell stays empty. */
const jump = (column: number): string => `\x1b[K\x1b[${column + 1}G`

/** The stream to draw to. `columnOf` says how many cells are before what follows the anchor; `change` is what else becomes of the text. */
export const anchoredStdout = (
  stdout: NodeJS.WriteStream,
  columnOf: () => number,
  change: (text: string) => string = (text) => text,
): NodeJS.WriteStream => {
  const write = (chunk: unknown, ...rest: unknown[]): boolean => {
    const text = typeof chunk === 'string' ? change(chunk).replaceAll(ANCHOR, jump(columnOf())) : chunk
    // The cast: the arguments are those of the stream's own write.
    return (stdout.write as (...args: unknown[]) => boolean).call(stdout, text, ...rest)
  }
  return new Proxy(stdout, {
    get: (target, name) => {
      if (name === 'write') return write
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
