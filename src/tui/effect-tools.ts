// What the carrying out of effects has at hand, and how the tables of it are typed: one runner for each type, in the *-effects.ts files.
import type { Chat } from '../client/api.ts'
import { type SafeText, safeLine } from '../client/safe-text.ts'
import type { Clock, Logger } from '../platform/ports.ts'
import { asChatError } from '../protocol/errors.ts'
import type { ClusterPort } from './cluster.ts'
import type { Loading } from './loading.ts'
import type { SettingName, SettingValue } from './setting-table.ts'
import type { Settings } from './settings.ts'
import type { Effect, ListRow } from './state.ts'
import type { Store } from './store.ts'

export interface EffectPorts {
  chat: Chat
  store: Store
  clock: Clock
  log: Logger
  signal: AbortSignal
  quit: () => void
  /** Until the shell lets it go on. */
  stop: () => Promise<void>
  redraw: () => void
  /** To the terminal, beside what is drawn. */
  write: (bytes: string) => void
  /** Directory where files of messages go. */
  downloads: () => string
  /** Writes a setting into the file of the profile, and reads that anew. */
  keepSetting: (name: SettingName, value: SettingValue) => Promise<Settings>
  /** Where the operator's token can be read. */
  cluster: ClusterPort | undefined
  /** Gives the terminal away while `run` goes on. */
  withTerminal: (run: () => Promise<void>) => Promise<void>
}

export interface EffectTools extends EffectPorts {
  loading: Loading
  say: (text: SafeText) => void
  list: (title: string, rows: readonly ListRow[]) => void
}

/** Also of a member of the union that stands for several types. */
type EffectOf<T extends Effect['type'], E = Effect> = E extends { type: infer Types }
  ? T extends Types
    ? E & { type: T }
    : never
  : never
type Runner<T extends Effect['type']> = (effect: EffectOf<T>) => Promise<void> | void
export type Runners<T extends Effect['type'] = Effect['type']> = { [Type in T]: Runner<Type> }

export const sayError = ({ store, log }: Pick<EffectPorts, 'store' | 'log'>, error: unknown): void => {
  log.warn({ error }, 'said on the screen')
  const text = safeLine(asChatError(error).message, { maxLength: 300 })
  store.dispatch({ type: 'toast', text, style: 'problem' })
}
