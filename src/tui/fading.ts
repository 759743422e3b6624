// A message above the input that only informs goes by itself; what went wrong stays until a key is pressed, and so does what is still under
// way. It waits for somebody who looks. One timer while there is something to take away, none else.
import type { Clock } from '../platform/ports.ts'
import { sleep } from '../platform/timing.ts'
import type { State, Toast } from './state.ts'
import type { Store } from './store.ts'

/** Time to see it, and to read two lines twice. */
export const FADE_MS = 8_000

export interface FadingPorts {
  store: Store
  clock: Clock
  signal: AbortSignal
}

const fadingOf = ({ toast, isFocused }: State): Toast | undefined =>
  isFocused && toast?.style === 'dim' && !toast.isUnderWay ? toast : undefined

export class Fading {
  readonly #ports: FadingPorts
  #toast: Toast | undefined
  #waiting: AbortController | undefined

  constructor(ports: FadingPorts) {
    this.#ports = ports
  }

  /** After a change of the state. */
  follow(): void {
    const toast = fadingOf(this.#ports.store.getState())
    if (toast === this.#toast) return
    this.#toast = toast
    this.#waiting?.abort()
    this.#waiting = toast && new AbortController()
    if (toast && this.#waiting) void this.#fade(toast, this.#waiting.signal)
  }

  async #fade(toast: Toast, isReplaced: AbortSignal): Promise<void> {
    const { store, clock, signal } = this.#ports
    const ends = AbortSignal.any([signal, isReplaced])
    await sleep(clock, FADE_MS, ends)
    if (!ends.aborted) store.dispatch({ type: 'faded', toast })
  }
}
