// The settings of the terminal client, as text in TOML: theme, notifications, keys. Pure: reading them, and writing the usual ones
// as a file to begin with. What is wrong in them is said and left out; the rest counts.
import { parse } from 'smol-toml'
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { type NotifyWay, notifyWays } from './attention.ts'
import { type GraphicsWay, graphicsWays } from './graphics.ts'
import { defaultKeymap, type Keymap, type Rebindings, rebound } from './keymap.ts'
import { keyTable, type Mode } from './keys.ts'
import { isThemeName, type ThemeName, themes } from './theme.ts'

export interface Settings {
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
  readonly keymap: Keymap
  readonly problems: readonly SafeText[]
}
export const usualSettings: Settings = {
  theme: undefined,
  notify: 'auto',
  downloads: undefined,
  isLive: true,
  isSpoken: false,
  graphics: 'auto',
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

const checked = (
  { theme, notify = 'auto', downloads, presence = true, keys, ...others }: Record<string, unknown>,
  say: Say,
): Settings => {
  const { 'screen-reader': isSpoken = false, graphics = 'auto', ...rest } = others
  if (!isGraphicsWay(graphics)) say(safe`graphics is one of ${safeLine(graphicsWays.join(', '))}`)
  const isTheme = typeof theme === 'string' && isThemeName(theme)
  if (theme !== undefined && !isTheme) say(safe`theme is one of ${safeLine(Object.keys(themes).join(', '))}`)
  if (!isNotifyWay(notify)) say(safe`notify is one of ${safeLine(notifyWays.join(', '))}`)
  if (downloads !== undefined && typeof downloads !== 'string') say(safe`downloads is a directory, in quotes`)
  if (typeof presence !== 'boolean') say(safe`presence is true or false`)
  if (typeof isSpoken !== 'boolean') say(safe`screen-reader is true or false`)
  for (const name of Object.keys(rest)) say(safe`there is no setting ${safeLine(name, { maxLength: 40 })}`)
  return {
    theme: isTheme ? theme : undefined,
    notify: isNotifyWay(notify) ? notify : 'auto',
    downloads: typeof downloads === 'string' ? downloads : undefined,
    isLive: presence !== false,
    isSpoken: isSpoken === true,
    graphics: isGraphicsWay(graphics) ? graphics : 'auto',
    keymap: rebound(rebindings(keys, say)),
    problems: [],
  }
}

export const parseSettings = (text: string): Settings => {
  const problems: SafeText[] = []
  try {
    const settings = checked(parse(text), (problem) => problems.push(problem))
    return { ...settings, problems }
  } catch (error) {
    const [why] = (error instanceof Error ? error.message : String(error)).split('\n')
    return { ...usualSettings, problems: [safeLine(why ?? '', { maxLength: 200 })] }
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

/** A file to begin with: everything that can be set, as it usually is. */
export const settingsText = (): string => {
  // The cast: the keys of the table are modes.
  const modes = Object.keys(keyTable) as Mode[]
  return [
    `# ${Object.keys(themes).join(', ')}`,
    '# theme = "terminal"',
    `# ${notifyWays.join(', ')}: how a message is told while the terminal is not looked at`,
    '# notify = "auto"',
    '# whether others see that you type and are there, and you them',
    '# presence = true',
    '# lines for a screen reader instead of a screen',
    '# screen-reader = false',
    `# ${graphicsWays.join(', ')}: how pictures are looked at`,
    '# graphics = "auto"',
    '# where files of messages are saved',
    '# downloads = "~/Downloads"',
    '',
    '# Keys: what is named here has these keys only; a key that is given away does nothing else any more.',
    ...modes.map((mode) => `${modeText(mode)}\n`),
  ].join('\n')
}
