// How far files are, on one line of stderr that is drawn over itself. Without a terminal there is none.
import type { Chat, Transfer } from '../../client/api.ts'
import { safeLine } from '../../client/safe-text.ts'

const REDRAW_MS = 100
const CLEAR = '\r\u001b[K'
const MAX_NAME = 40
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `1.5 MiB`. */
export const formatSize = (bytes: number): string => {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}

const percent = (part: number, whole: number): number => (whole === 0 ? 100 : Math.floor((100 * part) / whole))

export const progressText = (name: string, part: number, whole: number): string =>
  `${safeLine(name, { maxLength: MAX_NAME })}  ${percent(part, whole)}% of ${formatSize(whole)}`

export class ProgressLine {
  readonly #isShown = process.stderr.isTTY
  #drawnAt = 0

  show(text: () => string): void {
    const now = performance.now()
    if (!this.#isShown || now - this.#drawnAt < REDRAW_MS) return
    this.#drawnAt = now
    process.stderr.write(CLEAR + text())
  }

  clear(): void {
    if (this.#isShown && this.#drawnAt > 0) process.stderr.write(CLEAR)
  }
}

const uploadsText = (transfers: Transfer[]): string =>
  transfers
    .filter(({ sent, size }) => sent < size)
    .map(
      ({ name, sent, size, isPrepared }) => `${isPrepared ? 'sending' : 'reading'} ${progressText(name, sent, size)}`,
    )
    .join(', ')

/** Shows what is being uploaded until the returned function is called. */
export const watchUploads = (chat: Chat): (() => void) => {
  if (!process.stderr.isTTY) return () => {}
  const line = new ProgressLine()
  let isOver = false
  const stop = chat.onChange(() => {
    const draw = (transfers: Transfer[]): void => {
      if (!isOver && transfers.length > 0) line.show(() => uploadsText(transfers))
    }
    chat.transfers().then(draw, () => {}) // who sends hears what is wrong
  })
  return () => {
    isOver = true
    stop()
    line.clear()
  }
}
