// The slash commands, as data: name, what they take, one line of help, what they do. `//` begins a text with a slash.
// A command that is not known is never sent as a message.
import { type SafeText, safeLine, safeTemplate as safe } from '../client/safe-text.ts'
import { isGroupName, isUserName } from '../protocol/names.ts'
import { parseWhen } from './dates.ts'
import { withText } from './draft.ts'
import { isLevel, type Level, levelOf, levels, withLevel } from './levels.ts'
import { draftOfCurrent, type State } from './state.ts'
import { openConversation, type Step, sendText, step, withDraft, withToast } from './step.ts'
import { isThemeName, themes } from './theme.ts'
import { messagesOf, windowOf } from './timeline-view.ts'
import { markUnread } from './triage-operations.ts'

/** What Tab completes in the place of an argument. */
export type CommandTakes = 'user' | 'group' | 'conversation' | 'theme' | 'level'

export interface SlashCommand {
  readonly name: string
  readonly takes: SafeText
  /** One for each argument. */
  readonly completes?: readonly CommandTakes[]
  /** For all arguments after those. */
  readonly completesRest?: CommandTakes
  readonly help: SafeText
  /** The text after the name, trimmed; an answer that is text says what is wrong, and what was typed stays. */
  run(state: State, argument: string): Step | SafeText
}

const notAName = (text: string): SafeText =>
  safe`“${safeLine(text, { maxLength: 40 })}” is no name; names are a-z, 0-9, dot, underscore and dash`

const noTheme = (name: string): SafeText =>
  safe`“${safeLine(name, { maxLength: 40 })}” is no theme; there are ${safeLine(Object.keys(themes).join(', '))}`

/** Without a name they mean the other user of the open conversation. */
const aboutUser =
  (type: 'block' | 'unblock' | 'verify') =>
  (state: State, argument: string): Step | SafeText => {
    const user = argument === '' ? (state.current ?? '') : argument
    return isUserName(user) ? step(state, { type, user }) : notAName(user)
  }

const levelTexts: Record<Level, SafeText> = {
  all: safe`draws attention with every message`,
  mentions: safe`draws attention only when it names you`,
  none: safe`draws no attention any more`,
}

/** Without a name it is the open conversation; without a level it has the usual one again. */
const attending =
  (level: Level | undefined) =>
  (state: State, argument: string): Step | SafeText => {
    const name = argument === '' ? (state.current ?? '') : argument
    if (!isUserName(name) && !isGroupName(name)) return notAName(name)
    const next = { ...state, levels: withLevel(state.levels, name, level) }
    return step(withToast(next, safe`${safeLine(name)} ${levelTexts[levelOf(next, name)]}.`))
  }

const notify = (state: State, argument: string): Step | SafeText => {
  const [, level = '', name = ''] = /^(\S*)\s*(\S*)$/.exec(argument) ?? []
  return isLevel(level) ? attending(level)(state, name) : safe`/notify ${safeLine(levels.join(', '))}: which of these?`
}

const goTo = (state: State, argument: string): Step | SafeText => {
  const atMs = parseWhen(argument, state.nowMs)
  if (atMs === undefined) return safe`/goto 2026-11-23, monday, yesterday or 14:30, also day and time`
  if (state.current === undefined) return safe`No conversation is open.`
  return step(state, { type: 'jumpToTime', conversation: state.current, atMs })
}

/** From the first message of others in view on; the whole screen is what one means to come back to. */
const markShownUnread = (state: State): Step => {
  const { last } = windowOf(state)
  const others = messagesOf(state).slice(0, last + 1)
  return step(markUnread(state, others.findLast(({ isOwn }) => !isOwn)?.id))
}

export const slashCommands: readonly SlashCommand[] = [
  {
    name: 'msg',
    takes: safe`USER [TEXT]`,
    completes: ['conversation'],
    help: safe`open the conversation with a user`,
    run: (state, argument) => {
      const [, name = '', text = ''] = /^(\S*)\s*([^]*)$/.exec(argument) ?? []
      if (!isUserName(name) && !isGroupName(name)) return notAName(name)
      const opened = openConversation(state, name)
      return text === '' ? step(opened) : sendText(opened, text)
    },
  },
  {
    name: 'search',
    takes: safe`WORDS`,
    help: safe`search all history on this device`,
    run: (state, words) =>
      words === '' ? safe`/search WORDS: say what to look for` : step(state, { type: 'search', words }),
  },
  {
    name: 'block',
    takes: safe`[USER]`,
    completes: ['user'],
    help: safe`hide everything of a user, who is not told`,
    run: aboutUser('block'),
  },
  {
    name: 'unblock',
    takes: safe`[USER]`,
    completes: ['user'],
    help: safe`show that user again`,
    run: aboutUser('unblock'),
  },
  {
    name: 'verify',
    takes: safe`[USER]`,
    completes: ['user'],
    help: safe`fingerprints of a user’s devices, to compare by voice`,
    run: aboutUser('verify'),
  },
  {
    name: 'mute',
    takes: safe`[NAME]`,
    completes: ['conversation'],
    help: safe`no notification of a conversation, which next-unread passes by`,
    run: attending('none'),
  },
  {
    name: 'unmute',
    takes: safe`[NAME]`,
    completes: ['conversation'],
    help: safe`be notified again as usual`,
    run: attending(undefined),
  },
  {
    name: 'notify',
    takes: safe`LEVEL [NAME]`,
    completes: ['level', 'conversation'],
    help: safe`${safeLine(levels.join(', '))}: what of a conversation draws attention`,
    run: notify,
  },
  {
    name: 'unread',
    takes: safe``,
    help: safe`mark the last message as unread; on a selected one: u`,
    run: markShownUnread,
  },
  {
    name: 'mentions',
    takes: safe``,
    help: safe`messages that name you, in all conversations`,
    run: (state) => step(state, { type: 'mentions' }),
  },
  { name: 'goto', takes: safe`DATE [TIME]`, help: safe`the first message from then on`, run: goTo },
  { name: 'devices', takes: safe``, help: safe`your devices`, run: (state) => step(state, { type: 'devices' }) },
  {
    name: 'link',
    takes: safe`CODE`,
    help: safe`let the new device that shows this code be you`,
    run: (state, code) =>
      code === '' ? safe`/link CODE: the code that the new device shows` : step(state, { type: 'link', code }),
  },
  {
    name: 'theme',
    takes: safe`NAME`,
    completes: ['theme'],
    help: safe`${safeLine(Object.keys(themes).join(', '))}; tui.toml keeps it`,
    run: (state, name) => (isThemeName(name) ? step({ ...state, theme: name }) : noTheme(name)),
  },
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
    name: 'quit',
    takes: safe``,
    help: safe`leave; what is queued is sent next time`,
    run: (state) => step(state, { type: 'quit' }),
  },
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
