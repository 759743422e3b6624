// The keys in force: the table of keys.ts with what the user bound otherwise. Pure.
// A key that is bound anew is taken from what it did before in that mode.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { joinText } from './cells.ts'
import type { Edit } from './draft.ts'
import { type KeyBinding, keyTable, type Mode } from './keys.ts'
import type { Operation } from './operations.ts'

type KeyTable = Readonly<Record<Mode, readonly KeyBinding[]>>
/** Per mode: the name of an operation to its keys. */
export type Rebindings = Partial<Record<Mode, Readonly<Record<string, readonly string[]>>>>

export interface Keymap {
  readonly table: KeyTable
  readonly index: ReadonlyMap<string, Operation | Edit>
}

const keymapOf = (table: KeyTable): Keymap => ({
  table,
  index: new Map(
    Object.entries(table).flatMap(([mode, bindings]) =>
      bindings.flatMap(({ keys, does }) => keys.map((key) => [`${mode} ${key}`, does] as const)),
    ),
  ),
})

export const defaultKeymap: Keymap = keymapOf(keyTable)

const reboundMode = (bindings: readonly KeyBinding[], wanted: Readonly<Record<string, readonly string[]>>) => {
  const taken = new Set(Object.values(wanted).flat())
  return bindings.map((binding) => ({
    ...binding,
    keys: Object.hasOwn(wanted, binding.does)
      ? (wanted[binding.does] ?? [])
      : binding.keys.filter((key) => !taken.has(key)),
  }))
}

export const rebound = (wanted: Rebindings): Keymap =>
  keymapOf({
    ...keyTable,
    ...Object.fromEntries(
      // The cast: the keys of Rebindings are modes.
      (Object.keys(wanted) as Mode[]).map((mode) => [mode, reboundMode(keyTable[mode], wanted[mode] ?? {})]),
    ),
  })

export const operationOf = ({ index }: Keymap, mode: Mode, key: string): Operation | Edit | undefined =>
  index.get(`${mode} ${key}`)

const words: Record<string, string> = {
  pageup: 'PgUp',
  pagedown: 'PgDn',
  ctrl: 'Ctrl',
  alt: 'Alt',
  enter: 'Enter',
  escape: 'Esc',
}
const capital = (part: string): string => words[part] ?? part.charAt(0).toUpperCase() + part.slice(1)
/** `alt-pageup` as people write it: Alt-PgUp. A letter alone stays as it is typed. */
export const keyLabel = (key: string): string => (key.length === 1 ? key : key.split('-').map(capital).join('-'))

/** How the first key of an operation is called; empty when it has none. */
export const labelOf = ({ table }: Keymap, mode: Mode, does: Operation | Edit): SafeText =>
  safeLine(keyLabel(table[mode].find((binding) => binding.does === does && binding.keys.length > 0)?.keys[0] ?? ''))

export interface KeyHelp {
  label: SafeText
  help: SafeText
  short?: SafeText
}
/** What the keys of a mode do, as far as it needs to be said. */
export const keyHelp = (keymap: Keymap, mode: Mode): KeyHelp[] =>
  keymap.table[mode].flatMap(({ does, help, short, other }) => {
    const label = labelOf(keymap, mode, does)
    if (help === undefined || label === '') return []
    const otherLabel = other ? labelOf(keymap, mode, other.does) : ''
    const whole = other && otherLabel !== '' ? safe`${help} (${otherLabel}: ${other.help})` : help
    return [{ label, help: whole, ...(short ? { short } : {}) }]
  })

/** The keys of a mode in one line, for those who are in it. */
export const keysText = (keymap: Keymap, mode: Mode): SafeText =>
  joinText(
    keyHelp(keymap, mode).flatMap(({ label, help, short = help }, index) => [
      ...(index === 0 ? [] : [safe` · `]),
      safe`${label} ${short}`,
    ]),
  )
