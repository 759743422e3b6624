// The client for a screen reader: lines that come one after the other, and the input as the last one. No alternate screen, no boxes,
// no colours, and no React. Written at most every few milliseconds; what a line says is decided in spoken.ts.
import { type SafeText, safeTemplate as safe } from '../client/safe-text.ts'
import { composerView } from './composer-view.ts'
import type { Drawn } from './drawing.ts'
import { lineText } from './lines.ts'
import { spokenLines } from './spoken.ts'
import { draftOfCurrent, type State } from './state.ts'
import type { Store } from './store.ts'

const PAUSE_MS = 30
const CLEAR_LINE = '\r\x1b[K'
/** Lines may be longer than the terminal is wide; the input is not. */
const [WRAPS, WRAPS_NOT] = ['\x1b[?7h', '\x1b[?7l']

const promptBytes = (state: State): string => {
  const { lines, cursor } = composerView(draftOfCurrent(state), { width: state.size.columns, rows: 1, hint: safe`` })
  return `${CLEAR_LINE}${lines.map(lineText).join('')}\x1b[${cursor.x + 1}G`
}

const lineBytes = (text: SafeText): string => `${text.replaceAll('\n', '\r\n  ')}\r\n`

export const drawSpoken = (store: Store, write: (bytes: string) => void): Drawn => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  let [said, prompt]: [State | undefined, string] = [undefined, '']
  let waiting: NodeJS.Timeout | undefined
  let isSuspended = false
  const speak = (): void => {
    waiting = undefined
    if (isSuspended) return
    const state = store.getState()
    const lines = spokenLines(state, said)
    said = state
    const next = promptBytes(state)
    if (lines.length > 0) write(`${CLEAR_LINE}${WRAPS}${lines.map(lineBytes).join('')}${WRAPS_NOT}${next}`)
    else if (next !== prompt) write(next)
    prompt = next
  }
  const stop = store.subscribe(() => (waiting ??= setTimeout(speak, PAUSE_MS)))
  speak()
  return {
    ended,
    end: () => {
      stop()
      clearTimeout(waiting)
      write(CLEAR_LINE)
      end()
    },
    redraw: () => write(prompt),
    suspend: async (run) => {
      isSuspended = true
      write(CLEAR_LINE)
      try {
        await run()
      } finally {
        isSuspended = false
        prompt = ''
        speak()
      }
    },
  }
}
