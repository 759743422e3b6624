// The settings of the terminal client, as text in TOML: theme, notifications, keys. Pure: reading them, and writing the usual ones
// as a file to begin with. What is wrong in them is said and left out; the rest counts.
import { parse, TomlError } from 'smol-toml'
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { type NotifyWay, notifyWays } from './attention.ts'
import { type GraphicsWay, graphicsWays } from './graphics.ts'
import { defaultKeymap, type Keymap, keyLabel, type Rebindings } from './keymap.ts'
import { keyTable, type Mode } from './keys.ts'
import { reboundSafely } from './needed-keys.ts'
import {
  choicesText,
  isAllowed,
  isSettingName,
  type SaidSettings,
  type SettingName,
  settingNames,
  settingRow,
  type SettingValue,
  wrongValue,
} from './setting-table.ts'
import { isThemeName, type ThemeName } from './theme.ts'

export interface Settings {
  readonly said: SaidSettings
  /** Undefined where nothing is said. */
  readonly theme: ThemeName | undefined
  readonly notify: NotifyWay
  /** Where files of messages go; undefined: as main.tsx finds. */
  readonly downloads: string | undefined
  /** Others see that this user types and is there, and are seen. */
  readonly isLive: boolean
  /** Lines for a screen reader instead of a screen. */
  readonly isSpoken: boolean
  /** How pictures are looked at. */
  readonly graphics: GraphicsWay
  /** The terminal reports the mouse, and marks no text by it alone. */
  readonly hasMouse: boolean
  readonly keymap: Keymap
  readonly problems: readonly SafeText[]
}
export const usualSettings: Settings = {
  said: {},
  theme: undefined,
  notify: 'auto',
  downloads: undefined,
  isLive: true,
  isSpoken: false,
  graphics: 'auto',
  hasMouse: false,
  keymap: defaultKeymap,
  problems: [],
}

const KEY =
  /^(ctrl-)?(alt-)?(shift-)?(up|down|left|right|home|end|pageup|pagedown|delete|backspace|enter|escape|tab|space|\S)$/u
const isMode = (name: string): name is Mode => Object.hasOwn(keyTable, name)
const isNotifyWay = (value: unknown): value is NotifyWay => notifyWays.some((way) => way === value)
const isGraphicsWay = (value: unknown): value is GraphicsWay => graphicsWays.some((way) => way === value)
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

type Say = (problem: SafeText) => void
const shown = (value: unknown): SafeText => safeLine(JSON.stringify(value) ?? 'nothing', { maxLength: 60 })

const keysOf = (value: unknown, say: Say): string[] => {
  const keys = Array.isArray(value) ? value : [value]
  return keys.filter((key): key is string => {
    const isKey = typeof key === 'string' && KEY.test(key)
    if (!isKey) say(safe`there is no key ${shown(key)}; keys are like ctrl-a, alt-enter, pageup`)
    return isKey
  })
}

const modeBindings = (mode: Mode, value: unknown, say: Say): Record<string, string[]> => {
  if (!isRecord(value)) {
    say(safe`[keys.${safeLine(mode)}] is a table of name = key`)
    return {}
  }
  const known = new Set<string>(keyTable[mode].map(({ does }) => does))
  const entries = Object.entries(value).filter(([name]) => {
    if (!known.has(name)) say(safe`[keys.${safeLine(mode)}] has nothing called ${safeLine(name, { maxLength: 40 })}`)
    return known.has(name)
  })
  return Object.fromEntries(entries.map(([name, keys]) => [name, keysOf(keys, say)]))
}

const rebindings = (value: unknown, say: Say): Rebindings => {
  if (value === undefined) return {}
  if (!isRecord(value)) {
    say(safe`keys is a table: [keys.chat]`)
    return {}
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([mode, bindings]) => {
      if (isMode(mode)) return [[mode, modeBindings(mode, bindings, say)]]
      say(safe`there is no [keys.${safeLine(mode, { maxLength: 40 })}]`)
      return []
    }),
  )
}

const keymapOf = (value: unknown, say: Say): Keymap => {
  const { keymap, kept } = reboundSafely(rebindings(value, say))
  for (const { mode, does, keys } of kept)
    say(
      safe`[keys.${safeLine(mode)}] leaves no key for ${safeLine(does)}: it keeps ${safeLine(keys.map(keyLabel).join(', '))}`,
    )
  return keymap
}

const checked = ({ keys, ...values }: Record<string, unknown>, say: Say): Settings => {
  const said: Partial<Record<SettingName, SettingValue>> = {}
  for (const [name, value] of Object.entries(values)) {
    if (!isSettingName(name)) say(safe`there is no setting ${safeLine(name, { maxLength: 40 })}`)
    else if (isAllowed(name, value)) said[name] = value
    else say(wrongValue(name))
  }
  const { theme, notify, presence = true, graphics, downloads } = said
  return {
    said,
    theme: typeof theme === 'string' && isThemeName(theme) ? theme : undefined,
    notify: isNotifyWay(notify) ? notify : 'auto',
    downloads: typeof downloads === 'string' ? downloads : undefined,
    isLive: presence === true,
    isSpoken: said['screen-reader'] === true,
    graphics: isGraphicsWay(graphics) ? graphics : 'auto',
    hasMouse: said.mouse === true,
    keymap: keymapOf(keys, say),
    problems: [],
  }
}

export const parseSettings = (text: string): Settings => {
  const problems: SafeText[] = []
  try {
    const settings = checked(parse(text), (problem) => problems.push(problem))
    return { ...settings, problems }
  } catch (error) {
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    const where = error instanceof TomlError ? safe`line ${error.line}: ` : safe``
    return { ...usualSettings, problems: [safe`${where}${safeLine(why, { maxLength: 200 })}`] }
  }
}

/** A line of the file. A string of JSON is one of TOML too. */
const settingText = (name: SettingName, value: SettingValue): string => `${name} = ${JSON.stringify(value)}`

/** A table begins, or the lines that --settings writes above the first. */
const isTableLine = (line: string): boolean => /^\s*\[/.test(line) || line.startsWith('# Keys: ')
const isLineOf = (line: string, name: SettingName): boolean => new RegExp(`^\\s*${name}\\s*=`).test(line)
const isCommentOf = (line: string, name: SettingName): boolean => isLineOf(line.replace(/^\s*#/, ''), name)

/**
 * The file with a setting as it is wanted and everything else as it stands: its line, else the one that was commented out, else a new one
 * above the first table. Undefined where that does not come to it: the file is broken, or written in a way that this does not know.
 */
export const withSetting = (text: string, name: SettingName, value: SettingValue): string | undefined => {
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n')
  const firstTable = lines.findIndex(isTableLine)
  const end = firstTable < 0 ? lines.length : firstTable
  const top = lines.slice(0, end)
  const own = top.findIndex((line) => isLineOf(line, name))
  const at = own < 0 ? top.findIndex((line) => isCommentOf(line, name)) : own
  const isNew = at < 0
  lines.splice(isNew ? end : at, isNew ? 0 : 1, settingText(name, value))
  const changed = `${lines.join('\n')}\n`
  return isSaid(changed, name, value) ? changed : undefined
}
const isSaid = (text: string, name: SettingName, value: SettingValue): boolean => {
  try {
    return parse(text)[name] === value
  } catch {
    return false
  }
}

const modeText = (mode: Mode): string => {
  const names = [...new Set(keyTable[mode].map(({ does }) => does))]
  const lines = names.map((name) => {
    const keys = keyTable[mode].filter(({ does }) => does === name).flatMap((binding) => binding.keys)
    return `# ${name} = [${keys.map((key) => JSON.stringify(key)).join(', ')}]`
  })
  return [`[keys.${mode}]`, ...lines].join('\n')
}

const settingLines = (name: SettingName): string[] => {
  const { help, usual } = settingRow(name)
  const choices = choicesText(name)
  return [
    `# ${choices === '' || typeof usual === 'boolean' ? '' : `${choices}: `}${help}`,
    `# ${settingText(name, usual)}`,
  ]
}

/** A file to begin with: everything that can be set, as it usually is. */
export const settingsText = (): string => {
  // The cast: the keys of the table are modes.
  const modes = Object.keys(keyTable) as Mode[]
  return [
    ...settingNames.flatMap(settingLines),
    '',
    '# Keys: what is named here has these keys only; a key that is given away does nothing else any more.',
    ...modes.map((mode) => `${modeText(mode)}\n`),
  ].join('\n')
}
