// Makes docs/terminal-client.md from the tables of the terminal client: keys, commands, themes, settings. `--check` only compares.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { notifyWays } from '../src/tui/attention.ts'
import { defaultKeymap, keyLabel } from '../src/tui/keymap.ts'
import { keyTable, type Mode } from '../src/tui/keys.ts'
import { messageSigns } from '../src/tui/overlay-view.ts'
import { settingsText } from '../src/tui/settings.ts'
import { slashCommands, usageOf } from '../src/tui/slash-commands.ts'
import { themes } from '../src/tui/theme.ts'
import { writeOrCheck } from './generated-doc.ts'

const OUT = join(import.meta.dirname, '..', 'docs', 'terminal-client.md')
const INTRODUCTION = join(import.meta.dirname, '..', 'docs', 'terminal-client-introduction.md')

const modeTitles: Record<Mode, string> = {
  chat: 'In a conversation',
  select: 'On a selected message',
  switcher: 'In the switcher (conversations, people, commands, emoji)',
  list: 'In a list',
  help: 'In the help',
  tour: 'In the tour',
  picture: 'When a picture is looked at',
  cluster: 'In the operator’s view',
  paste: 'When a paste is asked about',
  confirm: 'When a question is asked',
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

const keyRows = (mode: Mode): string[] => {
  const names = [...new Set(defaultKeymap.table[mode].map(({ does }) => does))]
  return names.map((name) => {
    const bindings = keyTable[mode].filter(({ does }) => does === name)
    const keys = bindings.flatMap((binding) => binding.keys).map((key) => `\`${keyLabel(key)}\``)
    const other = Object.values(keyTable[mode]).find((binding) => binding.other?.does === name)?.other
    const help = bindings.find((binding) => binding.help)?.help ?? other?.help ?? ''
    return `| ${keys.join(' ')} | \`${name}\` | ${cell(help)} |`
  })
}
const modeSection = (mode: Mode): string[] => [
  `### ${modeTitles[mode]}`,
  '',
  `| keys | name in \`[keys.${mode}]\` | |`,
  '|---|---|---|',
  ...keyRows(mode),
  '',
]

const text = [
  '<!-- Made by `npm run docs` from the tables in src/tui; edit those, or terminal-client-introduction.md. -->',
  readFileSync(INTRODUCTION, 'utf8').trim(),
  '',
  '## Signs of your messages',
  '',
  '| sign | what it says |',
  '|---|---|',
  ...messageSigns.map(({ label, help }) => `| \`${label}\` | ${cell(help)} |`),
  '',
  '## Commands',
  '',
  '| command | what it does |',
  '|---|---|',
  ...slashCommands.map((command) => `| \`${cell(usageOf(command))}\` | ${cell(command.help)} |`),
  '',
  '## Keys',
  '',
  'Any of them can be bound otherwise in `tui.toml`: under `[keys.chat]` and the like, a name and its keys, `pageUp = ["pageup", "ctrl-b"]`.',
  'A key that is given away does nothing else any more; what sends, leaves or closes keeps its usual keys where it would have none, and the',
  'start says so. Terminals send no F-keys here, and `Ctrl-J` is what they send for a line feed.',
  '',
  // The cast: the keys of the table are modes.
  ...(Object.keys(modeTitles) as Mode[]).flatMap(modeSection),
  '## Themes and notifications',
  '',
  `\`theme\` is one of ${Object.keys(themes).join(', ')}: \`terminal\` uses the sixteen colours that you chose for your terminal, \`mono\` none`,
  '(`NO_COLOR` means that too). Nothing is told by colour alone.',
  `\`notify\` is one of ${notifyWays.join(', ')}: the bell, and with a terminal that knows it a notification of the desktop, also through tmux`,
  '(`set -g allow-passthrough on`). Direct messages and messages that name you are told, while the terminal is not looked at; `/mute` and `/notify`',
  'change it for a conversation. tmux says whether you look only with `set -g focus-events on`; without it, as in GNU screen and on the console,',
  'a minute without a key counts as away.',
  '',
  '## The settings as they are',
  '',
  '```toml',
  settingsText().trim(),
  '```',
  '',
].join('\n')

writeOrCheck(OUT, text)
