// The settings beside the keys, as one table: what each may be, what it is when nothing is said, and when a change of it counts.
// The reader (settings.ts), the file to begin with, /set and its completion all go by it. Pure.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { notifyWays } from './attention.ts'
import { graphicsWays } from './graphics.ts'
import { themes } from './theme.ts'

export type SettingValue = string | boolean
interface SettingRow {
  readonly help: SafeText
  /** Absent where any text will do. */
  readonly choices?: readonly SettingValue[]
  /** Shown where nothing is said. */
  readonly usual: SettingValue
  /** What is wrong with another value. */
  readonly says: SafeText
  /** A change counts from the next start on. */
  readonly fromStart?: true
}

const YES_NO = [true, false] as const

const settingTable = {
  theme: {
    help: safe`the colours`,
    choices: Object.keys(themes),
    usual: 'terminal',
    says: safe`theme is one of`,
  },
  notify: {
    help: safe`how a message is told while the terminal is not looked at`,
    choices: notifyWays,
    usual: 'auto',
    says: safe`notify is one of`,
  },
  presence: {
    help: safe`whether others see that you type and are there, and you them`,
    choices: YES_NO,
    usual: true,
    says: safe`presence is`,
    fromStart: true,
  },
  'screen-reader': {
    help: safe`lines for a screen reader instead of a screen`,
    choices: YES_NO,
    usual: false,
    says: safe`screen-reader is`,
    fromStart: true,
  },
  graphics: {
    help: safe`how pictures are looked at`,
    choices: graphicsWays,
    usual: 'auto',
    says: safe`graphics is one of`,
    fromStart: true,
  },
  mouse: {
    help: safe`the wheel scrolls, a click opens a conversation; to mark text hold Shift`,
    choices: YES_NO,
    usual: false,
    says: safe`mouse is`,
  },
  downloads: {
    help: safe`where files are saved; the directory of the start, while ~/Downloads is not there`,
    usual: '~/Downloads',
    says: safe`downloads is a directory, in quotes`,
  },
} as const satisfies Record<string, SettingRow>

export type SettingName = keyof typeof settingTable
/** What a file says; absent where it says nothing. */
export type SaidSettings = { readonly [Name in SettingName]?: SettingValue }

// The cast: the keys of the table are its names.
export const settingNames = Object.keys(settingTable) as SettingName[]
export const isSettingName = (name: string): name is SettingName => Object.hasOwn(settingTable, name)
export const settingRow = (name: SettingName): SettingRow => settingTable[name]

/** `true or false`, `terminal, dark, light, mono`; nothing where any text will do. */
export const choicesText = (name: SettingName): SafeText => {
  const { choices = [] } = settingRow(name)
  return safeLine(choices.map(String).join(choices.length === 2 ? ' or ' : ', '))
}

/** As it stands in a file: of the right type, and one of the choices where there are some. */
export const isAllowed = (name: SettingName, value: unknown): value is SettingValue => {
  const { choices } = settingRow(name)
  return choices ? choices.some((choice) => choice === value) : typeof value === 'string' && value !== ''
}

const words = new Map([
  ['on', 'true'],
  ['off', 'false'],
])
/** As a person types it. */
export const typedValue = (name: SettingName, text: string): SettingValue | undefined => {
  const { choices } = settingRow(name)
  if (!choices) return text === '' ? undefined : text
  return choices.find((choice) => String(choice) === text || String(choice) === words.get(text))
}

export const wrongValue = (name: SettingName): SafeText => {
  const choices = choicesText(name)
  return choices === '' ? settingRow(name).says : safe`${settingRow(name).says} ${choices}`
}
