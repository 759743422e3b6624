// Gives the terminal to another program and takes it back. What arrives meanwhile is not seen: it counts as if nobody looked.
import type { Store } from './store.ts'
import type { OpenTerminal } from './terminal.ts'

export interface LendingPorts {
  terminal: Pick<OpenTerminal, 'lend'>
  store: Store
  /** Ink's: it neither draws nor keeps the alternate screen meanwhile. */
  suspend: (run: () => Promise<void>) => Promise<void>
}

export const lending =
  ({ terminal, store, suspend }: LendingPorts) =>
  async (run: () => Promise<void>): Promise<void> => {
    store.dispatch({ type: 'focus', isFocused: false })
    try {
      await suspend(async () => {
        terminal.lend(true)
        try {
          await run()
        } finally {
          terminal.lend(false)
        }
      })
    } finally {
      store.dispatch({ type: 'focus', isFocused: true })
    }
  }
