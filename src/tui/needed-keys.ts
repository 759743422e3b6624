// What every mode needs a key for, whatever is bound anew: to send, to leave, to close. Pure.
import { defaultKeymap, type Keymap, type Rebindings, rebound } from './keymap.ts'
import { keyTable, type Mode } from './keys.ts'
import type { Operation } from './operations.ts'

const closing: readonly Operation[] = ['closeOverlay']
const neededIn: Readonly<Record<Mode, readonly Operation[]>> = {
  chat: ['submit', 'clearOrQuit'],
  select: ['endSelect'],
  switcher: closing,
  list: closing,
  help: closing,
  tour: closing,
  cluster: closing,
  picture: closing,
  paste: closing,
  confirm: closing,
}

export interface NeededKey {
  readonly mode: Mode
  readonly does: Operation
  /** The usual ones, which it has then. */
  readonly keys: readonly string[]
}
const needed: readonly NeededKey[] = Object.entries(neededIn).flatMap(([name, operations]) =>
  operations.map((does) => {
    // The cast: the keys of the table are modes.
    const mode = name as Mode
    return { mode, does, keys: keyTable[mode].filter((binding) => binding.does === does).flatMap(({ keys }) => keys) }
  }),
)

/** A key that two have is that of the last. */
const hasKey = ({ index }: Keymap, { mode, does }: NeededKey): boolean =>
  [...index].some(([key, operation]) => operation === does && key.startsWith(`${mode} `))

/** As if nothing had been said of it, nor of its usual keys. */
const without = (wanted: Rebindings, { mode, does, keys }: NeededKey): Rebindings => {
  const others = Object.entries(wanted[mode] ?? {}).filter(([name]) => name !== does)
  const left = others.map(([name, bound]) => [name, bound.filter((key) => !keys.includes(key))] as const)
  return { ...wanted, [mode]: Object.fromEntries(left) }
}

/** The keys as they are wanted; what is needed and would have none keeps its usual ones, and is told of. */
export const reboundSafely = (wanted: Rebindings): { keymap: Keymap; kept: readonly NeededKey[] } => {
  const kept: NeededKey[] = []
  let [left, keymap] = [wanted, Object.keys(wanted).length === 0 ? defaultKeymap : rebound(wanted)]
  // Each is kept once at most: nobody else can have its usual keys then.
  for (let lost = needed.find((need) => !hasKey(keymap, need)); lost; ) {
    kept.push(lost)
    left = without(left, lost)
    keymap = rebound(left)
    lost = needed.find((need) => !hasKey(keymap, need))
  }
  return { keymap, kept }
}
