// Where the terminal does not say whether anybody looks, keys do: whoever pressed none for a while looks elsewhere.
// It asks nothing and draws nothing, and ends for good once the terminal says it after all.
import type { Clock } from '../platform/ports.ts'
import type { InputEvent } from './input.ts'
import type { Store } from './store.ts'

/** Long enough to read what is on the screen. */
export const AWAY_MS = 60_000

export interface GuessedFocusPorts {
  store: Store
  clock: Clock
  signal: AbortSignal
}

export class GuessedFocus {
  readonly #ports: GuessedFocusPorts
  #cancel: (() => void) | undefined
  #isGuessing = false
  #isTold = false

  constructor(ports: GuessedFocusPorts) {
    this.#ports = ports
    ports.signal.addEventListener('abort', () => this.#stop())
  }

  /** From now on; until then, and where it is never called, nothing happens. */
  start(): void {
    const { store, signal } = this.#ports
    if (signal.aborted || this.#isTold) return
    this.#isGuessing = true
    this.#wait()
    // Whoever comes back from a program that had the terminal is there.
    store.subscribe(() => {
      if (!this.#cancel && store.getState().isFocused) this.#wait()
    })
  }

  /** To be called before the event has its effect, which is then that of somebody who looks. */
  input({ type }: InputEvent): void {
    if (type === 'focus') {
      this.#isTold = true
      this.#stop()
    }
    if (!this.#isGuessing) return
    this.#wait()
    this.#say(true)
  }

  #wait(): void {
    if (!this.#isGuessing) return
    this.#cancel?.()
    this.#cancel = this.#ports.clock.after(AWAY_MS, () => {
      this.#cancel = undefined
      this.#say(false)
    })
  }

  #say(isFocused: boolean): void {
    const { store } = this.#ports
    if (store.getState().isFocused !== isFocused) store.dispatch({ type: 'focus', isFocused })
  }

  #stop(): void {
    this.#isGuessing = false
    this.#cancel?.()
    this.#cancel = undefined
  }
}
