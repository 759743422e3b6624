// The slash commands: one list of all, how one is found, and how what was typed is run. `//` begins a text with a slash.
// A command that is not known is never sent as a message.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { clientCommands } from './client-commands.ts'
import { withText } from './draft.ts'
import { fileCommands } from './file-commands.ts'
import { groupCommands } from './group-commands.ts'
import { peopleCommands } from './people-commands.ts'
import type { SlashCommand } from './slash-command.ts'
import { draftOfCurrent, type State } from './state.ts'
import { type Step, withDraft, step, withToast } from './step.ts'
import { talkCommands } from './talk-commands.ts'

export const slashCommands: readonly SlashCommand[] = [
  ...talkCommands,
  ...fileCommands,
  ...groupCommands,
  ...peopleCommands,
  ...clientCommands,
]

/** Edits (insert, remove, replace, swap) that turn one word into the other. */
export const distance = (a: string, b: string): number => {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, index) => index)]
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1)
      next.push(best)
    }
    ;[before, row] = [row, next]
  }
  return row[b.length] ?? 0
}

export const nearestCommand = (name: string): SlashCommand | undefined => {
  const ranked = slashCommands
    .map((command) => ({
      command,
      far: command.name.startsWith(name) && name !== '' ? 0 : distance(name, command.name),
    }))
    .sort((a, b) => a.far - b.far)
  const [best] = ranked
  return best && best.far <= Math.max(2, Math.floor(best.command.name.length / 2)) ? best.command : undefined
}

/** `/msg USER [TEXT]` */
export const usageOf = ({ name, takes }: SlashCommand): SafeText =>
  takes === '' ? safe`/${safeLine(name)}` : safe`/${safeLine(name)} ${takes}`

/** While a command is typed: which there are, or what the one that is written takes. */
export const commandHint = (text: string): SafeText | undefined => {
  const [, name, isWritten] = /^\/([a-z]*)(\s)?/.exec(text) ?? []
  if (name === undefined || text.startsWith('//')) return undefined
  const fitting = slashCommands.filter((command) => (isWritten ? command.name === name : command.name.startsWith(name)))
  const [only] = fitting
  if (only && (isWritten || fitting.length === 1)) return safe`${usageOf(only)}: ${only.help}`
  return fitting.length === 0 ? undefined : safeLine(fitting.map((command) => `/${command.name}`).join(' '))
}

const unknown = (name: string): SafeText => {
  const nearest = nearestCommand(name)
  const said = safe`There is no /${safeLine(name, { maxLength: 20 })}`
  const hint = nearest ? safe`; did you mean /${safeLine(nearest.name)}?` : safe`; /help lists the commands.`
  return safe`${said}${hint} (// sends a text that begins with /)`
}

/** Runs what was typed as `/…`; the draft goes only when it was understood. */
export const runSlash = (state: State, text: string): Step => {
  const [, name = '', argument = ''] = /^\/(\S*)\s*([^]*)$/.exec(text) ?? []
  const command = slashCommands.find((candidate) => candidate.name === name.toLowerCase())
  if (!command) return step(withToast(state, unknown(name), 'problem'))
  const result = command.run(withDraft(state, withText(draftOfCurrent(state), '')), argument.trim())
  return typeof result === 'string' ? step(withToast(state, result, 'problem')) : result
}
