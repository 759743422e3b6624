// Carries out /set: the file of the profile is changed, and what it says now counts.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import type { EffectTools } from './effect-tools.ts'
import { type SettingName, settingRow, type SettingValue } from './setting-table.ts'
import { SETTINGS_FILE } from './settings-file.ts'

const changedText = (name: SettingName, value: SettingValue): SafeText =>
  safe`${safeLine(name)} = ${safeLine(String(value), { maxLength: 60 })}${settingRow(name).fromStart ? safe`, from the next start on` : safe``}`

export const changeSetting = async (
  { keepSetting, store, say }: Pick<EffectTools, 'keepSetting' | 'store' | 'say'>,
  { name, value }: { name: SettingName; value: SettingValue },
): Promise<void> => {
  const settings = await keepSetting(name, value)
  store.dispatch({ type: 'settings', settings })
  const [problem] = settings.problems
  if (problem === undefined) say(changedText(name, value))
  else store.dispatch({ type: 'toast', text: safe`${safeLine(SETTINGS_FILE)}: ${problem}`, style: 'problem' })
}
