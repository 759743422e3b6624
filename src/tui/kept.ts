// Keeps the part of the state that outlives the program in its file, as it changes (memory.ts, memory-file.ts).
// A file that cannot be read or written is said once; the client goes on without.
import { safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { emptyMemory, type Memory } from './memory.ts'
import { MemoryFile } from './memory-file.ts'
import type { State } from './state.ts'
import type { Store } from './store.ts'

export interface Kept {
  memory: Memory
  /** Nothing was kept there before: somebody begins. */
  isFirst: boolean
  /** Writes what changes from now on. */
  follow: (store: Store) => void
  close: () => Promise<void>
}

const memoryOf = ({ drafts, sent, unsaid }: State): Memory => ({ drafts, sent, unsaid })
const isSame = (a: Memory, b: Memory): boolean => a.drafts === b.drafts && a.sent === b.sent && a.unsaid === b.unsaid

const nothingKept: Kept = { memory: emptyMemory, isFirst: false, follow: () => {}, close: async () => {} }

const sayOnce = (store: Store): ((error: unknown) => void) => {
  let said = ''
  return (error) => {
    const why = error instanceof Error ? error.message : String(error)
    if (why !== said)
      store.dispatch({ type: 'toast', text: safe`Drafts are not kept: ${safeLine(why)}`, style: 'problem' })
    said = why
  }
}

const keepIn = (file: MemoryFile, store: Store): void => {
  file.onError = sayOnce(store)
  let last = memoryOf(store.getState())
  store.subscribe(() => {
    const memory = memoryOf(store.getState())
    if (isSame(last, memory)) return
    last = memory
    file.write(memory)
  })
}

/** Without a directory nothing is kept. */
export const openKept = (directory: string | undefined): Kept => {
  if (directory === undefined) return nothingKept
  const file = new MemoryFile(directory)
  try {
    const isFirst = !file.exists()
    return { memory: file.read(), isFirst, follow: (store) => keepIn(file, store), close: () => file.close() }
  } catch (error) {
    return { ...nothingKept, follow: (store) => sayOnce(store)(error) }
  }
}
