// Where the settings are: tui.toml in the profile's directory, when there is one. It is its user's: what is changed in it is one line.
import { readFileSync } from 'node:fs'
import { readFile, realpath, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { safeLine } from '../client/safe-text.ts'
import { ChatError } from '../protocol/errors.ts'
import type { SettingName, SettingValue } from './setting-table.ts'
import { parseSettings, type Settings, usualSettings, withSetting } from './settings.ts'

export const SETTINGS_FILE = 'tui.toml'

export const readSettings = (directory: string | undefined): Settings => {
  if (directory === undefined) return usualSettings
  try {
    return parseSettings(readFileSync(join(directory, SETTINGS_FILE), 'utf8'))
  } catch (error) {
    if (isMissing(error)) return usualSettings
    return { ...usualSettings, problems: [safeLine(error instanceof Error ? error.message : String(error))] }
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'
const orIfMissing =
  <Value>(value: Value) =>
  (error: unknown): Value => {
    if (isMissing(error)) return value
    throw error
  }

const NEW_FILE_MODE = 0o600
const PERMISSIONS = 0o777

/** Changes a setting in the file, as a whole and where a link leads to, and answers what the file says then. */
export const keepingIn =
  (directory: string | undefined) =>
  async (name: SettingName, value: SettingValue): Promise<Settings> => {
    if (directory === undefined) throw new ChatError('USAGE', { message: 'Without a profile no setting is kept' })
    const link = join(directory, SETTINGS_FILE)
    const path = await realpath(link).catch(orIfMissing(link))
    const text = await readFile(path, 'utf8').catch(orIfMissing(''))
    const changed = withSetting(text, name, value)
    if (changed === undefined)
      throw new ChatError('USAGE', {
        message: `${SETTINGS_FILE} cannot be changed as it is written; set ${name} there`,
      })
    const mode = await stat(path).then((file) => file.mode & PERMISSIONS, orIfMissing(NEW_FILE_MODE))
    const temporary = `${path}.${process.pid}.tmp`
    await writeFile(temporary, changed, { mode })
    await rename(temporary, path)
    return parseSettings(changed)
  }
