// /set: the settings as they are, and changing one, for now and in the file of the profile.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { type Line, span } from './lines.ts'
import {
  choicesText,
  isSettingName,
  type SettingName,
  settingNames,
  settingRow,
  typedValue,
  wrongValue,
} from './setting-table.ts'
import type { SlashCommand } from './slash-command.ts'
import type { State } from './state.ts'
import { listOverlay, type Step, step, withToast } from './step.ts'

const MAX_SHOWN = 60

/** What /theme changed for now is what there is. */
const valueText = ({ settings, theme }: State, name: SettingName): SafeText => {
  const value = name === 'theme' ? theme : (settings.said[name] ?? settingRow(name).usual)
  return safeLine(String(value), { maxLength: MAX_SHOWN })
}

const settingLine = (state: State, name: SettingName): Line => {
  const choices = choicesText(name)
  return [
    span(safeLine(name), 'name'),
    span(safe` = ${valueText(state, name)}`),
    span(safe`  ${settingRow(name).help}${choices === '' ? choices : safe` (${choices})`}`, 'dim'),
  ]
}

const list = (state: State): Step => {
  const rows = settingNames.map((name) => ({ line: settingLine(state, name) }))
  return step(listOverlay(state, '/set NAME VALUE changes one; keys are changed in tui.toml', rows))
}

const run = (state: State, argument: string): Step | SafeText => {
  if (argument === '') return list(state)
  const [, name = '', text = ''] = /^(\S+)\s*([^]*)$/.exec(argument) ?? []
  if (!isSettingName(name))
    return safe`There is no setting ${safeLine(name, { maxLength: 40 })}; there are ${safeLine(settingNames.join(', '))}`
  if (text === '') return step(withToast(state, safe`${safeLine(name)} = ${valueText(state, name)}`))
  const value = typedValue(name, text)
  return value === undefined ? wrongValue(name) : step(state, { type: 'set', name, value })
}

export const setCommand: SlashCommand = {
  name: 'set',
  takes: safe`[NAME [VALUE]]`,
  completes: ['setting', 'settingValue'],
  help: safe`settings of this client: all, one, or another value for one, which tui.toml keeps`,
  run,
}
