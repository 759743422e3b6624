// Commands about this client and the cluster it talks to.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { setCommand } from './set-command.ts'
import type { SlashCommand } from './slash-command.ts'
import { step } from './step.ts'
import { isThemeName, themes } from './theme.ts'

const noTheme = (name: string): SafeText =>
  name === ''
    ? safe`/theme ${safeLine(Object.keys(themes).join(', '))}: which of these?`
    : safe`“${safeLine(name, { maxLength: 40 })}” is no theme; there are ${safeLine(Object.keys(themes).join(', '))}`

export const clientCommands: readonly SlashCommand[] = [
  {
    name: 'theme',
    takes: safe`NAME`,
    completes: ['theme'],
    help: safe`${safeLine(Object.keys(themes).join(', '))}, for now; /set theme keeps it`,
    run: (state, name) => (isThemeName(name) ? step({ ...state, theme: name }) : noTheme(name)),
  },
  setCommand,
  {
    name: 'cluster',
    takes: safe``,
    help: safe`its nodes, live, for its operators`,
    run: (state) => step(state, { type: 'cluster' }),
  },
  {
    name: 'help',
    takes: safe``,
    help: safe`keys and commands`,
    run: (state) => step({ ...state, overlay: { kind: 'help', top: 0 } }),
  },
  {
    name: 'tour',
    takes: safe``,
    help: safe`the essentials, on a few cards`,
    run: (state) => step({ ...state, overlay: { kind: 'tour', card: 0, part: 0 } }),
  },
  {
    name: 'quit',
    takes: safe``,
    help: safe`leave; what is queued is sent next time`,
    run: (state) => step(state, { type: 'quit' }),
  },
]
