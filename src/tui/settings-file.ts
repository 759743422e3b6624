// Where the settings are read from: tui.toml in the profile's directory, when there is one.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { safeLine } from '../client/safe-text.ts'
import { parseSettings, type Settings, usualSettings } from './settings.ts'

export const SETTINGS_FILE = 'tui.toml'

export const readSettings = (directory: string | undefined): Settings => {
  if (directory === undefined) return usualSettings
  try {
    return parseSettings(readFileSync(join(directory, SETTINGS_FILE), 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return usualSettings
    return { ...usualSettings, problems: [safeLine(error instanceof Error ? error.message : String(error))] }
  }
}
